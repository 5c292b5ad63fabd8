"""The bytes and the physical lines of a file, read a block at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
LINE_BYTES = 1 << 20
"""A line longer than this is cut: no record may be that long, and memory stays bounded whatever the file holds."""

_BOM = b"\xef\xbb\xbf"
_UNREADABLE = re.compile("[\0\udc80-\udcff]")


class Source:
    """What of a file is still to be read: whole lines, each with its line feed. ``line`` counts from 1."""

    def __init__(self, stream: BinaryIO) -> None:
        self._blocks = _blocks(stream)
        self._ahead = b""
        self._at = 0
        self.line = 1

    def peek(self, size: int, beyond: int = 0) -> bytes:
        """The lines ``beyond`` bytes ahead: as many as ``size`` bytes hold, at least one; empty at the file's end."""
        while len(self._ahead) < self._at + beyond + size:
            block = next(self._blocks, None)
            if block is None:
                break
            self._ahead = self._ahead[self._at :] + block + b"\n"
            self._at = 0
        start = self._at + beyond
        end = self._ahead.rfind(b"\n", start, start + size)
        if end < 0:
            # The buffer ends with a line feed, so there is one beyond the size.
            end = self._ahead.find(b"\n", start + size)
        return self._ahead[start : end + 1]

    def take(self, size: int, lines: int) -> None:
        """Go on behind the next ``lines`` lines, which are ``size`` bytes."""
        self._at += size
        self.line += lines


class Lines:
    """A window on the lines of ``source`` as text, which grows when asked; ``forget`` takes them from the source.

    ``window[0]`` is line ``first`` of the file. A byte that is not UTF-8 becomes a lone surrogate. ``suspicious`` is
    set as soon as the window has held such a byte, a NUL or a line that is too long.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sizes: list[int] = []
        self._bytes = 0
        self.window: list[str] = []
        self.suspicious = False

    @property
    def first(self) -> int:
        """The number of the line that the window begins with."""
        return self._source.line

    def grow(self, size: int = BLOCK_BYTES) -> bool:
        """Append the lines of the next ``size`` bytes; ``False`` at the end of the file."""
        block = self._source.peek(size, self._bytes)
        if not block:
            return False
        self._bytes += len(block)
        raw = block[:-1].split(b"\n")
        sizes = [len(line) + 1 for line in raw]
        try:
            text = block.decode()
            clean = "\0" not in text
        except UnicodeDecodeError:
            text = block.decode(errors="surrogateescape")
            clean = False
        if not clean or max(sizes) > LINE_BYTES:
            self.suspicious = True
        self.window += text[:-1].split("\n")
        self._sizes += sizes
        return True

    def get(self, at: int) -> str | None:
        """The line at ``at`` of the window, or ``None`` behind the last line of the file."""
        while at >= len(self.window):
            if not self.grow():
                return None
        return self.window[at]

    def forget(self, count: int) -> None:
        """Drop the first ``count`` lines of the window: they have been read."""
        size = sum(self._sizes[:count])
        self._source.take(size, count)
        self._bytes -= size
        del self.window[:count], self._sizes[:count]


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
