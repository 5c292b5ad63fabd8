"""Every knob of the gateway: one frozen record, read from an environment that the caller gives."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphql_api.errors import SettingError

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_ASYNC_SCHEMES = ("postgresql://", "postgres://")


class Secret(str):
    """A string that prints as stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def _boolean(variable: str, text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise SettingError(variable, text, "true or false")


def _integer(low: int, high: int) -> Callable[[str, str], int]:
    def read(variable: str, text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise SettingError(variable, text, f"a whole number from {low} to {high}") from None
        if not low <= number <= high:
            raise SettingError(variable, text, f"a whole number from {low} to {high}")
        return number

    return read


def _seconds(low: float, high: float) -> Callable[[str, str], float]:
    def read(variable: str, text: str) -> float:
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not low <= seconds <= high:
            raise SettingError(variable, text, f"a number of seconds from {low:g} to {high:g}")
        return seconds

    return read


def _choice(*allowed: str) -> Callable[[str, str], str]:
    def read(variable: str, text: str) -> str:
        if text.lower() not in allowed:
            raise SettingError(variable, text, "one of " + ", ".join(allowed))
        return text.lower()

    return read


def _text(_variable: str, text: str) -> str:
    return text


def _secret(_variable: str, text: str) -> Secret:
    return Secret(text)


def _path(_variable: str, text: str) -> Path:
    return Path(text)


def _database_url(variable: str, text: str) -> Secret:
    plain = text.replace("postgresql+asyncpg://", "postgresql://", 1)
    if not plain.startswith(_ASYNC_SCHEMES):
        # The address itself is not repeated: it may hold a password.
        raise SettingError(variable, "***", "an address like postgresql://user:password@host:5432/database")
    return Secret(plain)


def _database_urls(variable: str, text: str) -> tuple[Secret, ...]:
    # A comma may also stand between the hosts of one address.
    return tuple(
        _database_url(variable, one) for one in re.split(r"[,\s]+(?=postgres[a-z+]*://)|\s+", text.strip(", "))
    )


def _knob(variable: str, default: Any, read: Callable[[str, str], Any], text: str) -> Any:
    return field(default=default, metadata={"variable": variable, "read": read, "help": text})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What can be set, each with its variable, its default and a sentence of help."""

    database_url: Secret | None = _knob(
        "DATABASE_URL",
        None,
        _database_url,
        "Address of a PostgreSQL 15 or newer; unset: the embedded PostgreSQL of the state folder.",
    )
    state: Path = _knob(
        "REVIEWS_STATE", Path(".local"), _path, "Folder that holds the embedded database and the page's assets."
    )
    host: str = _knob("REVIEWS_HOST", "127.0.0.1", _text, "Address the gateway listens on.")
    port: int = _knob("REVIEWS_PORT", 8000, _integer(0, 65535), "Port the gateway listens on; 0 takes a free one.")
    workers: int = _knob("REVIEWS_WORKERS", 1, _integer(1, 256), "Gateway processes behind that port.")
    drain_seconds: float = _knob(
        "REVIEWS_DRAIN_SECONDS",
        2.0,
        _seconds(0, 600),
        "Seconds for which a process told to end by SIGTERM says that it is not ready, and still answers.",
    )
    read_connections: int = _knob(
        "REVIEWS_READ_CONNECTIONS", 8, _integer(1, 1000), "Connections a process keeps for reads."
    )
    write_connections: int = _knob(
        "REVIEWS_WRITE_CONNECTIONS", 4, _integer(1, 1000), "Connections a process keeps for mutations."
    )
    pgbouncer: bool = _knob(
        "REVIEWS_PGBOUNCER",
        False,
        _boolean,
        "Whether DATABASE_URL is PgBouncer in transaction mode: no named statements, settings with each transaction.",
    )
    replica_urls: tuple[Secret, ...] = _knob(
        "REVIEWS_REPLICA_URLS",
        (),
        _database_urls,
        "Addresses of the database's read replicas (standbys), blanks or commas between them; none of a pooler.",
    )
    statement_timeout_ms: int = _knob(
        "REVIEWS_STATEMENT_TIMEOUT_MS",
        10_000,
        _integer(1, 3_600_000),
        "Milliseconds after which PostgreSQL ends a statement of the gateway.",
    )
    connect_timeout_s: int = _knob(
        "REVIEWS_CONNECT_TIMEOUT_S", 5, _integer(1, 600), "Seconds to wait for a connection to the database."
    )
    max_body_bytes: int = _knob(
        "REVIEWS_MAX_BODY_BYTES", 262_144, _integer(1024, 67_108_864), "Largest request body in bytes."
    )
    max_url_bytes: int = _knob(
        "REVIEWS_MAX_URL_BYTES", 8192, _integer(256, 60_000), "Longest path and query string of a request in bytes."
    )
    max_tokens: int = _knob(
        "REVIEWS_MAX_TOKENS", 1000, _integer(10, 1_000_000), "Most tokens (words and signs) of a GraphQL document."
    )
    max_cost: int = _knob(
        "REVIEWS_MAX_COST",
        10_000,
        _integer(1, 1_000_000_000),
        "Most objects that an answer may hold, counted on the document with its page sizes.",
    )
    execution: str = _knob(
        "REVIEWS_EXECUTION",
        "compiled",
        _choice("compiled", "reference"),
        "What runs queries: compiled, plans and loaders that batch across requests; reference, graphql-core alone.",
    )
    documents: str = _knob(
        "REVIEWS_DOCUMENTS",
        "automatic",
        _choice("any", "automatic", "trusted"),
        "What may run: any, documents as they come, none stored; automatic, and clients may register them by hash;"
        " trusted, only those from files.",
    )
    manifests: str = _knob(
        "REVIEWS_MANIFESTS",
        "",
        _text,
        f"Manifests and folders of a front end's documents, {os.pathsep} between them; checked at the start.",
    )
    max_documents: int = _knob(
        "REVIEWS_MAX_DOCUMENTS",
        10_000,
        _integer(1, 10_000_000),
        "Most registered documents that the database keeps; beyond it the least recently used goes.",
    )
    first_number: int = _knob(
        "REVIEWS_FIRST_NUMBER",
        1_000_000_000,
        _integer(1, 9_000_000_000_000_000_000),
        "First number the gateway gives to what shoppers add; CSV numbers must stay below it.",
    )
    voter_secret: Secret = _knob(
        "REVIEWS_VOTER_SECRET", Secret(""), _secret, "Key under which voters' marks are hashed before they are stored."
    )
    graphiql: bool = _knob("REVIEWS_GRAPHIQL", True, _boolean, "Whether browsers get GraphiQL at /graphql.")
    introspection: bool = _knob(
        "REVIEWS_INTROSPECTION",
        True,
        _boolean,
        "Whether the schema can be asked for with introspection.",
    )
    log_level: str = _knob(
        "REVIEWS_LOG_LEVEL",
        "info",
        _choice("debug", "info", "warning", "error"),
        "Least severe log line written: debug, info, warning or error.",
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read ``environment``; an empty value counts as unset.

        Raises ``SettingError`` for a value that cannot be used and for an unknown variable of our prefix,
        because a misspelt name would be ignored without a word.
        """
        values: dict[str, Any] = {}
        known = set()
        for knob in dataclasses.fields(cls):
            variable = knob.metadata["variable"]
            known.add(variable)
            text = environment.get(variable, "").strip()
            if text:
                values[knob.name] = knob.metadata["read"](variable, text)
        for variable in sorted(environment):
            if variable.startswith("REVIEWS_") and variable not in known:
                raise SettingError(variable, environment[variable], "a known name; the README lists them all")
        return cls(**values)


def described() -> list[tuple[str, str, str]]:
    """Each setting as (variable, default as text, sentence of help), in the order of declaration."""
    rows = []
    for knob in dataclasses.fields(Settings):
        default = knob.default
        if default is None or default in {"", ()}:
            shown = "unset"
        elif isinstance(default, bool):
            shown = str(default).lower()
        elif isinstance(default, float):
            shown = f"{default:g}"
        else:
            shown = str(default)
        rows.append((knob.metadata["variable"], shown, knob.metadata["help"]))
    return rows
