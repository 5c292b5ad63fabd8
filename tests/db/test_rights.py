"""The gateway's role: all that the gateway does works under it, and nothing else."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
from click.testing import CliRunner, Result

from etl.load import load_folder
from graphql_api.changes.reader import Reader
from graphql_api.cli import main
from graphql_api.db import standbys
from graphql_api.db.granting import grant, scram
from graphql_api.db.models import Base
from graphql_api.db.rights import RIGHTS
from graphql_api.documents.hashes import hash_of
from graphql_api.settings import Secret, Settings
from tests.conftest import SAMPLE
from tests.db.test_distribution import use
from tests.harness.databases import Databases, rows, run, value
from tests.harness.gateway import running_gateway
from tests.harness.processes import Running, serving, wait_for
from tests.harness.shop import Shop

_roles = itertools.count(1)
PASSWORD = "a test's own: @/#%"


@dataclass(frozen=True)
class Limited:
    """A database over the sample catalogue: ``owner`` is the address of who made it, ``url`` that of the role."""

    owner: str
    url: str
    role: str


def address(url: str, role: str, password: str) -> Secret:
    """``url`` for ``role``."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return Secret(urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{host}")))


@pytest.fixture(scope="module")
def limited(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Limited]:
    owner = databases.migrated()
    role = f"reviews_test_role_{os.getpid()}_{next(_roles)}"
    assert grant(owner, Settings(), role, PASSWORD) is True
    # A first load puts other tables into the places of those that the rights were given on.
    load_folder(owner, SAMPLE, Settings(state=tmp_path_factory.mktemp("load")))
    yield Limited(owner, address(owner, role, PASSWORD), role)
    run(owner, f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("execution", ["compiled", "reference"])
def test_every_document_and_mutation_runs_under_it(limited: Limited, tmp_path: Path, execution: str) -> None:
    settings = Settings(
        database_url=Secret(limited.url),
        state=tmp_path,
        execution=execution,
        voter_secret=Secret("a test's"),
        max_documents=10_000,
    )
    with running_gateway(settings) as gateway:
        use(gateway, Shop(limited.owner))
        assert gateway.http.get("/readyz").status_code == 200
        text = f"{{ product(id: 1) {{ name }} }} # {execution}"
        sent = {"query": text, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}}
        assert gateway.http.post("/graphql", json=sent).json()["data"]["product"] is not None
    assert value(limited.owner, "SELECT count(*) FROM documents WHERE body = $1", text) == 1
    assert value(limited.owner, "SELECT current_user <> $1", limited.role) is True
    assert value(limited.url, "SELECT current_user = $1", limited.role) is True


def test_changes_are_told_and_forgotten_under_it(limited: Limited, tmp_path: Path) -> None:
    shop = Shop(limited.owner)
    settings = Settings(database_url=Secret(limited.url), state=tmp_path)
    with running_gateway(settings) as gateway, gateway.http.stream("GET", "/internal/changes") as stream:
        lines = stream.iter_lines()
        next(lines)
        product = shop.product()
        assert next(line for line in lines if f"product:{product.number}" in line)

    async def forget() -> None:
        connection = await asyncpg.connect(limited.url)
        try:
            await (await Reader.open(connection)).forget_old()
        finally:
            await connection.close()

    asyncio.run(forget())


def test_what_is_asked_of_standbys_may_be_asked_under_it(limited: Limited) -> None:
    assert len(rows(limited.url, standbys._IDENTITY)) == len(rows(limited.url, standbys._PLACE)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE reviews ADD COLUMN more text",
        "ALTER TABLE reviews DISABLE TRIGGER ALL",
        "DROP TABLE helpful_votes",
        "DROP TRIGGER record_change_insert ON reviews",
        "TRUNCATE reviews CASCADE",
        "CREATE TABLE mine (n integer)",
        "CREATE TEMPORARY TABLE mine (n integer)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql RETURN 1",
        "CREATE ROLE mine",
        "SELECT reviewer_email FROM reviews",
        "SELECT * FROM reviews",
        "SELECT r FROM reviews AS r",
        "UPDATE reviews SET body = 'mine'",
        "UPDATE reviews SET rating = 5",
        "DELETE FROM reviews",
        "DELETE FROM reports",
        "UPDATE reports SET undone_by = 1",
        "SELECT reason FROM reports",
        "SELECT client FROM helpful_votes",
        "DELETE FROM helpful_votes",
        "INSERT INTO moderations VALUES (1, 1, 1, 'RESTORE', 0, false, 'me')",
        "UPDATE products SET name = 'mine'",
        "DELETE FROM products",
        "INSERT INTO products (product_id, name) VALUES (1, 'mine')",
        "INSERT INTO category_figures VALUES ('mine', 1)",
        "DELETE FROM product_figures",
        "SELECT setval('review_numbers', 1)",
        "SELECT * FROM loads",
        "UPDATE alembic_version SET version_num = '0001'",
        "SELECT rebuild_figures()",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY products TO PROGRAM 'true'",
        "SET ROLE postgres",
    ],
)
def test_it_may_not(limited: Limited, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        run(limited.url, statement)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE products SET product_id = 77777777", "UPDATE characteristics SET characteristic_id = 77777777"],
)
def test_the_column_by_which_it_locks_cannot_be_changed(limited: Limited, statement: str) -> None:
    with pytest.raises((asyncpg.ForeignKeyViolationError, asyncpg.UniqueViolationError)):
        run(limited.url, statement)


def test_its_rights_name_tables_and_columns_that_there_are() -> None:
    tables = Base.metadata.tables
    for table, privileges in RIGHTS.items():
        if table != "alembic_version":
            named = {column for columns in privileges.values() for column in columns}
            assert named <= set(tables[table].columns.keys())


def test_a_gateway_that_is_the_owner_says_what_it_may_do_and_runs(limited: Limited) -> None:
    with serving(DATABASE_URL=limited.owner) as (running, url):
        assert httpx.get(f"{url}/readyz").status_code == 200
        (warning,) = [line for line in running.said if "WARNING" in line]
    assert "owns the tables and may make tables" in warning or "is a superuser" in warning
    assert "may read e-mail addresses: run reviews db grant with another name" in warning


def test_a_gateway_under_the_role_says_nothing(limited: Limited) -> None:
    with serving(DATABASE_URL=limited.url) as (running, _):
        assert [line for line in running.said if "WARNING" in line or "role" in line] == []


def test_without_its_rights_a_gateway_waits_and_says_which_are_missing(limited: Limited) -> None:
    run(
        limited.owner,
        f"REVOKE INSERT ON reviews FROM {limited.role}; REVOKE USAGE ON SEQUENCE vote_numbers FROM {limited.role}",
    )
    running = Running("serve", "--port", "0", DATABASE_URL=limited.url, REVIEWS_DRAIN_SECONDS="0")
    try:
        wait_for(lambda: any("lacks" in line for line in running.said))
        (said,) = [line for line in running.said if "lacks" in line]
        assert f"The role {limited.role} lacks INSERT on reviews(product_id), INSERT on reviews(review_id)" in said
        assert f"run reviews db grant {limited.role} as the tables' owner." in said
        assert grant(limited.owner, Settings(), limited.role) is False
        running.wait_until_serving()
    finally:
        running.end(signal.SIGINT)


def test_a_grant_takes_away_what_was_given_by_hand(limited: Limited) -> None:
    run(
        limited.owner,
        f"GRANT DELETE ON reviews TO {limited.role}; GRANT SELECT (reviewer_email) ON reviews TO {limited.role}",
    )
    run(limited.url, "DELETE FROM reviews WHERE false")
    grant(limited.owner, Settings(), limited.role)
    for statement in ("DELETE FROM reviews WHERE false", "SELECT reviewer_email FROM reviews"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            run(limited.url, statement)


def command(url: str, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["db", "grant", *arguments], env={"DATABASE_URL": url, **environment})


def test_the_command_makes_a_role_with_a_password_and_says_so(limited: Limited) -> None:
    role = f'Reviews "test" {os.getpid()}'
    try:
        made = command(limited.owner, role, "--password-env", "GATEWAY_PASSWORD", GATEWAY_PASSWORD="first")
        again = command(limited.owner, role)
        assert (made.exit_code, made.stderr) == (0, f"Made {role}; it has what the gateway needs.\n")
        assert again.stderr == f"Found {role}; it has what the gateway needs.\n"
        stored = value(limited.owner, "SELECT rolpassword FROM pg_authid WHERE rolname = $1", role)
        assert re.fullmatch(r"SCRAM-SHA-256\$4096:\S+\$\S+:\S+", stored)
    finally:
        quoted = '"' + role.replace('"', '""') + '"'
        run(limited.owner, f"DROP OWNED BY {quoted}; DROP ROLE {quoted}")


def test_the_command_refuses_owners_and_missing_passwords(limited: Limited) -> None:
    owner = value(limited.owner, "SELECT current_user::text")
    assert command(limited.owner, owner).stderr == (
        f"reviews: {owner} owns the tables or is a superuser: name another role, which is made if need be.\n"
    )
    missing = command(limited.owner, limited.role, "--password-env", "NOWHERE_SET")
    assert (missing.exit_code, missing.stderr) == (
        2,
        f"reviews: NOWHERE_SET is not set: it is to hold the password of {limited.role}.\n",
    )


def test_a_password_is_stored_as_postgresql_itself_would(limited: Limited) -> None:
    role = f"reviews_test_scram_{os.getpid()}"
    run(limited.owner, f"SET password_encryption = 'scram-sha-256'; CREATE ROLE {role} PASSWORD 'pencil and paper'")
    try:
        stored = value(limited.owner, "SELECT rolpassword FROM pg_authid WHERE rolname = $1", role)
        salt = value(limited.owner, "SELECT decode(substring($1 FROM ':([^$]+)\\$'), 'base64')", stored)
        assert scram("pencil and paper", salt) == stored
    finally:
        run(limited.owner, f"DROP ROLE {role}")
