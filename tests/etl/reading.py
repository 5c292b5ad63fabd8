"""The rows of files as tuples: what the loader sends, decoded as PostgreSQL decodes it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from etl.blocks import Parser
from etl.folder import find_folder
from etl.links import Links
from etl.rejects import Rejection
from etl.report import FileReport
from etl.shapes import shapes
from etl.transform import Reader, Rows
from etl.wire import BIGINT, BOOLEAN, INTEGER, NUMERIC, SMALLINT, TEXT, TIMESTAMP, Encoded, Wire

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Row = tuple[Any, ...]


class OneByOne(Reader):
    """Reads every row by the rule for single rows."""

    def _at_once(self, _parser: Parser, _data: bytes) -> list[Rows] | None:
        return None


class Transformed(NamedTuple):
    """What a folder became: rows by table, rejections, reports."""

    rows: dict[str, list[Row]]
    rejections: list[Rejection]
    reports: list[FileReport]


def transformed(folder: Path, reader: type[Reader] = Reader) -> Transformed:
    """What ``folder`` becomes, without a database."""
    found = find_folder(folder)
    links = Links(products_known="products" in found.files)
    made = Transformed({}, [], [])
    for table, path in found.files.items():
        report = FileReport(path.name, table)
        shape = shapes(1_000_000_000, NOW)[table]
        one = reader(shape, links.of(table), report, made.rejections.append)
        wires = [column.wire for column in shape.columns.values()]
        if table in {"photos", "ratings"}:
            wires.insert(0, BIGINT)
        made.reports.append(report)
        made.rows[table] = [row for rows in one.rows(path, lambda _: None) for row in decoded(wires, rows.encoded)]
    return made


def decoded(wires: list[Wire], rows: Encoded) -> Iterator[Row]:
    """The values of each row."""
    for start, end in zip(rows.offsets.tolist(), rows.offsets.tolist()[1:], strict=False):
        row = bytes(rows.data[start:end])
        (count,) = struct.unpack_from(">h", row)
        assert count == len(wires)
        at, values = 2, []
        for wire in wires:
            (length,) = struct.unpack_from(">i", row, at)
            at += 4
            if length < 0:
                values.append(None)
                continue
            values.append(_value(wire, row[at : at + length]))
            at += length
        assert at == len(row)
        yield tuple(values)


def _value(wire: Wire, sent: bytes) -> Any:
    if wire is TEXT:
        return sent.decode()
    if wire is NUMERIC:
        groups, weight, sign, scale, *digits = struct.unpack(f">{len(sent) // 2}h", sent)
        assert (groups, sign, scale) == (len(digits), 0, 2)
        amount = sum(digit * Decimal(10_000) ** (weight - place) for place, digit in enumerate(digits))
        return Decimal(amount).quantize(Decimal("0.01"))
    number = int.from_bytes(sent, "big", signed=True)
    assert wire in {BIGINT, INTEGER, SMALLINT, BOOLEAN, TIMESTAMP}
    if wire is BOOLEAN:
        return bool(number)
    return datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=number) if wire is TIMESTAMP else number
