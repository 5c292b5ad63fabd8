"""What a document is called by everyone: the SHA-256 of its text."""

from __future__ import annotations

import hashlib
import re

_HASH = re.compile("[0-9a-f]{64}")


def hash_of(text: str) -> str:
    """The lower-case SHA-256 of ``text`` in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_hash(id_: str) -> bool:
    """Whether ``id_`` has the form of one, which the ids of a manifest need not have."""
    return _HASH.fullmatch(id_) is not None
