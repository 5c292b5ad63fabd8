"""What every loader shares: one statement a batch, and rows put back in the order of the keys."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import asyncpg
from aiodataloader import DataLoader
from sqlalchemy import ARRAY, BigInteger, BindParameter, bindparam, column, func
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Row = TypeVar("Row")


class BatchLoader(DataLoader[Key, Value], Generic[Key, Value]):
    """A request's loader of one relation: equal keys are asked once, keys of one turn of the loop in one statement."""

    # PostgreSQL takes any number of keys in an array; the bound keeps one statement short.
    max_batch_size = 1000

    def __init__(self, reads: asyncpg.Pool) -> None:
        super().__init__()
        self.reads = reads

    async def batch_load_fn(self, keys: list[Key]) -> list[Value]:
        """The values of ``keys``, in their order."""
        raise NotImplementedError


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


def literal_size(size: int) -> BindParameter[int]:
    """A limit written into the statement: PostgreSQL plans a page of six rows otherwise than one of unknown length."""
    return bindparam("size", size, literal_execute=True)


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
