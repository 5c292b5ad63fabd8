"""Settings are read from an environment that is given; a value that cannot be used names its variable."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from graphql_api.errors import SettingError
from graphql_api.settings import Secret, Settings, described

VARIABLES = [knob.metadata["variable"] for knob in dataclasses.fields(Settings)]


def refusal(**environment: str) -> tuple[str, str]:
    """The variable and the sentence of the refusal."""
    with pytest.raises(SettingError) as refused:
        Settings.from_environment(environment)
    return refused.value.variable, str(refused.value)


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()


def test_each_variable_sets_its_field() -> None:
    assert Settings.from_environment(
        {
            "DATABASE_URL": "postgresql://shop@db/reviews",
            "REVIEWS_STATE": "/srv/reviews",
            "REVIEWS_HOST": "::1",
            "REVIEWS_PORT": "0",
            "REVIEWS_WORKERS": "256",
            "REVIEWS_DRAIN_SECONDS": "0.5",
            "REVIEWS_READ_CONNECTIONS": "1",
            "REVIEWS_WRITE_CONNECTIONS": "1000",
            "REVIEWS_REPLICA_URLS": "postgresql://a/reviews, postgresql://b,c/reviews",
            "REVIEWS_STATEMENT_TIMEOUT_MS": "1",
            "REVIEWS_CONNECT_TIMEOUT_S": "600",
            "REVIEWS_MAX_BODY_BYTES": "1024",
            "REVIEWS_DOCUMENTS": "Trusted",
            "REVIEWS_MANIFESTS": "/srv/relay.json",
            "REVIEWS_MAX_DOCUMENTS": "10000000",
            "REVIEWS_FIRST_NUMBER": "9000000000000000000",
            "REVIEWS_VOTER_SECRET": "geheim",
            "REVIEWS_GRAPHIQL": "off",
            "REVIEWS_INTROSPECTION": "No",
            "REVIEWS_LOG_LEVEL": "WARNING",
            "REVIEWS_LOG_FORMAT": "JSON",
            "REVIEWS_LOG_REQUESTS": "yes",
            "REVIEWS_SLOW_MS": "0",
            "REVIEWS_SERVER_TIMING": "on",
            "REVIEWS_METRICS": "off",
            "REVIEWS_METRICS_FOLDER": "/run/reviews",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces",
            "PATH": "/usr/bin",
        }
    ) == Settings(
        database_url=Secret("postgresql://shop@db/reviews"),
        state=Path("/srv/reviews"),
        host="::1",
        port=0,
        workers=256,
        drain_seconds=0.5,
        read_connections=1,
        write_connections=1000,
        replica_urls=(Secret("postgresql://a/reviews"), Secret("postgresql://b,c/reviews")),
        statement_timeout_ms=1,
        connect_timeout_s=600,
        max_body_bytes=1024,
        documents="trusted",
        manifests="/srv/relay.json",
        max_documents=10_000_000,
        first_number=9_000_000_000_000_000_000,
        voter_secret=Secret("geheim"),
        graphiql=False,
        introspection=False,
        log_level="warning",
        log_format="json",
        log_requests=True,
        slow_ms=0,
        server_timing=True,
        metrics=False,
        metrics_folder=Path("/run/reviews"),
        otlp_endpoint="http://collector:4318",
        otlp_traces_endpoint="http://collector:4318/v1/traces",
    )


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("text", ["", "  "])
def test_empty_counts_as_unset(variable: str, text: str) -> None:
    assert Settings.from_environment({variable: text}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("REVIEWS_PORT", "abc", "a whole number from 0 to 65535"),
        ("REVIEWS_PORT", "65536", "a whole number from 0 to 65535"),
        ("REVIEWS_PORT", "-1", "a whole number from 0 to 65535"),
        ("REVIEWS_PORT", "80.5", "a whole number from 0 to 65535"),
        ("REVIEWS_WORKERS", "0", "a whole number from 1 to 256"),
        ("REVIEWS_DRAIN_SECONDS", "601", "a number of seconds from 0 to 600"),
        ("REVIEWS_DRAIN_SECONDS", "nan", "a number of seconds from 0 to 600"),
        ("REVIEWS_DRAIN_SECONDS", "2s", "a number of seconds from 0 to 600"),
        ("REVIEWS_READ_CONNECTIONS", "0", "a whole number from 1 to 1000"),
        ("REVIEWS_WRITE_CONNECTIONS", "1001", "a whole number from 1 to 1000"),
        ("REVIEWS_STATEMENT_TIMEOUT_MS", "10s", "a whole number from 1 to 3600000"),
        ("REVIEWS_CONNECT_TIMEOUT_S", "601", "a whole number from 1 to 600"),
        ("REVIEWS_MAX_BODY_BYTES", "1023", "a whole number from 1024 to 67108864"),
        ("REVIEWS_MAX_TOKENS", "9", "a whole number from 10 to 1000000"),
        ("REVIEWS_MAX_COST", "0", "a whole number from 1 to 1000000000"),
        ("REVIEWS_DOCUMENTS", "none", "one of any, automatic, trusted"),
        ("REVIEWS_MAX_DOCUMENTS", "0", "a whole number from 1 to 10000000"),
        ("REVIEWS_MUTATION_RATE", "-1", "a whole number from 0 to 1000000"),
        ("REVIEWS_DOCUMENT_RATE", "fast", "a whole number from 0 to 1000000"),
        ("REVIEWS_TRUSTED_PROXIES", "edge", "addresses and networks like 10.0.0.0/8, commas between them"),
        ("REVIEWS_TRUSTED_PROXIES", "10.0.0.1/8", "addresses and networks like 10.0.0.0/8, commas between them"),
        (
            "REVIEWS_CORS_ORIGINS",
            "https://shop.example/",
            "origins like https://shop.example, commas between them, or * for any",
        ),
        ("REVIEWS_CORS_ORIGINS", "null", "origins like https://shop.example, commas between them, or * for any"),
        ("REVIEWS_FIRST_NUMBER", "0", "a whole number from 1 to 9000000000000000000"),
        ("REVIEWS_GRAPHIQL", "maybe", "true or false"),
        ("REVIEWS_INTROSPECTION", "2", "true or false"),
        ("REVIEWS_LOG_FORMAT", "xml", "one of text, json"),
        ("REVIEWS_SLOW_MS", "-1", "a whole number from 0 to 3600000"),
        ("REVIEWS_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
    ],
)
def test_a_bad_value_names_its_variable_and_what_is_expected(variable: str, text: str, expected: str) -> None:
    assert refusal(**{variable: text}) == (variable, f"{variable}={text!r} cannot be used: expected {expected}.")


@pytest.mark.parametrize("address", ["mysql://shop:geheim@db/reviews", "shop:geheim@db", "sqlite:///reviews"])
def test_a_bad_address_is_not_repeated_for_it_may_hold_a_password(address: str) -> None:
    assert refusal(DATABASE_URL=address) == (
        "DATABASE_URL",
        "DATABASE_URL='***' cannot be used: expected an address like postgresql://user:password@host:5432/database.",
    )


def test_an_address_for_sqlalchemy_is_taken_too() -> None:
    settings = Settings.from_environment({"DATABASE_URL": "postgresql+asyncpg://shop@db/reviews"})
    assert settings.database_url == "postgresql://shop@db/reviews"


def test_an_unknown_variable_of_our_prefix_is_refused() -> None:
    assert refusal(REVIEWS_PROT="1") == (
        "REVIEWS_PROT",
        "REVIEWS_PROT='1' cannot be used: expected a known name; the README lists them all.",
    )


def test_secrets_print_as_stars() -> None:
    settings = Settings.from_environment(
        {"DATABASE_URL": "postgresql://shop:geheim@db/reviews", "REVIEWS_VOTER_SECRET": "pfeffer"}
    )
    assert "geheim" not in repr(settings)
    assert "pfeffer" not in repr(settings)
    assert "database_url='***'" in repr(settings)
    assert "voter_secret='***'" in repr(settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc] # that is the test


def test_every_setting_is_described_with_its_default() -> None:
    rows = described()
    assert [variable for variable, _, _ in rows] == VARIABLES
    assert {variable: default for variable, default, _ in rows} == {
        "DATABASE_URL": "unset",
        "REVIEWS_STATE": ".local",
        "REVIEWS_HOST": "127.0.0.1",
        "REVIEWS_PORT": "8000",
        "REVIEWS_WORKERS": "1",
        "REVIEWS_DRAIN_SECONDS": "2",
        "REVIEWS_READ_CONNECTIONS": "8",
        "REVIEWS_WRITE_CONNECTIONS": "4",
        "REVIEWS_PGBOUNCER": "false",
        "REVIEWS_REPLICA_URLS": "unset",
        "REVIEWS_STATEMENT_TIMEOUT_MS": "10000",
        "REVIEWS_REQUEST_TIMEOUT_MS": "5000",
        "REVIEWS_CONNECT_TIMEOUT_S": "5",
        "REVIEWS_MAX_RUNNING": "64",
        "REVIEWS_MAX_QUEUED": "128",
        "REVIEWS_QUEUE_TIMEOUT_MS": "500",
        "REVIEWS_MAX_CONNECTIONS": "1000",
        "REVIEWS_MAX_BODY_BYTES": "262144",
        "REVIEWS_MAX_URL_BYTES": "8192",
        "REVIEWS_MAX_DOCUMENT_BYTES": "32768",
        "REVIEWS_MAX_VARIABLES_BYTES": "65536",
        "REVIEWS_MAX_VARIABLES_DEPTH": "10",
        "REVIEWS_MAX_LIST": "1000",
        "REVIEWS_MAX_TOKENS": "1000",
        "REVIEWS_MAX_DEPTH": "20",
        "REVIEWS_MAX_FIELDS": "2000",
        "REVIEWS_MAX_ROOT_FIELDS": "20",
        "REVIEWS_MAX_ALIASES": "100",
        "REVIEWS_MAX_EQUAL_FIELDS": "50",
        "REVIEWS_MAX_SPREADS": "50",
        "REVIEWS_MAX_DIRECTIVES": "50",
        "REVIEWS_MAX_COST": "10000",
        "REVIEWS_EXECUTION": "compiled",
        "REVIEWS_DOCUMENTS": "automatic",
        "REVIEWS_MANIFESTS": "unset",
        "REVIEWS_MAX_DOCUMENTS": "10000",
        "REVIEWS_MUTATION_RATE": "10",
        "REVIEWS_DOCUMENT_RATE": "20",
        "REVIEWS_TRUSTED_PROXIES": "127.0.0.0/8, ::1/128",
        "REVIEWS_FIRST_NUMBER": "1000000000",
        "REVIEWS_VOTER_SECRET": "unset",
        "REVIEWS_CORS_ORIGINS": "unset",
        "REVIEWS_REPORTS_TO_HIDE": "1",
        "REVIEWS_PRODUCTION": "false",
        "REVIEWS_GRAPHIQL": "true",
        "REVIEWS_INTROSPECTION": "true",
        "REVIEWS_LOG_LEVEL": "info",
        "REVIEWS_LOG_FORMAT": "text",
        "REVIEWS_LOG_REQUESTS": "false",
        "REVIEWS_SLOW_MS": "1000",
        "REVIEWS_SERVER_TIMING": "false",
        "REVIEWS_METRICS": "true",
        "REVIEWS_METRICS_FOLDER": "unset",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "unset",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "unset",
    }
    assert [variable for variable, _, text in rows if not text.endswith(".")] == []


def test_addresses_of_read_replicas_stand_behind_each_other_and_print_as_stars() -> None:
    a, b, c = "postgresql://u:geheim@a/reviews", "postgresql+asyncpg://b,b2/reviews", "postgres://c/reviews"
    settings = Settings.from_environment({"REVIEWS_REPLICA_URLS": f"{a},{b} {c}\n"})
    assert settings.replica_urls == (a, "postgresql://b,b2/reviews", c)
    assert "geheim" not in repr(settings)
    assert refusal(REVIEWS_REPLICA_URLS=f"{a} b:geheim@c/reviews") == (
        "REVIEWS_REPLICA_URLS",
        "REVIEWS_REPLICA_URLS='***' cannot be used: expected an address like postgresql://user:password@host:5432/database.",
    )


def test_in_production_what_shows_the_schema_is_off_unless_it_is_asked_for() -> None:
    plain = Settings.from_environment({"REVIEWS_PRODUCTION": "1"})
    with_page = Settings.from_environment({"REVIEWS_PRODUCTION": "1", "REVIEWS_GRAPHIQL": "true"})
    assert (plain.graphiql, plain.introspection) == (False, False)
    assert (with_page.graphiql, with_page.introspection) == (True, False)
    assert Settings.from_environment({}).graphiql
