"""A system's clock that tests set, of the processes that are given its environment: libfaketime is it.

As for a real one, setting it moves CLOCK_REALTIME and no other clock.
"""

from __future__ import annotations

import time
import urllib.request
from email.utils import parsedate_to_datetime
from pathlib import Path

_LUA = Path(__file__).with_suffix(".lua")


def library() -> Path | None:
    """libfaketime for programs with threads, where it is installed."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class FakedClock:
    """``folder`` must be one that nginx's workers may enter."""

    def __init__(self, preloaded: Path, folder: Path) -> None:
        self._file = folder / "clock"
        self._folder = folder
        self.set_by(0)
        self.environment = {
            "LD_PRELOAD": str(preloaded),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.environment_of_edge = {**self.environment, "EDGE_LUA": str(_LUA)}

    def set_by(self, seconds: int) -> None:
        """Let it be so far ahead of the machine's."""
        written = self._folder / "written"
        written.write_text(f"{seconds:+}\n")
        written.replace(self._file)


def ahead_s(address: str) -> float:
    """How far the clock of the server at ``address`` is ahead of the machine's, by its ``Date``."""
    with urllib.request.urlopen(f"http://{address}/livez", timeout=5) as answer:
        return parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()
