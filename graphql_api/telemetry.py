"""Log lines: one format for ours and the server's, to standard error, with e-mail addresses masked in every one."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Any

import orjson

_QUOTED = re.compile(r"invalid input (?:for query argument \$\d+|syntax for type [^:]+): (.+)", re.DOTALL)
# Words first, the @ in them second: looking for an @ from every letter on takes minutes on a long line.
_WORD = re.compile(r"[^\s\"'<>(),;:=]+")


def masked(text: str) -> str:
    """``text`` with the names and hosts of e-mail addresses replaced by stars."""
    return _WORD.sub(_masked_if_address, text)


def _masked_if_address(word: re.Match[str]) -> str:
    return "***@***" if "@" in word[0].strip("@") else word[0]


def without_values(text: str, error: BaseException | None) -> str:
    """``text``, which tells of ``error`` and its causes, with the values that they quote replaced by stars.

    PostgreSQL quotes the whole row that it refuses, in an error's ``detail``; drivers quote an argument.
    """
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        quoted = _QUOTED.search(str(one))
        for values in (getattr(one, "detail", None), quoted and quoted[1]):
            if isinstance(values, str) and values:
                text = text.replace(values, "***")
        waiting += [one.__cause__, one.__context__, getattr(one, "orig", None)]
    return text


class MaskingFormatter(logging.Formatter):
    """Formats a record with its traceback, then masks: an exception's text may quote a row."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """The traceback without values."""
        return without_values(super().formatException(ei), ei[1])

    def format(self, record: logging.LogRecord) -> str:
        """The line to write."""
        return masked(super().format(record))


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object: time, level, logger, message, the record's ``fields``, a traceback."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """The traceback without values."""
        return without_values(super().formatException(ei), ei[1])

    def format(self, record: logging.LogRecord) -> str:
        """The line to write."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        # Each text before it is quoted: an escape such as \n would become part of the word after it.
        return orjson.dumps(_masked(line), default=lambda value: masked(repr(value))).decode()


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        # What is no Unicode, half of a surrogate pair, is no JSON either.
        return masked(value.encode(errors="replace").decode())
    if isinstance(value, dict):
        return {name: _masked(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_masked(part) for part in value]
    return value


def configure_logging(level: str, form: str) -> None:
    """Send what is at least ``level`` to standard error as ``form``, text or json; libraries start at warning."""
    handler = logging.StreamHandler()
    if form == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("reviews").setLevel(level.upper())
