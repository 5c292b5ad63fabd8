"""A folder of CSV files becomes rows of the database: readers see all of them at once, or none."""

from __future__ import annotations

import asyncio
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from etl import incoming, underway
from etl.catalogue import BULK_ROWS, Catalogue
from etl.copying import CHUNK_BYTES
from etl.first_load import FirstLoad
from etl.folder import find_folder
from etl.progress import Silent, Watcher
from etl.reject_limit import RejectLimit
from etl.report import AccountingError, Report
from etl.sessions import connected, driver, take_turn, worker
from etl.statements import STAGED
from etl.underway import LAYOUT, Underway
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings

NO_LIMIT = RejectLimit()
_LEFT = """
    SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE NOT indisvalid AND position(' ' || quote_ident(relname) || ' ON ' IN $1) > 0
"""


def load_folder(url: str, folder: Path, settings: Settings, **options: Any) -> Report:
    """Load the five CSV files of ``folder`` into the database at ``url``; the options are those of ``load``."""

    async def in_one_thread() -> Report:
        # What makes chunks is one thread at a time; each further thread would have a heap of its own, with holes.
        with ThreadPoolExecutor(max_workers=1) as maker:
            asyncio.get_running_loop().set_default_executor(maker)
            return await load(url, folder, settings, **options)

    return asyncio.run(in_one_thread())


def advance_numbers(url: str, settings: Settings) -> None:
    """Let the gateway's numbers start at ``settings.first_number`` or above, where a load or nothing came before."""

    async def advance() -> None:
        async with connected(url, settings) as connection:
            await Catalogue(connection).advance_to(settings.first_number)
            await connection.commit()

    asyncio.run(advance())


async def load(
    url: str,
    folder: Path,
    settings: Settings,
    *,
    rejects: Path | None = None,
    watcher: Watcher | None = None,
    limit: RejectLimit = NO_LIMIT,
    prune: bool = False,
    bulk_rows: int = BULK_ROWS,
    chunk_bytes: int = CHUNK_BYTES,
) -> Report:
    """Load the five CSV files of ``folder`` into the database at ``url``, which is at our revision.

    Readers see nothing of it, or all. Killed at any moment, the same call carries on; a first load goes on behind the
    last chunk of ``chunk_bytes`` that was committed. A folder that the last load has loaded is not loaded again: its
    report comes back with ``loaded_before``. Of another folder only the rows are written that differ from those of the
    last load; what shoppers did through the gateway is kept: a review is hidden if the file or a shopper says so, and
    its helpful votes are the file's and theirs together. Rows that the folder no longer has stay, unless ``prune``.

    Rejected rows go to ``rejects``, or to ``rejects/<folder>.csv`` in the state folder; beyond ``limit`` the load gives
    up. Raises ``OperatorError`` for what the person at the terminal can put right, ``AccountingError`` where rows are
    lost; readers see what they saw before then.
    """
    watcher = watcher or Silent()
    files = find_folder(folder)
    reject_path = rejects or settings.state / "rejects" / f"{files.name}.csv"
    async with connected(url, settings) as connection:
        control = await driver(connection)
        await take_turn(control, watcher.say)
        report = Report(files.name, "", rejects=str(reject_path))
        watcher.step("Looking at the files")
        with report.step("Looking at the files"):
            fingerprint = await asyncio.to_thread(files.fingerprint)
        report.fingerprint = fingerprint.hex()
        asked = Underway(fingerprint, files.name, LAYOUT, chunk_bytes, settings.first_number, datetime.now(UTC))
        begun = await _settle(control, asked, watcher, report)
        catalogue = Catalogue(connection, watcher, bulk_rows=bulk_rows)
        last = await catalogue.last_load()
        before = None if last is None or last[0] != fingerprint else Report.from_json(last[1])
        if before is not None and not (prune and before.leaves_missing):
            await catalogue.advance_to(settings.first_number)
            await connection.commit()
            return dataclasses.replace(before, loaded_before=True, carried_on=report.carried_on)
        if begun is not None or await catalogue.is_empty():
            await connection.rollback()
            if begun is None:
                await underway.begin(control, asked)
            async with worker(url, settings) as one, worker(url, settings) as two:
                await FirstLoad(control, (one, two), begun or asked, watcher).run(files, report, reject_path, limit)
            await _build_later(control, watcher, report)
        else:
            await connection.rollback()
            await underway.begin(control, dataclasses.replace(asked, layout=underway.NOTHING_STORED))
            try:
                await catalogue.bring(files, settings.first_number, report, reject_path, limit, prune=prune)
            except (OperatorError, AccountingError):
                await connection.rollback()
                await underway.discard(control)
                raise
        return report


async def _settle(control: asyncpg.Connection, asked: Underway, watcher: Watcher, report: Report) -> Underway | None:
    """See to a load that was interrupted: finish it, or give it back to be carried on, or forget it."""
    found = await underway.found(control)
    if found is None:
        return None
    if found.switched:
        report.carried_on = f"the load of {found.source} was complete but for indexes that speed up searches"
        watcher.say(f"Carrying on: {report.carried_on}.")
        await _build_later(control, watcher, report)
        return None
    if found.layout == underway.NOTHING_STORED:
        report.carried_on = f"the load of {found.source} that was interrupted had changed nothing"
        await underway.discard(control)
        watcher.say(f"Beginning again: {report.carried_on}.")
        return None
    if found.is_of(asked) and await incoming.fits(control):
        rows = await underway.committed(control)
        there = [f"{sum(rows[table].values()):,} {table}" for table in STAGED if table in rows]
        report.carried_on = f"{', '.join(there) or 'nothing'} had been stored"
        watcher.say(f"Carrying on with a load that was interrupted: {report.carried_on}.")
        return found
    await underway.discard(control)
    watcher.say(f"An interrupted load of {found.source}, of other files or for other tables than these, is forgotten.")
    return None


async def _build_later(control: asyncpg.Connection, watcher: Watcher, report: Report) -> None:
    """Build the indexes that answers do not wait for, without stopping readers or writers."""
    load = await underway.found(control)
    assert load is not None
    watcher.say("Readers see the new catalogue; what is left makes searches fast.")
    watcher.step("Full-text indexes", len(load.pending))
    with report.step("Full-text indexes"):
        # Nothing else is left to do, so one index may have both processors.
        await control.execute("SET max_parallel_maintenance_workers = 1")
        for place, statement in enumerate(load.pending):
            # What a killed session has left of it is in the way, and of no use.
            for (drop,) in await control.fetch(_LEFT, statement):
                await control.execute(drop)
            await control.execute(statement)
            await control.execute("UPDATE load_progress SET pending = $1", list(load.pending[place + 1 :]))
            watcher.advanced(place + 1)
    await control.execute("DELETE FROM load_progress")
