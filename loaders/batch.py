"""What every loader shares: one statement a batch, and rows put back in the order of the keys.

A loader may be asked for its rows together with what other loaders would bring for each of them: the rows *ahead*.
Their columns come in the same statement, so a page with its photos is one round trip and not two.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from aiodataloader import DataLoader
from sqlalchemy import ARRAY, BigInteger, BindParameter, ColumnElement, Select, bindparam, column, func, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import FromClause, TableValuedAlias
from sqlalchemy.types import TypeEngine

from loaders.rows import Row as LoadedRow
from loaders.rows import as_row
from loaders.statement import Reads

if TYPE_CHECKING:
    from loaders.json_rows import FoundRows, JsonRows

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Row = TypeVar("Row")


class BatchLoader(DataLoader[Key, Value], Generic[Key, Value]):
    """A request's loader of one relation: equal keys are asked once, keys of one turn of the loop in one statement.

    ``selection`` is what its keys have in common, for those that take one; ``extent`` how much a statement brings.
    """

    # PostgreSQL takes any number of keys in an array; the bound keeps one statement short.
    max_batch_size = 1000

    row_class: ClassVar[type[Any] | None] = None
    """The class of the rows that carry ``ahead``."""

    table: ClassVar[FromClause | None] = None
    """The table whose columns PostgreSQL can write as JSON, for each row or for a page of them."""

    noun: ClassVar[str] = ""
    """What its rows are called in the name of a statement that they come ahead with."""

    width: ClassVar[int] = 0
    """How many columns ``beside`` has."""

    tags: ClassVar[staticmethod[[Any, Any], Iterable[str]]]
    """The tags of an answer that shows a key and its value, ``None`` where that is not known. See ``loaders.tags``."""

    may_have_ahead: ClassVar[frozenset[type[BatchLoader[Any, Any]]]] = frozenset()
    """The loaders that ``ahead`` may hold."""

    looks_beyond: ClassVar[bool] = False
    """Whether it brings pages, and can leave out the look for what lies beyond them."""

    def __init__(self, reads: Reads, selection: Any = None, extent: Extent | None = None) -> None:
        super().__init__()
        self.reads = reads
        self.selection = selection
        self.extent = extent or ROWS

    @classmethod
    def beside(cls, row: FromClause) -> FromClause:
        """One row a row of ``row``, by its columns: what this loader brings for it."""
        raise NotImplementedError

    @classmethod
    def of_beside(cls, row: Sequence[Any], record: Sequence[Any], at: int) -> Any:
        """What this loader brings for ``row``, of the columns of ``beside``, which ``record`` has from ``at`` on."""
        raise NotImplementedError

    @classmethod
    def json_beside(cls, row: FromClause, rows: JsonRows, found: FoundRows | None) -> ColumnElement[str]:
        """What this loader brings for ``row``, by its columns: JSON objects with commas between them, null for none.

        ``found`` is where they find what they show of other rows.
        """
        raise NotImplementedError

    @classmethod
    def beside_product(cls, selection: Any, extent: Extent) -> Ahead | None:  # noqa: ARG003 - for those that can
        """What brings the value for a product with the product's row; ``None`` where nothing does."""
        return None

    async def batch_load_fn(self, keys: list[Key]) -> list[Value]:
        """The values of ``keys``, in their order."""
        raise NotImplementedError


class Ahead(Protocol):
    """What can come ahead with a row: a loader, or one of its pages. See ``BatchLoader`` for the members."""

    noun: str
    width: int

    def beside(self, row: FromClause) -> FromClause:
        """One row a row of ``row``."""

    def of_beside(self, row: Sequence[Any], record: Sequence[Any], at: int) -> Any:
        """What it brings for ``row``."""


Aheads = tuple[type[BatchLoader[Any, Any]] | Ahead, ...]


class Extent(NamedTuple):
    """What a plan asks of a statement.

    ``ahead`` are loaders whose rows come with its own, in their row's ``ahead``. Without ``beyond`` nobody reads of a
    page whether there are others. With ``json`` its rows come as text.
    """

    ahead: Aheads = ()
    beyond: bool = True
    json: JsonRows | None = None


ROWS = Extent()
"""Rows alone, and whether there are others."""


class Kind(NamedTuple):
    """A loader, and what all its keys have in common. Equal kinds share statements."""

    loader: type[BatchLoader[Any, Any]]
    selection: Hashable = None
    extent: Extent = ROWS

    def with_extent(self, extent: Extent) -> Kind:
        """The same, of which a statement brings so much."""
        return as_row(Kind, (self.loader, self.selection, extent))

    def made(self, reads: Reads) -> BatchLoader[Any, Any]:
        """A loader of this kind."""
        return self.loader(reads, self.selection, self.extent)


@lru_cache(maxsize=1024)  # few aheads, and what front ends ask of a page of reviews
def kind_with_page(kind: Kind, extent: Extent, page: Kind, of_page: Extent) -> Kind | None:
    """The kind whose rows of ``kind`` bring a page of theirs too, last of all; ``None`` where it cannot come there."""
    with_row = page.loader.beside_product(page.selection, of_page)
    return None if with_row is None else kind.with_extent(extent._replace(ahead=(*extent.ahead, with_row)))


class Load(NamedTuple):
    """What a field shows: the value of a key, from a loader of that kind."""

    kind: Kind
    key: Any


def named(name: str, ahead: Aheads) -> str:
    """The name of a statement with what comes ahead in it."""
    return f"{name} with {' and '.join(loader.noun for loader in ahead)}" if ahead else name


def arrays_by(order: ColumnElement[int], *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """One row of many: an array a column, each in the order of ``order``; null where there are none."""
    return select(*(func.array_agg(aggregate_order_by(column, order)) for column in columns))


class Besides:
    """The columns that ``ahead`` adds to a statement for each row of ``row``."""

    def __init__(self, ahead: Aheads, row: FromClause) -> None:
        self._laterals = [loader.beside(row) for loader in ahead]
        self.columns = [column for lateral in self._laterals for column in lateral.c]

    def joined(self, table: FromClause) -> FromClause:
        """``table`` with the rows ahead joined to each of its own."""
        for lateral in self._laterals:
            table = table.outerjoin(lateral, true())
        return table


AheadsOf = Callable[[Sequence[Any], Sequence[Any], int], tuple[Any, ...]]


@lru_cache(maxsize=64)  # as many as there are statements that something comes ahead in
def aheads_of(ahead: Aheads) -> AheadsOf:
    """What tells of a row, and of the columns that ``ahead`` added to a record from a place on, what each brings."""
    if not ahead:
        return lambda _row, _record, _at: ()
    first, *others = ahead
    if not others:  # the usual page, for each of its rows
        read = first.of_beside
        return lambda row, record, at: (read(row, record, at),)
    starts = accumulate((loader.width for loader in ahead), initial=0)
    readers = [(loader.of_beside, start) for loader, start in zip(ahead, starts, strict=False)]
    return lambda row, record, at: tuple([read(row, record, at + start) for read, start in readers])


def rows_with_ahead(row_class: type[LoadedRow], ahead: Aheads, records: Iterable[Sequence[Any]]) -> Iterator[LoadedRow]:
    """The rows of ``records``, which have the columns of ``row_class`` and then those that ``ahead`` added."""
    width = len(row_class._fields) - 1  # type: ignore[attr-defined] # rows are named tuples that end on their ahead
    bring = aheads_of(ahead)
    for record in records:
        yield as_row(row_class, (*record[:width], bring(record, record, width)))


def one_each(keys: Sequence[Key], rows: Iterable[Row], key_of: Callable[[Row], Key]) -> list[Row | None]:
    """The row of each key, in the order of ``keys``; ``None`` where there is none."""
    found = {key_of(row): row for row in rows}
    return [found.get(key) for key in keys]


def many_each(keys: Sequence[Key], rows: Iterable[Row], key_of: Callable[[Row], Key]) -> list[list[Row]]:
    """The rows of each key, in the order of ``keys`` and within a key as they came; ``[]`` where there are none."""
    found: dict[Key, list[Row]] = {key: [] for key in keys}
    for row in rows:
        found[key_of(row)].append(row)
    return [found[key] for key in keys]


def argument(name: str, type_: TypeEngine[Any]) -> BindParameter[Any]:
    """A bind parameter whose value comes with each batch."""
    return bindparam(name, None, type_=type_)


def array_of(name: str, type_: TypeEngine[Any]) -> BindParameter[Any]:
    """A bind parameter that takes a list."""
    return argument(name, ARRAY(type_))


def literal_zero() -> BindParameter[int]:
    """A zero written into the statement, so that a partial index is known to fit a condition with it.

    A column with it added is equal, and no index of the column fits.
    """
    return bindparam("zero", 0, literal_execute=True, unique=True)


def literal_size(size: int) -> BindParameter[int]:
    """A limit written into the statement: PostgreSQL plans a page of six rows otherwise than one of unknown length."""
    return bindparam("size", size, literal_execute=True, unique=True)


def arrays_table(*columns: tuple[str, TypeEngine[Any]]) -> TableValuedAlias:
    """Parallel arrays as a table ``k``: a row a key, ``place`` counting from 1.

    Each column is filled by the bind parameter of its name.
    """
    arrays = [array_of(name, type_) for name, type_ in columns]
    table = func.unnest(*arrays).table_valued(*(column(n, t) for n, t in columns), with_ordinality="place")
    return table.render_derived(name="k")


def numbers_table(*columns: str) -> TableValuedAlias:
    """``arrays_table`` whose columns are numbers."""
    return arrays_table(*((name, BigInteger()) for name in columns))
