"""Real clients, installed once by npm."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import NoReturn

import pytest

from tests.clients.visits import FOLDER, Clients

INSTALL = ("install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
SECONDS = 300


@pytest.fixture(scope="session")
def clients(requires: Callable[[str], str], unmet: Callable[[str], NoReturn]) -> Clients:
    """The client programs, with the packages that ``package.json`` pins."""
    node, npm = requires("node"), requires("npm")
    wanted = (FOLDER / "package.json").read_text()
    installed = FOLDER / "node_modules" / ".installed.json"
    if not installed.exists() or installed.read_text() != wanted:
        done = subprocess.run([npm, *INSTALL], cwd=FOLDER, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            unmet(f"npm cannot install the clients of tests/clients: {done.stderr.strip()}")
        installed.write_text(wanted)
    return Clients(node)
