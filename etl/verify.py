"""Is what the database keeps what its rows say? And if not: where."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import click
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex, DropIndex

from etl import recount, sequences, structure
from etl.sessions import connected
from etl.statements import EVERYTHING_CHANGED
from graphql_api.settings import Settings

SHOWN = 20


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the rows say. ``product`` is ``None`` where it is no product's."""

    product: int | None
    what: str
    expected: str
    found: str


@dataclass
class Findings:
    """All differences: their number, and the first 20 of each check."""

    checks: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    first: list[Difference] = field(default_factory=list)
    repaired: bool = False

    @property
    def unsound(self) -> int:
        """How many things are not as the rows say."""
        return sum(self.counts.values())


def verify_database(url: str, settings: Settings, *, repair: bool = False) -> Findings:
    """Compare what the database at ``url``, which is at our revision, keeps with its rows, and its structure with ours.

    Figures, numbers, sequences, parents, indexes, constraints, triggers. Each check is one statement, so that writes
    meanwhile make no difference that is not there. With ``repair`` the figures are built again, the sequences advanced
    and missing indexes built before the check; rows without parents and numbers that rows share stay as they are.
    """
    return asyncio.run(_verify(url, settings, repair=repair))


async def _verify(url: str, settings: Settings, *, repair: bool) -> Findings:
    async with connected(url, settings) as connection:
        findings = await _check(connection)
        if repair and findings.unsound:
            await connection.execute(select(func.rebuild_figures()))
            await connection.execute(EVERYTHING_CHANGED)
            for sequence in sequences.NUMBERED:
                await connection.execute(sequences.advance(sequence, settings.first_number))
            await _mend_indexes(connection)
            await connection.commit()
            findings = await _check(connection)
            findings.repaired = True
        return findings


async def _mend_indexes(connection: AsyncConnection) -> None:
    """Build the indexes that are missing or were never finished; what belongs to a constraint is a migration's."""
    for _, name, _, found in (await connection.execute(structure.indexes())).all():
        if name in structure.INDEXES:
            index = structure.INDEXES[name]
            if found is not None:
                await connection.execute(DropIndex(index))
            await connection.execute(CreateIndex(index))


async def _check(connection: AsyncConnection) -> Findings:
    findings = Findings()
    for name, query in (*recount.FIGURES.items(), *recount.NUMBERS.items(), *structure.CHECKS.items()):
        await _compare(connection, findings, name, query)
    for sequence in sequences.NUMBERED:
        findings.checks += 1
        for upcoming, highest in await connection.execute(sequences.lagging(sequence)):
            findings.counts[f"sequence {sequence}"] = 1
            expected = f"above {highest}"
            findings.first.append(Difference(None, f"next number of {sequence}", expected, str(upcoming)))
        await connection.commit()
    return findings


async def _compare(connection: AsyncConnection, findings: Findings, name: str, query: Select[Any]) -> None:
    findings.checks += 1
    count = 0
    # Streamed: a database whose figures are all wrong has as many differences as rows.
    async with connection.stream(query) as rows:
        async for product, what, expected, found in rows:
            count += 1
            if count <= SHOWN:
                subject = name if what is None else f"{name} {what!r}"
                findings.first.append(Difference(product, subject, _told(expected), _told(found)))
    await connection.commit()
    if count:
        findings.counts[name] = count


def _told(value: object) -> str:
    return "none" if value is None else str(value)


def show_findings(findings: Findings) -> None:
    """Print one line where the database is sound; else how many things differ, and the first of them."""
    after = " after repair" if findings.repaired else ""
    if not findings.unsound:
        click.echo(f"The database is sound{after}: {findings.checks} checks, no difference.")
        return
    click.echo(f"The database is NOT sound{after}: {findings.unsound:,} differences.")
    for name, count in findings.counts.items():
        click.echo(f"  {count:,} × {name}")
    click.echo(f"The first {SHOWN} of each:")
    for one in findings.first:
        where = "" if one.product is None else f"product {one.product}: "
        click.echo(f"  {where}{one.what}: expected {one.expected}, found {one.found}")
