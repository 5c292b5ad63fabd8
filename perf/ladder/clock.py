"""A timer of Linux that an event loop can wait for. The loop's own timers count whole milliseconds, and a hit takes a
tenth of one."""

from __future__ import annotations

import ctypes
import os
import time
from contextlib import suppress

_LIBC = ctypes.CDLL(None, use_errno=True)
_ABSOLUTE = 1


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("interval", _Time), ("value", _Time))


class Clock:
    """``file`` is readable when the moment has come that was set last."""

    def __init__(self) -> None:
        self.file: int = _LIBC.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.file < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def set(self, moment: float) -> None:
        """Wake at this moment of ``time.monotonic()``; at once, where it is past."""
        nanoseconds = max(1, int(moment * 1e9))
        setting = _Setting(_Time(0, 0), _Time(*divmod(nanoseconds, 1_000_000_000)))
        _LIBC.timerfd_settime(self.file, _ABSOLUTE, ctypes.byref(setting), None)

    def read(self) -> None:
        """Be readable no longer."""
        with suppress(BlockingIOError):
            os.read(self.file, 8)
