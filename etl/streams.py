"""The bytes of a file of an export, compressed or not."""

from __future__ import annotations

import gzip
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


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, Callable[[], int]]]:
    """The content of ``path`` as a stream, and what tells how many bytes of the file itself have been read.

    Raises ``OperatorError`` where compressed bytes are damaged or end too early.
    """
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
