"""``reviews db grant``: the gateway's role, made if need be, with the rights that the gateway needs and no others."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
from collections.abc import Iterator

import asyncpg

from graphql_api.db.engine import check_revision, check_server, shown
from graphql_api.db.rights import NUMBERS, RIGHTS
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings

ROUNDS = 4096
"""As many as PostgreSQL itself takes for a SCRAM-SHA-256 password."""

_CREATE = "CREATE ROLE %1$I LOGIN NOINHERIT"
_PASSWORD = "ALTER ROLE %1$I PASSWORD %2$L"  # noqa: S105 - a template
# What everybody has by default would be the role's too. Who owns the database keeps it.
_NARROW = (
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %1$I",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM %1$I",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC, %1$I",
    "GRANT USAGE ON SCHEMA public TO %1$I",
)
_OF_DATABASE = (
    "REVOKE CREATE, TEMPORARY ON DATABASE %2$I FROM PUBLIC, %1$I",
    "GRANT CONNECT ON DATABASE %2$I TO %1$I",
)


def grant(url: str, settings: Settings, role: str, password: str | None = None) -> bool:
    """Give ``role`` what the gateway needs on the database of ``url``, and take everything else there from it.

    Whether the role had to be made. Raises ``OperatorError`` for a role that may not be narrowed, and where the role of
    ``url`` may not give rights.
    """
    return asyncio.run(_grant(url, settings, role, password))


async def _grant(url: str, settings: Settings, role: str, password: str | None) -> bool:
    await check_server(url, settings)
    connection = await asyncpg.connect(url, timeout=settings.connect_timeout_s)
    try:
        await check_revision(connection)
        async with connection.transaction():
            # Two that grant at once would meet in the same rows of the catalog.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('reviews db grant'))")
            made = await _ensure(connection, role, password)
            database = await connection.fetchval("SELECT current_database()")
            for template in _OF_DATABASE:
                await _execute(connection, template, role, database)
            for template in (*_NARROW, *_templates()):
                await _execute(connection, template, role)
    except asyncpg.PostgresError as error:
        raise OperatorError(f"The rights on {shown(url)} cannot be given to {role}: {error}") from error
    finally:
        await connection.close()
    return made


async def _ensure(connection: asyncpg.Connection, role: str, password: str | None) -> bool:
    found = await connection.fetchrow(
        "SELECT rolsuper, rolname = current_user AS is_us,"
        " oid = (SELECT relowner FROM pg_class WHERE oid = 'reviews'::regclass) AS owns"
        " FROM pg_roles WHERE rolname = $1",
        role,
    )
    if found is None:
        await _execute(connection, _CREATE, role)
    elif found["rolsuper"] or found["is_us"] or found["owns"]:
        raise OperatorError(f"{role} owns the tables or is a superuser: name another role, which is made if need be.")
    if password is not None:
        await _execute(connection, _PASSWORD, role, scram(password))
    return found is None


async def _execute(connection: asyncpg.Connection, template: str, *names: str) -> None:
    """Run ``template`` with names and texts in their places, which PostgreSQL quotes."""
    await connection.execute(await connection.fetchval("SELECT format($1, VARIADIC $2::text[])", template, list(names)))


def _templates() -> Iterator[str]:
    for table, privileges in RIGHTS.items():
        for privilege, columns in privileges.items():
            some = f" ({', '.join(columns)})" if columns else ""
            yield f"GRANT {privilege}{some} ON {table} TO %1$I"
    for sequence in NUMBERS:
        yield f"GRANT USAGE ON SEQUENCE {sequence} TO %1$I"


def scram(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL stores of ``password``, made here: a server that logs statements never sees the password.

    Raises ``OperatorError`` for what is not printable ASCII, which would have to be normalised first. Source: RFC 5803.
    """
    if not password or not password.isascii() or not password.isprintable():
        raise OperatorError("The password must be printable ASCII.")
    salt = os.urandom(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    told = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ROUNDS}:{told[0]}${told[1]}:{told[2]}"
