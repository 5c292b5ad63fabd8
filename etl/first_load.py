"""A first load into an empty catalogue: everything is built in ``incoming``, by COPY, and switched in at the end.

Two sessions work at once, as many as an ordinary machine has processors for. Whatever is done is committed as it is
done, so a load that was killed carries on: it reads the files again, which costs a tenth of storing them, and leaves
out the chunks that are there. Reading them again gives the same rows, rejections and figures, so nothing of the
process's memory need be stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pyarrow as pa

from etl import incoming, sequences, underway
from etl.columns import Mask
from etl.copying import chunks, copy_all, in_turn
from etl.figures import characteristic_figures, product_figures, wrong_photo_counts
from etl.folder import Folder
from etl.links import Links
from etl.marks import Marks, hashes_of
from etl.numbers import Counts, Integers
from etl.progress import Watcher
from etl.reject_limit import RejectLimit
from etl.rejects import Rejection, reject_file
from etl.report import AccountingError, FileReport, Report
from etl.shapes import Shape, shapes
from etl.statements import STAGED, copied_columns
from etl.transform import PHOTO_COUNT_BYTES, Reader, Rows
from etl.underway import Underway
from etl.wire import BIGINT, BYTES, TEXT, Encoded, encode
from graphql_api.errors import OperatorError

_MARKS = ("table_name", "page", "marks")
_COUNTS = {table: f"SELECT count(*) FROM incoming.{table}" for table in STAGED}  # noqa: S608 - names of ours
# Every number in the files lies below the gateway's, so no table need be searched for the highest.
_STARTS = [
    f"SELECT setval('{name}', $1, false) FROM {name}"  # noqa: S608 - names of ours
    " WHERE CASE WHEN is_called THEN last_value + 1 ELSE last_value END < $1"
    for name in sequences.NUMBERED
]
_ROWS = 20_000
_SWITCH_ATTEMPTS = 12


class Counting:
    """Takes every photo whose values can be read, whatever its review, and counts them by review."""

    def __init__(self, expected: int) -> None:
        self.counts = Counts(expected)

    def link(self, values: list[Any]) -> tuple[object, ...]:
        """Count one."""
        self.counts.add_many(np.array([values[0]], np.int64))
        return 0, *values

    def judge(self, values: Sequence[Any], taken: Mask) -> tuple[Mask, Integers | None] | None:
        """All that can be read."""
        return taken, values[0]

    def keep(self, values: Sequence[Any]) -> None:
        """Count many."""
        self.counts.add_many(values[0])

    def reject(self, number: int) -> None:
        """Nothing: it is told when the photos are read to be stored."""


class FirstLoad:
    """One run of a first load. ``control`` holds the lock; the work is done by two more sessions."""

    def __init__(
        self, control: asyncpg.Connection, sessions: Sequence[asyncpg.Connection], load: Underway, watcher: Watcher
    ) -> None:
        self._control = control
        self._sessions = sessions
        self._load = load
        self._watcher = watcher
        self._committed: dict[str, dict[int, int]] = {}

    async def run(self, files: Folder, report: Report, rejects: Path, limit: RejectLimit) -> None:
        """Bring the files of ``files`` into the catalogue; ``report`` gets the counts.

        Raises ``OperatorError`` where the files must be changed first, ``AccountingError`` where rows are lost; what
        was built is removed then. Any other error leaves it for the next run.
        """
        self._committed = await underway.committed(self._control)
        report.first_number = self._load.first_number
        try:
            links, photos = await self._read(files, report, rejects, limit)
            with report.step("Figures"):
                await self._finish_rows(links, photos, placeholders="products" not in files.files, report=report)
            with report.step("Keys and indexes"):
                await self._build_indexes()
            # After the indexes: whoever scans a table first after a COPY writes all of it again, for its hint bits, and
            # the indexes' scans do that while their sorts keep the processors busy. Before them it took 50 s, not 3.
            with report.step("Counting again"):
                await self._recount(report)
            with report.step("Statistics"):
                await self._analyze()
            with report.step("Foreign keys"):
                await self._check_foreign_keys()
            with report.step("Switch"):
                await self._switch(report)
        except incoming.DependentError:
            raise
        except (OperatorError, AccountingError):
            await underway.discard(self._control)
            raise

    async def _read(self, files: Folder, report: Report, rejects: Path, limit: RejectLimit) -> tuple[Links, Counts]:
        known = shapes(self._load.first_number, self._load.started_at)
        expected = await asyncio.to_thread(files.expected)
        links = Links(products_known="products" in files.files, expected=expected)
        counting = Counting(expected["reviews"])
        with reject_file(rejects) as write:
            reject = limit.watching(write, rejects)
            for table, path in files.files.items():
                reviews = table == "reviews"
                if reviews:
                    await self._count_photos(counting, files, known["photos"], report)
                file = FileReport(path.name, table)
                report.files.append(file)
                photos_of = counting.counts.get_many if reviews else None
                reader = Reader(known[table], links.of(table), file, reject, photos_of=photos_of)
                self._watcher.step(f"Reading {path.name}", files.size(table), file)
                with report.step(f"Reading {path.name}"), Marks() as marks:
                    rows = noted(reader.rows(path, self._watcher.advanced), marks, PHOTO_COUNT_BYTES * reviews)
                    await self._copy(table, copied_columns(table), rows)
                    await self._copy("load_marks", _MARKS, _mark_rows(table, marks), f"marks of {table}")
                file.inserted = file.rows
                limit.check(file, rejects)
        return links, counting.counts

    async def _count_photos(self, counting: Counting, files: Folder, shape: Shape, report: Report) -> None:
        """Count how many photos each review has, which is stored with it."""
        path = files.files["photos"]
        name = f"Counting {path.name}"
        self._watcher.step(name, files.size("photos"))
        reader = Reader(shape, counting, FileReport(path.name, shape.table), _ignored, stored=False)
        with report.step(name):
            await asyncio.to_thread(_exhaust, reader.rows(path, self._watcher.advanced))

    async def _copy(self, table: str, columns: Sequence[str], rows: Iterable[Encoded], part: str | None = None) -> None:
        part = part or table
        await copy_all(
            self._sessions,
            chunks(table, part, rows, self._load.chunk_bytes),
            columns,
            set(self._committed.get(part, {})),
        )

    async def _finish_rows(self, links: Links, photos: Counts, report: Report, *, placeholders: bool) -> None:
        """Store what follows from all files together."""
        self._watcher.step("Figures")
        if placeholders:
            await self._copy("products", ["product_id", "name"], _placeholders(links))
            report.placeholders = links.products.length
        await self._copy("product_figures", ["product_id", "counts", "photo_count"], product_figures(links))
        await self._copy(
            "characteristic_figures", ["product_id", "characteristic_id", "counts"], characteristic_figures(links)
        )
        products, reviews, counts = wrong_photo_counts(links, photos)
        async with self._control.transaction():
            if reviews:
                await self._control.execute(
                    "UPDATE incoming.reviews AS r SET photo_count = w.n FROM unnest($1::bigint[], $2::bigint[],"
                    " $3::integer[]) AS w (product_id, review_id, n)"
                    " WHERE r.product_id = w.product_id AND r.review_id = w.review_id AND r.photo_count <> w.n",
                    products,
                    reviews,
                    counts,
                )
            # Built again by a run that carries on: it is a second's work.
            await self._control.execute("DELETE FROM incoming.category_figures")
            await self._control.execute(
                "INSERT INTO incoming.category_figures (category, product_count)"
                " SELECT coalesce(category, ''), count(*) FROM incoming.products GROUP BY 1"
            )

    async def _recount(self, report: Report) -> None:
        """Raise ``AccountingError`` unless the database holds as many rows as were read and not rejected."""
        self._watcher.step("Counting again")
        for file in report.files:
            file.check(await self._control.fetchval(_COUNTS[file.table]))

    async def _build_indexes(self) -> None:
        """Build what is not there yet, but for the indexes that can come later."""
        there = await incoming.built(self._control)
        builds = [index for index in await incoming.indexes(self._control) if not index.later]
        waiting = [[index.build] for index in builds if index.name not in there]
        await self._in_turn("Keys and indexes", waiting)
        await incoming.add_keys(self._control)

    async def _analyze(self) -> None:
        await self._in_turn("Statistics", [[f"ANALYZE incoming.{table}"] for table in reversed(incoming.TABLES)])

    async def _check_foreign_keys(self) -> None:
        keys = await incoming.foreign_keys(self._control)
        async with self._control.transaction():
            # What a key refers to is found in incoming first, and what is not there where it always is.
            await self._control.execute(
                "SELECT set_config('search_path', 'incoming, ' || current_setting('search_path'), true)"
            )
            for key in keys:
                if not key.added:
                    await self._control.execute(key.add)
        # Two keys of one table would wait for each other, so each table has its session.
        tables = {key.table: [k.validate for k in keys if k.table == key.table and not k.validated] for key in keys}
        await self._in_turn("Foreign keys", sorted(tables.values(), key=len, reverse=True))

    async def _in_turn(self, name: str, work: Sequence[Sequence[str]]) -> None:
        self._watcher.step(name, len(work))
        await in_turn(self._sessions, work, self._watcher.advanced)

    async def _switch(self, report: Report) -> None:
        """Let readers see the new catalogue: one transaction, which waits for readers and lets none wait for long."""
        self._watcher.step("Switch")
        later = [index.build_later for index in await incoming.indexes(self._control) if index.later]
        report.finish()
        for attempt in range(_SWITCH_ATTEMPTS):
            try:
                async with self._control.transaction():
                    await self._switch_now(report, later)
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                if attempt + 1 == _SWITCH_ATTEMPTS:
                    raise
                await asyncio.sleep(1)
            else:
                return

    async def _switch_now(self, report: Report, later: Sequence[str]) -> None:
        await self._control.execute("SET LOCAL lock_timeout = '5s'")
        await self._control.execute("LOCK TABLE products IN ACCESS EXCLUSIVE MODE")
        if await self._control.fetchval("SELECT EXISTS (SELECT FROM products)"):
            raise OperatorError("Products were added while the files were read: run the same command again.")
        await incoming.switch(self._control)
        for statement in _STARTS:
            await self._control.execute(statement, self._load.first_number)
        await self._control.execute(
            "INSERT INTO loads (fingerprint, source, report) VALUES ($1, $2, $3)",
            self._load.fingerprint,
            self._load.source,
            report.to_json(),
        )
        # The rows came past the triggers, so whoever keeps answers is told here, in the moment that readers see them.
        await self._control.execute("SELECT record_change(ARRAY['all'], 0)")
        await self._control.execute("DELETE FROM load_chunks")
        await self._control.execute("UPDATE load_progress SET switched = true, pending = $1", list(later))


def noted(rows: Iterable[Rows], marks: Marks, tail: int) -> Iterator[Encoded]:
    """The rows as they come, their hashes in ``marks``."""
    for numbers, encoded in rows:
        marks.exchange(numbers, hashes_of(encoded, tail))
        yield encoded


def _mark_rows(table: str, marks: Marks) -> Iterator[Encoded]:
    for page, packed in marks.packed():
        columns = [pa.array([table]), np.array([page], np.int64), pa.array([packed], pa.binary())]
        yield encode([TEXT, BIGINT, BYTES], columns)


def _placeholders(links: Links) -> Iterator[Encoded]:
    numbers = links.products.numbers.values
    for start in range(0, len(numbers), _ROWS):
        some = numbers[start : start + _ROWS]
        yield encode([BIGINT, TEXT], [some, pa.array([f"Product {number}" for number in some.tolist()])])


def _exhaust(rows: Iterable[object]) -> None:
    for _ in rows:
        pass


def _ignored(rejection: Rejection) -> None:
    """A row that is counted apart is told when it is read to be stored."""
