"""A folder of CSV files becomes rows of the database: all of them in one transaction, or none."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from datetime import UTC, datetime
from pathlib import Path

from etl.catalogue import BULK_ROWS, Catalogue, connected
from etl.folder import Folder, find_folder
from etl.links import Links
from etl.progress import Silent, Watcher
from etl.reject_limit import RejectLimit
from etl.rejects import reject_file
from etl.report import FileReport, Report
from etl.shapes import shapes
from etl.transform import rows_of
from graphql_api.settings import Settings

NO_LIMIT = RejectLimit()


def load_folder(
    url: str,
    folder: Path,
    settings: Settings,
    *,
    rejects: Path | None = None,
    watcher: Watcher | None = None,
    limit: RejectLimit = NO_LIMIT,
    bulk_rows: int = BULK_ROWS,
) -> Report:
    """Load the five CSV files of ``folder`` into the database at ``url``, which is at our revision.

    Readers see nothing of it, or all. A folder that the last load has loaded is not loaded again: its report comes
    back with ``loaded_before``. A review that is there already keeps what shoppers did through the gateway: it stays
    reported once it is, and has the higher of the two counts of helpful votes. Rows that the folder no longer has stay.

    Rejected rows go to ``rejects``, or to ``rejects/<folder>.csv`` in the state folder; beyond ``limit`` the load gives
    up. Raises ``OperatorError`` for what the person at the terminal can put right, ``AccountingError`` where rows are
    lost; nothing has changed then.
    """
    return asyncio.run(load(url, folder, settings, rejects=rejects, watcher=watcher, limit=limit, bulk_rows=bulk_rows))


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
    bulk_rows: int = BULK_ROWS,
) -> Report:
    """``load_folder`` for callers that have an event loop; the loop is busy while files are read."""
    watcher = watcher or Silent()
    started = time.monotonic()
    files = find_folder(folder)
    reject_path = rejects or settings.state / "rejects" / f"{files.name}.csv"
    async with connected(url, settings) as connection:
        catalogue = Catalogue(connection, bulk_rows=bulk_rows)
        await catalogue.begin()
        watcher.step("Looking at the files")
        fingerprint = files.fingerprint()
        last = await catalogue.last_load()
        if last is not None and last[0] == fingerprint:
            await catalogue.advance_to(settings.first_number)
            await connection.commit()
            return dataclasses.replace(Report.from_json(last[1]), loaded_before=True)
        await catalogue.prepare()
        report = Report(files.name, fingerprint.hex(), rejects=str(reject_path))
        await _read(files, settings, catalogue, report, reject_path, watcher, limit)
        watcher.step("Writing the tables")
        await catalogue.merge(report, placeholders="products" not in files.files)
        report.seconds = round(time.monotonic() - started, 3)
        await catalogue.finish(report, settings.first_number)
        return report


async def _read(
    files: Folder,
    settings: Settings,
    catalogue: Catalogue,
    report: Report,
    reject_path: Path,
    watcher: Watcher,
    limit: RejectLimit,
) -> None:
    known_shapes = shapes(settings.first_number, datetime.now(UTC))
    links = Links(products_known="products" in files.files)
    with reject_file(reject_path) as write:
        reject = limit.watching(write, reject_path)
        for table, path in files.files.items():
            file = FileReport(path.name, table)
            report.files.append(file)
            watcher.step(f"Reading {path.name}", path.stat().st_size)
            await catalogue.stage(table, rows_of(path, known_shapes[table], links, file, reject, watcher.advanced))
            limit.check(file, reject_path)
