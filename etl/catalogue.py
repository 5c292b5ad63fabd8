"""The database's side of a load: one transaction that stages, compares, writes, recounts and commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

import asyncpg
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from etl import sequences, statements
from etl.bare import put_back, take_off
from etl.rejects import without_addresses
from etl.report import FileReport, Report
from etl.statements import REAL, STAGED, Analyze, SetTriggers
from graphql_api.db.engine import check_revision, check_server, create_engine, root_of
from graphql_api.db.models import Load
from graphql_api.errors import DatabaseUnavailableError, OperatorError
from graphql_api.settings import Settings

CHUNK_ROWS = 20_000
BULK_ROWS = 200_000
"""From so many changes on the triggers rest and the figures are built again from all rows. Below, they work, at some
20 µs a row, and shoppers can write to every product that the load does not touch."""

_ONE_LOAD_AT_A_TIME = 7_265_766_965_777_302


def load_engine(url: str, settings: Settings) -> AsyncEngine:
    """An engine for statements that may take their time. No pool: one run, one connection."""
    return create_engine(
        url,
        poolclass=NullPool,
        connect={
            "timeout": settings.connect_timeout_s,
            "server_settings": {
                "application_name": "reviews-gateway etl",
                "statement_timeout": "0",
                "idle_in_transaction_session_timeout": "0",
                "timezone": "UTC",
                "jit": "off",
                "work_mem": "128MB",
                "temp_buffers": "64MB",
                "maintenance_work_mem": "256MB",
            },
        },
    )


@asynccontextmanager
async def connected(url: str, settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A connection to a database at our revision.

    Raises ``DatabaseUnavailableError`` where there is none, ``OperatorError`` where PostgreSQL ends the work.
    """
    await check_server(url, settings)
    engine = load_engine(url, settings)
    try:
        async with engine.connect() as connection:
            await check_revision(await driver(connection))
            yield connection
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise DatabaseUnavailableError(f"PostgreSQL ended the work, nothing was changed: {_cause(error)}") from error
    finally:
        await engine.dispose()


def _cause(error: BaseException) -> str:
    """The first line of what PostgreSQL said: its details may hold a row, and a row an address."""
    error = root_of(error)
    return without_addresses((str(error).splitlines() or [type(error).__name__])[0])


async def driver(connection: AsyncConnection) -> Any:
    """The asyncpg connection under ``connection``."""
    return (await connection.get_raw_connection()).driver_connection


class Catalogue:
    """The transaction of one load. The methods are called in the order they stand in."""

    def __init__(self, connection: AsyncConnection, *, bulk_rows: int = BULK_ROWS) -> None:
        self._connection = connection
        self._bulk_rows = bulk_rows

    async def begin(self) -> None:
        """Start the transaction; another load that is under way is waited for."""
        await self._connection.execute(select(func.pg_advisory_xact_lock(_ONE_LOAD_AT_A_TIME)))

    async def last_load(self) -> tuple[bytes, str] | None:
        """Fingerprint and report of the newest load, unless the catalogue has been emptied since."""
        if await self._scalar(statements.is_empty()):
            return None
        query = select(Load.fingerprint, Load.report).order_by(Load.load_id.desc()).limit(1)
        row = (await self._connection.execute(query)).first()
        return None if row is None else (row.fingerprint, row.report)

    async def prepare(self) -> None:
        """Make the staging tables."""
        for table in STAGED.values():
            await self._connection.execute(CreateTable(table))

    async def stage(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Copy ``rows`` into the staging table of ``table``, a chunk at a time."""
        copy = (await driver(self._connection)).copy_records_to_table
        name, columns, waiting = STAGED[table].name, statements.columns_of(table), iter(rows)
        while chunk := list(islice(waiting, CHUNK_ROWS)):
            await copy(name, records=chunk, columns=columns)

    async def merge(self, report: Report, *, placeholders: bool) -> None:
        """Write what is staged into the real tables; ``report`` gets the counts, and they are checked.

        Raises ``AccountingError`` where rows are lost, ``OperatorError`` where the folder is of another catalogue.
        """
        if placeholders:
            await self._connection.execute(statements.stage_placeholders())
            report.placeholders = await self._scalar(statements.count(STAGED["products"]))
        await self._connection.execute(Analyze(list(STAGED.values())))
        files = {file.table: file for file in report.files}
        first = await self._scalar(statements.is_empty())
        changes = report.rows if first else await self._changes(files, placeholders=placeholders)
        if first or changes >= self._bulk_rows:
            await self._write_in_bulk(files, placeholders=placeholders, bare=first)
        else:
            await self._connection.execute(statements.lock_touched())
            await self._write(files, placeholders=placeholders)
        for table, file in files.items():
            file.check(file.unchanged + await self._scalar(statements.recount(table)))

    async def advance(self, first_number: int) -> None:
        """Let the sequences go on at ``first_number`` or above, and above every number there is; never back."""
        for sequence in sequences.NUMBERED:
            await self._connection.execute(sequences.advance(sequence, first_number))

    async def advance_to(self, first_number: int) -> None:
        """Let the sequences that would give a number below ``first_number`` go on there, or above what there is.

        The rows are looked at only then: no index finds the highest rating, and the load before has looked.
        """
        for sequence in sequences.NUMBERED:
            if await self._scalar(sequences.next_number(sequence)) < first_number:
                await self._connection.execute(sequences.advance(sequence, first_number))

    async def finish(self, report: Report, first_number: int) -> None:
        """Advance the sequences, record the load, commit, and let PostgreSQL look at the tables."""
        await self.advance(first_number)
        await self._connection.execute(
            insert(Load).values(
                fingerprint=bytes.fromhex(report.fingerprint), source=report.source, report=report.to_json()
            )
        )
        await self._connection.commit()
        await self._connection.execute(Analyze(statements.ANALYZED))
        await self._connection.commit()

    async def _changes(self, files: Mapping[str, FileReport], *, placeholders: bool) -> int:
        """How many rows there are to write, once those that are there already are out of staging."""
        await self._check_nothing_moved()
        for table in REAL:
            made_up = placeholders and table == "products"
            done = await self._connection.execute(statements.unstage_unchanged(table, placeholders=made_up))
            if table in files:
                files[table].unchanged = done.rowcount
        return sum([await self._scalar(statements.count(staged)) for staged in STAGED.values()])

    async def _write(self, files: Mapping[str, FileReport], *, placeholders: bool) -> None:
        for table in REAL:
            made_up = placeholders and table == "products"
            done = await self._connection.execute(statements.write(table, placeholders=made_up))
            for inserted, updated in done:
                if table in files:
                    files[table].inserted, files[table].updated = inserted, updated

    async def _write_in_bulk(self, files: Mapping[str, FileReport], *, placeholders: bool, bare: bool) -> None:
        """Write with the triggers at rest, and build the figures from the rows; ``bare``: see the module."""
        for table in REAL.values():
            await self._connection.execute(SetTriggers(table, enabled=False))
        for statement in take_off() if bare else ():
            await self._connection.execute(statement)
        await self._write(files, placeholders=placeholders)
        await self._connection.execute(select(func.rebuild_figures()))
        for statement in put_back() if bare else ():
            await self._connection.execute(statement)
        for table in REAL.values():
            await self._connection.execute(SetTriggers(table, enabled=True))

    async def _check_nothing_moved(self) -> None:
        for table in REAL:
            query = statements.moved(table)
            number = None if query is None else await self._scalar(query)
            if number is not None:
                raise OperatorError(
                    f"The database has number {number} of {table} under another parent than this folder: "
                    "it is of another catalogue, so nothing was changed."
                )

    async def _scalar(self, query: Any) -> Any:
        return await self._connection.scalar(query)
