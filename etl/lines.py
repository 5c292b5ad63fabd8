"""The physical lines of a file, read a block at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
LINE_BYTES = 1 << 20
"""A line longer than this is cut: no record may be that long, and memory stays bounded whatever the file holds."""

_BOM = b"\xef\xbb\xbf"
_UNREADABLE = re.compile("[\0\udc80-\udcff]")


class Lines:
    """A window on the file's lines that grows when asked and forgets what lies behind.

    ``window[0]`` is line ``first`` (from 1) of the file. A byte that is not UTF-8 becomes a lone surrogate.
    ``suspicious`` is set as soon as the window has held such a byte, a NUL or a line that is too long.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._blocks = _blocks(stream)
        self.window: list[str] = []
        self.first = 1
        self.suspicious = False

    def grow(self) -> bool:
        """Append the lines of one more block; ``False`` at the end of the file."""
        block = next(self._blocks, None)
        if block is None:
            return False
        try:
            text = block.decode()
            clean = "\0" not in text
        except UnicodeDecodeError:
            text = block.decode(errors="surrogateescape")
            clean = False
        lines = text.split("\n")
        if not clean or max(map(len, lines)) > LINE_BYTES:
            self.suspicious = True
        self.window += lines
        return True

    def get(self, at: int) -> str | None:
        """The line at ``at`` of the window, or ``None`` behind the last line of the file."""
        while at >= len(self.window):
            if not self.grow():
                return None
        return self.window[at]

    def forget(self, count: int) -> None:
        """Drop the first ``count`` lines of the window."""
        del self.window[:count]
        self.first += count


def unfit(text: str) -> str | None:
    """Why ``text`` can be no part of a record, or ``None``."""
    if len(text) > LINE_BYTES:
        return "is longer than 1 MiB"
    found = _UNREADABLE.search(text)
    if found is None:
        return None
    return "holds a NUL byte" if found[0] == "\0" else "is not valid UTF-8"


def printable(text: str) -> str:
    r"""``text`` with bytes that are not UTF-8, and NUL, written as ``\xNN``."""
    readable = text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return readable.replace("\0", "\\x00")


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Blocks of whole lines, each without its last line feed."""
    carry = b""
    cut = False
    start = True
    while block := stream.read(BLOCK_BYTES):
        if cut:
            end = block.find(b"\n")
            if end < 0:
                continue
            block = block[end:]
            cut = False
        block = carry + block
        if start:
            block = block.removeprefix(_BOM)
            start = False
        end = block.rfind(b"\n")
        if end >= 0:
            carry = block[end + 1 :]
            yield block[:end]
        elif len(block) > LINE_BYTES:
            carry = block[: LINE_BYTES + 1]
            cut = True
        else:
            carry = block
    if carry:
        yield carry
