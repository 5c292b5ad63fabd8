"""The bytes of a file of an export, compressed or not."""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from graphql_api.errors import OperatorError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    # The standard library's own module for older Pythons. The package zstandard takes a file that was cut off for one
    # that ended, so that rows would be lost without a word.
    from backports import zstd

COMPRESSED = (".gz", ".zst")
"""What a file's name may end with after ``.csv``: gzip, Zstandard."""

_BUFFER_BYTES = 1 << 20
_SAMPLES, _SAMPLE_BYTES, _COMPRESSED_SAMPLE_BYTES = 16, 1 << 16, 1 << 22
_ROW = re.compile(rb'\n"?[0-9]+"?,')
_GZIP_LEVEL, _ZSTANDARD_LEVEL = 1, 1  # made-up files are written once and read once


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raises ``OperatorError`` where the system cannot read the file at ``path``: it is gone, or its disk fails."""
    try:
        yield
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror or error}; nothing was changed.") from error


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, Callable[[], int]]]:
    """The content of ``path`` as a stream, and what tells how many bytes of the file itself have been read.

    Raises ``OperatorError`` where compressed bytes are damaged or end too early, or where the file cannot be read.
    """
    with reading(path):
        try:
            with path.open("rb") as raw:
                if path.suffix == ".gz":
                    with gzip.open(raw) as unzipped:
                        yield cast("BinaryIO", unzipped), raw.tell
                elif path.suffix == ".zst":
                    with zstd.open(raw) as frames:
                        yield cast("BinaryIO", frames), raw.tell
                else:
                    yield raw, raw.tell
        except (EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
            raise OperatorError(
                f"{path.name} is damaged or was cut off ({error}): fetch it again; nothing was changed."
            ) from error


def expected_rows(path: Path) -> int:
    """About how many rows the file at ``path`` has, told from samples: none where no line begins with a number.

    A few too many rather than too few. Of a compressed file only the beginning can be had at once, where numbers are
    short: up to half too many. Lines are not counted, as a text may have many.
    """
    with opened(path) as (stream, position):
        size = path.stat().st_size
        if path.suffix in COMPRESSED:
            rows = len(_ROW.findall(stream.read(_COMPRESSED_SAMPLE_BYTES)))
            read = position()
        else:
            rows = read = 0
            for sample in range(_SAMPLES):
                stream.seek(size * sample // _SAMPLES)
                some = stream.read(min(_SAMPLE_BYTES, size // _SAMPLES + 1))
                rows += len(_ROW.findall(some))
                read += len(some)
    return rows * size * 51 // (max(read, 1) * 50)


def created(path: Path) -> BinaryIO:
    """A new file at ``path``, over what was there; what is written to it is compressed as its name says.

    The same content gives the same bytes: nothing in them tells when or under which name they were written.
    """
    if path.suffix == ".gz":
        return cast("BinaryIO", _Zipped(path))
    if path.suffix == ".zst":
        return cast("BinaryIO", zstd.open(path, "wb", level=_ZSTANDARD_LEVEL))
    return path.open("wb", buffering=_BUFFER_BYTES)


class _Zipped(gzip.GzipFile):
    """A file that is zipped, without its name and the time."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=_BUFFER_BYTES)
        super().__init__("", "wb", _GZIP_LEVEL, self._file, mtime=0)

    def close(self) -> None:
        super().close()
        self._file.close()
