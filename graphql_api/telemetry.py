"""Log lines: one format for ours and the server's, to standard error, with e-mail addresses masked in every one."""

from __future__ import annotations

import logging
import re

# Words first, the @ in them second: looking for an @ from every letter on takes minutes on a long line.
_WORD = re.compile(r"[^\s\"'<>(),;:=]+")


def masked(text: str) -> str:
    """``text`` with the names and hosts of e-mail addresses replaced by stars."""
    return _WORD.sub(_masked_if_address, text)


def _masked_if_address(word: re.Match[str]) -> str:
    return "***@***" if "@" in word[0].strip("@") else word[0]


class MaskingFormatter(logging.Formatter):
    """Formats a record with its traceback, then masks: an exception's text may quote a row."""

    def format(self, record: logging.LogRecord) -> str:
        """The line to write."""
        return masked(super().format(record))


def configure_logging(level: str) -> None:
    """Send what is at least ``level`` to standard error; libraries start at warning."""
    handler = logging.StreamHandler()
    handler.setFormatter(MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("reviews").setLevel(level.upper())
