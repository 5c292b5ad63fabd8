"""Records become rows of their table, or rejections: types first, then what the rows say of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from etl.lines import printable
from etl.links import Links
from etl.records import Broken, Records
from etl.rejects import Rejection, Writer, masked, shortened, without_fields_of_addresses
from etl.report import FileReport
from etl.shapes import Shape
from etl.streams import opened
from etl.values import BadValueError, content
from graphql_api.errors import OperatorError

Row = tuple[object, ...]
Link = Callable[[list[object]], Row]


def rows_of(
    path: Path, shape: Shape, links: Links, report: FileReport, reject: Writer, advanced: Callable[[int], None]
) -> Iterator[Row]:
    """The rows of the file at ``path``, to be stored as they are.

    ``report`` counts what is read and rejected, ``reject`` gets each rejection, ``advanced`` the place in the file in
    bytes, now and then. Raises ``OperatorError`` where the header lacks a column.
    """
    with opened(path) as (stream, position):

        def refuse(broken: Broken) -> None:
            row = broken.text if shape.e_mail is None else without_fields_of_addresses(broken.text)
            rejection = Rejection(path.name, broken.line, "", "", broken.reason, printable(row), broken.group)
            report.rejected(rejection)
            reject(rejection)

        records = Records(stream, refuse)
        places = _places(path, shape, records.header)
        plan = [(place, read) for place, read in zip(places, shape.readers.values(), strict=True)]
        link = links.of(shape.table)
        for count, (line, fields) in enumerate(records):
            if not count & 0x3FFF:
                advanced(position())
            try:
                row = link([read(fields[place]) for place, read in plan])
            except BadValueError as error:
                rejection = _rejection(path.name, line, fields, shape, places, records.header, error)
                links.reject(shape.table, fields[places[list(shape.readers).index("id")]])
                report.rejected(rejection)
                reject(rejection)
            else:
                report.rows += 1
                yield row
        advanced(position())


def _places(path: Path, shape: Shape, header: Sequence[str]) -> list[int]:
    if not header:
        raise OperatorError(f"{path.name} has no header: its first line must name the columns.")
    missing = [name for name in shape.readers if name not in header]
    if missing:
        # What stands there instead is not shown: where the header is missing it is a row, with an e-mail address.
        known = [name for name in header if name in shape.readers]
        found = f"names only {', '.join(known)}." if known else "names none: is the header missing?"
        raise OperatorError(f"{path.name} has no column {', no column '.join(missing)}; its first line {found}")
    twice = [name for name in shape.readers if header.count(name) > 1]
    if twice:
        raise OperatorError(f"{path.name} names the column {twice[0]} twice.")
    return [header.index(name) for name in shape.readers]


def _rejection(
    file: str,
    line: int,
    fields: Sequence[str],
    shape: Shape,
    places: Sequence[int],
    header: Sequence[str],
    error: BadValueError,
) -> Rejection:
    column = error.column or _first_bad(fields, shape, places)
    token = fields[header.index(column)]
    value = masked(content(token)) if column == shape.e_mail else shortened(content(token))
    shown = list(fields)
    if shape.e_mail is not None:
        place = header.index(shape.e_mail)
        quote = '"' if shown[place][:1] == '"' else ""
        shown[place] = quote + masked(content(shown[place])) + quote
    return Rejection(file, line, column, value, error.reason, printable(",".join(shown)), f"{column} {error.group}")


def _first_bad(fields: Sequence[str], shape: Shape, places: Sequence[int]) -> str:
    """The column that was refused: found by reading again, so that good rows need not keep count."""
    for (name, read), place in zip(shape.readers.items(), places, strict=True):
        try:
            read(fields[place])
        except BadValueError:
            return name
    raise AssertionError("a value is refused every time or never")
