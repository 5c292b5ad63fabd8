"""What is said while the checks run, whether they pass or not."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path


def write_line(text: str) -> None:
    """Say what was found."""
    if sys.__stdout__ is not None:
        sys.__stdout__.write(f"{text}\n")
        sys.__stdout__.flush()


def machine() -> str:
    """When and on what this runs."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    nginx = subprocess.run(["nginx", "-v"], check=True, capture_output=True, text=True).stderr.strip()
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({model[1] if model else platform.machine()}),"
        f" {nginx.removeprefix('nginx version: ')}, Python {platform.python_version()}"
    )
