"""Every knob of the gateway: one frozen record, read from an environment that the caller gives.

It is as long as there are settings: each is one field with its default, its bounds and the sentence that the README
shows, and to find a setting is to look in one place.
"""

from __future__ import annotations

import dataclasses
import ipaddress
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
# As browsers write one: lower case, no path, no port that the scheme has anyway.
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
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


def _networks(variable: str, text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one) for one in re.split(r"[,\s]+", text.strip(", ")))
    except ValueError:
        raise SettingError(variable, text, "addresses and networks like 10.0.0.0/8, commas between them") from None


def _origins(variable: str, text: str) -> tuple[str, ...]:
    found = tuple(re.split(r"[,\s]+", text.strip(", ")))
    if not all(one == "*" or _ORIGIN.fullmatch(one) for one in found):
        raise SettingError(variable, text, "origins like https://shop.example, commas between them, or * for any")
    return found


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
    request_timeout_ms: int = _knob(
        "REVIEWS_REQUEST_TIMEOUT_MS",
        5000,
        _integer(100, 3_600_000),
        "Milliseconds that a request may take from its head to its answer; then it is answered with TIMEOUT.",
    )
    connect_timeout_s: int = _knob(
        "REVIEWS_CONNECT_TIMEOUT_S", 5, _integer(1, 600), "Seconds to wait for a connection to the database."
    )
    max_running: int = _knob(
        "REVIEWS_MAX_RUNNING",
        64,
        _integer(1, 100_000),
        "Queries that a process runs at a time, one that may bring many objects counted as several.",
    )
    max_queued: int = _knob(
        "REVIEWS_MAX_QUEUED",
        128,
        _integer(0, 1_000_000),
        "Queries that wait beyond those, and as many mutations beyond eight a connection; then: 503 OVERLOADED.",
    )
    queue_timeout_ms: int = _knob(
        "REVIEWS_QUEUE_TIMEOUT_MS",
        500,
        _integer(1, 3_600_000),
        "Milliseconds that such a query waits, a mutation until its deadline; then the same.",
    )
    max_connections: int = _knob(
        "REVIEWS_MAX_CONNECTIONS",
        1000,
        _integer(1, 1_000_000),
        "Connections that a process takes; one more is told 503 OVERLOADED and closed.",
    )
    max_body_bytes: int = _knob(
        "REVIEWS_MAX_BODY_BYTES", 262_144, _integer(1024, 67_108_864), "Largest request body in bytes."
    )
    max_url_bytes: int = _knob(
        "REVIEWS_MAX_URL_BYTES", 8192, _integer(256, 60_000), "Longest path and query string of a request in bytes."
    )
    max_document_bytes: int = _knob(
        "REVIEWS_MAX_DOCUMENT_BYTES", 32_768, _integer(256, 67_108_864), "Longest GraphQL document in bytes of UTF-8."
    )
    max_variables_bytes: int = _knob(
        "REVIEWS_MAX_VARIABLES_BYTES",
        65_536,
        _integer(64, 67_108_864),
        "Largest variables, as JSON in bytes.",
    )
    max_variables_depth: int = _knob(
        "REVIEWS_MAX_VARIABLES_DEPTH", 10, _integer(1, 100), "Most lists and objects of variables in each other."
    )
    max_list: int = _knob(
        "REVIEWS_MAX_LIST", 1000, _integer(100, 1_000_000), "Most items of a list among the variables."
    )
    max_tokens: int = _knob(
        "REVIEWS_MAX_TOKENS", 1000, _integer(10, 1_000_000), "Most tokens (words and signs) of a GraphQL document."
    )
    max_depth: int = _knob(
        "REVIEWS_MAX_DEPTH", 20, _integer(15, 200), "Most levels of fields, those of fragments among them."
    )
    max_fields: int = _knob(
        "REVIEWS_MAX_FIELDS",
        2000,
        _integer(100, 1_000_000),
        "Most fields of an operation, those of fragments counted wherever they are spread.",
    )
    max_root_fields: int = _knob(
        "REVIEWS_MAX_ROOT_FIELDS", 20, _integer(1, 10_000), "Most fields at the root of an operation, counted so, too."
    )
    max_aliases: int = _knob("REVIEWS_MAX_ALIASES", 100, _integer(0, 100_000), "Most aliases, counted so, too.")
    max_equal_fields: int = _knob(
        "REVIEWS_MAX_EQUAL_FIELDS",
        50,
        _integer(1, 10_000),
        "Most fields that are one in the answer, having one name in one place.",
    )
    max_spreads: int = _knob(
        "REVIEWS_MAX_SPREADS", 50, _integer(1, 10_000), "Most places of a document that spread a fragment."
    )
    max_directives: int = _knob("REVIEWS_MAX_DIRECTIVES", 50, _integer(1, 10_000), "Most directives of a document.")
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
    mutation_rate: int = _knob(
        "REVIEWS_MUTATION_RATE",
        10,
        _integer(0, 1_000_000),
        "Mutations a second that a process takes of one client, five seconds' worth at once; 0: any number.",
    )
    document_rate: int = _knob(
        "REVIEWS_DOCUMENT_RATE",
        20,
        _integer(0, 1_000_000),
        "The same of documents that the process has not in memory: texts, and ids it must look up; 0: any number.",
    )
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = _knob(
        "REVIEWS_TRUSTED_PROXIES",
        (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1")),
        _networks,
        "Addresses and networks of proxies, the edge among them, whose X-Forwarded-For names the client.",
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
    cors_origins: tuple[str, ...] = _knob(
        "REVIEWS_CORS_ORIGINS",
        (),
        _origins,
        "Origins whose pages may ask, commas between them; *: any. EDGE_CORS_ORIGINS says it to the edge.",
    )
    reports_to_hide: int = _knob(
        "REVIEWS_REPORTS_TO_HIDE",
        1,
        _integer(1, 1_000_000),
        "Reports of different voters and clients that hide a review, until an operator decides.",
    )
    production: bool = _knob(
        "REVIEWS_PRODUCTION",
        False,
        _boolean,
        "Whether GraphiQL, introspection and suggestions are off, unless a setting of their own says otherwise.",
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
    log_format: str = _knob(
        "REVIEWS_LOG_FORMAT", "text", _choice("text", "json"), "Form of the log lines: text, or json, an object a line."
    )
    log_requests: bool = _knob(
        "REVIEWS_LOG_REQUESTS", False, _boolean, "Whether each GraphQL request writes a log line, of the level info."
    )
    slow_ms: int = _knob(
        "REVIEWS_SLOW_MS",
        1000,
        _integer(0, 3_600_000),
        "Milliseconds from which an operation is slow and writes a warning with its statements; 0: none does.",
    )
    server_timing: bool = _knob(
        "REVIEWS_SERVER_TIMING", False, _boolean, "Whether answers say in Server-Timing what their time was spent on."
    )
    metrics: bool = _knob("REVIEWS_METRICS", True, _boolean, "Whether figures are counted and told at /metrics.")
    metrics_folder: Path | None = _knob(
        "REVIEWS_METRICS_FOLDER",
        None,
        _path,
        "Folder in which the processes behind one port leave their counts for each other; unset: made for them, and"
        " removed.",
    )
    otlp_endpoint: str = _knob(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        _text,
        "Address of an OpenTelemetry collector that takes OTLP over HTTP; traces are sent there if the extra otel is"
        " installed.",
    )
    otlp_traces_endpoint: str = _knob(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", _text, "The same for traces alone, with its path, such as /v1/traces."
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
        if values.get("production"):
            values = {"graphiql": False, "introspection": False, **values}
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
        elif isinstance(default, tuple):
            shown = ", ".join(str(one) for one in default)
        elif isinstance(default, float):
            shown = f"{default:g}"
        else:
            shown = str(default)
        rows.append((knob.metadata["variable"], shown, knob.metadata["help"]))
    return rows
