"""A load into a catalogue that is not empty: one transaction that stages what changed, writes it and commits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from etl import sequences, statements
from etl.copying import CHUNK_BYTES, chunks, copy
from etl.folder import Folder
from etl.links import Links
from etl.marks import NONE, UNKNOWN, Marks, changed_page, hashes_of, pages_of
from etl.numbers import Integers
from etl.progress import Silent, Watcher
from etl.reject_limit import RejectLimit
from etl.rejects import reject_file
from etl.report import FileReport, Report
from etl.sessions import driver
from etl.shapes import shapes
from etl.statements import EVERYTHING_CHANGED, MISSING, REAL, STAGED, Analyze, SetTriggers
from etl.transform import PHOTO_COUNT_BYTES, Reader, Rows
from etl.wire import Encoded, picked
from graphql_api.db.models import Load, LoadMarks, LoadProgress
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings

BULK_ROWS = 200_000
"""From so many changes on the triggers rest and the figures are built again from all rows. Below, they work, at some
20 µs a row, and shoppers can write to every product that the load does not touch."""

_FIRST_NUMBER = Settings().first_number  # of loads that did not note theirs
_PARTITION = 65_536
_PAGES_AT_ONCE = 16


class Catalogue:
    """A catalogue with rows in it."""

    def __init__(
        self, connection: AsyncConnection, watcher: Watcher | None = None, *, bulk_rows: int = BULK_ROWS
    ) -> None:
        self._connection = connection
        self._watcher = watcher or Silent()
        self._bulk_rows = bulk_rows

    async def is_empty(self) -> bool:
        """Whether there is no product."""
        return bool(await self._scalar(statements.is_empty()))

    async def last_load(self) -> tuple[bytes, str] | None:
        """Fingerprint and report of the newest load, unless the catalogue has been emptied since."""
        if await self.is_empty():
            return None
        query = select(Load.fingerprint, Load.report).order_by(Load.load_id.desc()).limit(1)
        row = (await self._connection.execute(query)).first()
        return None if row is None else (row.fingerprint, row.report)

    async def advance_to(self, first_number: int) -> None:
        """Let the sequences that would give a number below ``first_number`` go on there, or above what there is.

        The rows are looked at only then: no index finds the highest rating, and the load before has looked.
        """
        for sequence in sequences.NUMBERED:
            if await self._scalar(sequences.next_number(sequence)) < first_number:
                await self._connection.execute(sequences.advance(sequence, first_number))

    async def _lowest_first_number(self, first_number: int) -> int:
        """The lowest line that the gateway's numbers ever began at, ``first_number`` or that of an earlier load.

        Above it a row may be a shopper's, whatever the line is now.
        """
        reports = await self._connection.scalars(select(Load.report))
        return min(first_number, *(Report.from_json(text).first_number or _FIRST_NUMBER for text in reports))

    async def bring(
        self, files: Folder, first_number: int, report: Report, rejects: Path, limit: RejectLimit, *, prune: bool
    ) -> None:
        """Write what differs between ``files`` and the files of the last load; ``report`` gets the counts.

        The gateway's numbers go on at ``first_number`` or above; those in the files must be below the lowest line that
        they ever began at.

        Raises ``AccountingError`` where rows are lost, ``OperatorError`` where the folder is of another catalogue or
        has too many rejects; nothing has changed then.
        """
        for table in (*STAGED.values(), MISSING):
            await self._connection.execute(CreateTable(table))
        report.first_number = line = await self._lowest_first_number(first_number)
        await self._read(files, line, report, rejects, limit, prune=prune)
        self._watcher.step("Writing what changed")
        with report.step("Writing what changed"):
            await self._merge(report, line, placeholders="products" not in files.files, prune=prune)
        report.finish()
        for sequence in sequences.NUMBERED:
            await self._connection.execute(sequences.advance(sequence, first_number))
        await self._connection.execute(
            insert(Load).values(
                fingerprint=bytes.fromhex(report.fingerprint), source=report.source, report=report.to_json()
            )
        )
        await self._connection.execute(delete(LoadProgress))
        await self._connection.commit()
        self._watcher.step("Statistics")
        with report.step("Statistics"):
            await self._connection.execute(Analyze(statements.ANALYZED))
            await self._connection.commit()

    async def _read(
        self, files: Folder, first_number: int, report: Report, rejects: Path, limit: RejectLimit, *, prune: bool
    ) -> None:
        known = shapes(first_number, datetime.now(UTC))
        expected = await asyncio.to_thread(files.expected)
        links = Links(products_known="products" in files.files, expected=expected)
        with reject_file(rejects) as write:
            reject = limit.watching(write, rejects)
            for table, path in files.files.items():
                file = FileReport(path.name, table)
                report.files.append(file)
                photos_of = no_photos if table == "reviews" else None
                reader = Reader(known[table], links.of(table), file, reject, photos_of=photos_of)
                self._watcher.step(f"Reading {path.name}", files.size(table), file)
                with report.step(f"Reading {path.name}"), Marks() as marks:
                    await self._recall(marks, table, first_number)
                    rows = changed(reader.rows(path, self._watcher.advanced), marks, file)
                    await self._stage(table, rows)
                    await self._note(table, marks, file, prune=prune)
                limit.check(file, rejects)

    async def _recall(self, marks: Marks, table: str, first_number: int) -> None:
        """Give ``marks`` what the last load knew of ``table``; where rows came or went since, which rows there are."""
        query = select(LoadMarks.page, LoadMarks.marks).where(LoadMarks.table_name == table)
        async with self._connection.stream(query.execution_options(yield_per=_PAGES_AT_ONCE)) as pages:
            async for page, packed in pages:
                marks.add_page(page, packed)
        if (marks.known, marks.sum) != await self._from_files(table, first_number):
            marks.forget()
            async with self._connection.stream(statements.numbers_from_files(table, first_number)) as rows:
                async for some in rows.scalars().partitions(_PARTITION):
                    marks.know(np.array(some, np.int64))
            await self._connection.execute(delete(LoadMarks).where(LoadMarks.table_name == table))

    async def _stage(self, table: str, rows: Iterable[Encoded]) -> None:
        """Copy ``rows`` into the staging table of ``table``, a chunk at a time."""
        connection = await driver(self._connection)
        made = chunks(STAGED[table].name, table, rows, CHUNK_BYTES)
        while (chunk := await asyncio.to_thread(next, made, None)) is not None:
            await copy(connection, chunk, statements.copied_columns(table), None)

    async def _note(self, table: str, marks: Marks, file: FileReport, *, prune: bool) -> None:
        """Store the marks of this load, and the numbers that it has no row for."""
        missing = marks.missing()
        if not prune:
            marks.keep(missing)
        file.missing = len(missing)
        await (await driver(self._connection)).copy_records_to_table(
            MISSING.name, records=((table, number) for number in missing.tolist()), columns=["table_name", "number"]
        )
        for page, packed in marks.packed():
            await self._store_page(table, page, packed)

    async def _merge(self, report: Report, first_number: int, *, placeholders: bool, prune: bool) -> None:
        """Write what is staged into the real tables; ``report`` gets the counts, and they are checked."""
        if placeholders:
            await self._connection.execute(statements.stage_placeholders())
            report.placeholders = await self._scalar(statements.count(STAGED["products"]))
        await self._connection.execute(Analyze([*STAGED.values(), MISSING]))
        files = {file.table: file for file in report.files}
        await self._check_nothing_moved()
        # Before anything is compared: a vote or a report between looking and writing would be counted as neither.
        await self._connection.execute(statements.lock_touched())
        await self._connection.execute(statements.note_hidden_by_files())
        changes = await self._changes(files, placeholders=placeholders)
        if prune:
            changes += sum(file.missing for file in report.files)
        if changes >= self._bulk_rows:
            await self._write_in_bulk(files, placeholders=placeholders, prune=prune)
        else:
            await self._write(files, placeholders=placeholders, prune=prune)
        for table, file in files.items():
            in_database, _ = await self._from_files(table, first_number)
            file.check(in_database)

    async def _changes(self, files: Mapping[str, FileReport], *, placeholders: bool) -> int:
        """How many rows there are to write, once those that are there already are out of staging."""
        for table in REAL:
            made_up = placeholders and table == "products"
            done = await self._connection.execute(statements.unstage_unchanged(table, placeholders=made_up))
            if table in files:
                files[table].unchanged += done.rowcount
        return sum([await self._scalar(statements.count(staged)) for staged in STAGED.values()])

    async def _write(self, files: Mapping[str, FileReport], *, placeholders: bool, prune: bool) -> None:
        for table in REAL:
            made_up = placeholders and table == "products"
            done = await self._connection.execute(statements.write(table, placeholders=made_up))
            for inserted, updated in done:
                if table in files:
                    files[table].inserted, files[table].updated = inserted, updated
        if "ratings" in files:
            gone = np.array((await self._connection.scalars(statements.renumbered("ratings"))).all(), np.int64)
            files["ratings"].missing -= len(gone)
            await self._mark("ratings", gone, NONE)
        for table in reversed(REAL) if prune else ():
            if table in files:
                await self._connection.execute(statements.lock_missing(table))
                files[table].pruned = (await self._connection.execute(statements.prune(table))).rowcount
                await self._mark_what_stayed(table)

    async def _mark_what_stayed(self, table: str) -> None:
        """Note the missing rows that are there for the shoppers' sake, or the next load would take them for lost."""
        query = select(MISSING.c.number).where(
            MISSING.c.table_name == table, MISSING.c.number.in_(select(statements.number_of(table)))
        )
        await self._mark(table, np.array((await self._connection.scalars(query)).all(), np.int64), UNKNOWN)

    async def _mark(self, table: str, numbers: Integers, mark: np.uint64) -> None:
        """Change the stored marks of these rows."""
        for page, places in pages_of(numbers):
            page_of = (LoadMarks.table_name == table, LoadMarks.page == page)
            packed = await self._scalar(select(LoadMarks.marks).where(*page_of)) or b""
            await self._store_page(table, page, changed_page(packed, places, mark))

    async def _store_page(self, table: str, page: int, packed: bytes) -> None:
        if not packed:
            page_of = (LoadMarks.table_name == table, LoadMarks.page == page)
            await self._connection.execute(delete(LoadMarks).where(*page_of))
            return
        writing = upsert(LoadMarks).values(table_name=table, page=page, marks=packed)
        new = {"marks": writing.excluded.marks}
        await self._connection.execute(writing.on_conflict_do_update(index_elements=["table_name", "page"], set_=new))

    async def _write_in_bulk(self, files: Mapping[str, FileReport], *, placeholders: bool, prune: bool) -> None:
        """Write with the triggers at rest, and build the figures from the rows."""
        for table in REAL.values():
            await self._connection.execute(SetTriggers(table, enabled=False))
        await self._write(files, placeholders=placeholders, prune=prune)
        await self._connection.execute(select(func.rebuild_figures()))
        await self._connection.execute(EVERYTHING_CHANGED)
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

    async def _from_files(self, table: str, first_number: int) -> tuple[int, int]:
        """How many rows of ``table`` came from files, and their numbers added up."""
        count, total = (await self._connection.execute(statements.from_files(table, first_number))).one()
        return count, total

    async def _scalar(self, query: Any) -> Any:
        return await self._connection.scalar(query)


def changed(rows: Iterable[Rows], marks: Marks, file: FileReport) -> Iterator[Encoded]:
    """Those of ``rows`` that the last load read otherwise or not at all; the others are counted as unchanged."""
    tail = PHOTO_COUNT_BYTES if file.table == "reviews" else 0
    for numbers, encoded in rows:
        hashes = hashes_of(encoded, tail)
        places = np.flatnonzero(marks.exchange(numbers, hashes) != hashes)
        file.unchanged += len(numbers) - len(places)
        if len(places):
            yield picked(encoded, places)


def no_photos(reviews: Integers) -> Integers:
    """The place of the number of photos, which is counted when the photos are written."""
    return np.zeros(len(reviews), np.int64)
