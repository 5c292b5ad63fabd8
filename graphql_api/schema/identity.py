"""Global ids and plain numbers: the two ways a client names a thing.

A global id is the URL-safe base64 of ``Type:number:number``. It carries the product, by which everything is stored,
so that a node is found in one look-up. Clients take it for opaque.
"""

from __future__ import annotations

import base64
import binascii
import re
from operator import attrgetter

MAX_NUMBER = 2**63 - 1
_MAX_LENGTH = 120  # the longest is a photo's: three numbers of 19 digits
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,18})", re.ASCII)

COLUMNS = {
    "Product": ("product_id",),
    "Characteristic": ("product_id", "characteristic_id"),
    "Review": ("product_id", "review_id"),
    "Photo": ("product_id", "review_id", "photo_id"),
}
"""The columns whose numbers a type's id carries: its product's first, its own last."""
NUMBERS = {name: len(columns) for name, columns in COLUMNS.items()}
_FORMS = {name: name.encode() + b":%d" * count for name, count in NUMBERS.items()}
_READERS = {name: attrgetter(*columns) for name, columns in COLUMNS.items()}


def of_row(type_name: str, row: object) -> str:
    """The global id of the thing that ``row`` is."""
    return _encoded(_FORMS[type_name] % _READERS[type_name](row))


def encode(type_name: str, *numbers: int) -> str:
    """The global id of a thing."""
    return _encoded(_FORMS[type_name] % numbers)


def _encoded(plain: bytes) -> str:
    # Letters, digits and colons give neither of the two signs in which base64 for URLs differs.
    return binascii.b2a_base64(plain, newline=False).rstrip(b"=").decode()


def decode(global_id: str) -> tuple[str, tuple[int, ...]] | None:
    """The type and numbers of a global id; ``None`` for anything that ``encode`` did not write."""
    if not global_id.isascii() or len(global_id) > _MAX_LENGTH:
        return None
    try:
        plain = base64.urlsafe_b64decode(global_id + "=" * (-len(global_id) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    type_name, *texts = plain.split(":")
    numbers = tuple(number for text in texts if (number := plain_number(text)) is not None)
    if NUMBERS.get(type_name) != len(texts) or len(numbers) != len(texts):
        return None
    # Base64 has several spellings of the same bytes; only one of them is an id of ours.
    return (type_name, numbers) if encode(type_name, *numbers) == global_id else None


def plain_number(text: str) -> int | None:
    """The number of the CSVs that ``text`` spells; ``None`` if it spells none or one that no column can hold."""
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_NUMBER else None


def numbers_of(type_name: str, any_id: str) -> tuple[int, ...] | None:
    """The numbers that ``any_id``, global or plain, gives for a ``type_name``: all of them, or the last one alone."""
    number = plain_number(any_id)
    if number is not None:
        return (number,)
    decoded = decode(any_id)
    return decoded[1] if decoded is not None and decoded[0] == type_name else None


def own_number(type_name: str, any_id: str, product_id: int) -> int | None:
    """The own number of a ``type_name`` below ``product_id``; ``None`` if ``any_id`` names another product's."""
    numbers = numbers_of(type_name, any_id)
    if numbers is None or (len(numbers) > 1 and numbers[0] != product_id):
        return None
    return numbers[-1]
