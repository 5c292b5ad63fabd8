"""Dirt for a made-up shop: rows are spoilt on their way to the files, and what must become of each is written down.

What a loader must make of the files follows from what was spoilt here, never from reading them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

from etl.generating.dialects import COLUMNS, Dialect
from etl.generating.dirt_answer import ABSENT, LOADED, REJECTED, Answer, lost
from etl.generating.dirt_deck import Deck
from etl.generating.dirt_files import DirtyFile, forms
from etl.generating.dirt_kinds import Effect, Row
from etl.generating.dirt_rejected import DUPLICATE
from etl.generating.shop import Block

_MISSING_NUMBER = 900_000_000
"""No shop has that many rows of any kind, and it is below the gateway's own numbers."""

_OF_REJECTED, _OF_ABSENT = "child of a rejected row", "child of a row that is not there"

_ANY_EFFECT = frozenset(Effect)
_TOLD_BEFORE_ORPHANS = frozenset({Effect.BROKEN, Effect.REFUSED})
_ONLY_CLEANED = frozenset({Effect.CLEANED})

Lost = tuple[str, str, str]
"""Why a row cannot be loaded whatever it says: column, reason, kind."""


class Salter:
    """Takes the rows of a shop, spoils a share of them and writes all to files of a folder, while it is entered.

    Product 1, which may have most of the reviews, is loaded with its characteristics for certain: they get only dirt
    that is cleaned. What is remembered is what became of the rows of the product at hand.
    """

    def __init__(self, folder: Path, dialect: Dialect, seed: int, share: float) -> None:
        self._random = Random(f"dirt {seed}")  # noqa: S311 - made-up dirt, not secrets
        self._dialect, self._share = dialect, share
        self._forms = forms(self._random, dialect)
        self._files = {
            table: DirtyFile(folder, name, COLUMNS[table], self._forms[table], self._random)
            for table, name in dialect.files.items()
        }
        self._answer = Answer(folder, dialect.files)
        self._decks = {table: Deck(table, dialect, self._random, share) for table in dialect.files}
        self._used: dict[str, str] = {}
        self._foreign = self._next_foreign = (0, 0)
        self._product = self._product_state = self._first_characteristic = 0
        self._lost_characteristics: dict[int, int] = {}

    @property
    def names(self) -> list[str]:
        """The names of the files."""
        return [file.name for file in self._files.values()]

    def __enter__(self) -> Self:
        with ExitStack() as open_files:
            self._answer.open(open_files)
            for file in self._files.values():
                file.open(open_files)
            self._open_files = open_files.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._open_files:
            for file in self._files.values():
                file.close()

    def write_answer(self, arguments: Mapping[str, Any]) -> dict[str, int]:
        """Write the answer, to be called last while entered; returns each file's number of rows.

        ``arguments`` are those of the command that this object does not know.
        """
        files = {table: file.name for table, file in self._files.items()}
        kinds = {table: form.kinds for table, form in self._forms.items()}
        own = {"dialect": self._dialect.name, "dirty": self._share}
        self._answer.write({**arguments, **own}, files, kinds)
        return {name: self._answer.read(table) for table, name in files.items()}

    @property
    def rejected(self) -> int:
        """How many rows must be rejected."""
        return self._answer.rejected.total()

    def put_product(self, number: int, row: str, first_characteristic: int, characteristics: list[str]) -> None:
        """Write a product with its characteristics."""
        self._foreign = self._next_foreign
        self._product, self._first_characteristic = number, first_characteristic
        self._product_state = LOADED
        if "products" in self._files:
            self._product_state = self._put("products", [row], 1, {}).get(0, LOADED)
        orphans = {}
        if self._product_state != LOADED:
            orphans = dict.fromkeys(range(len(characteristics)), _lost("product", number, self._product_state))
        self._lost_characteristics = self._put("characteristics", characteristics, 1, orphans)
        loaded = [place for place in range(len(characteristics)) if place not in self._lost_characteristics]
        if loaded:
            self._next_foreign = (first_characteristic + loaded[-1], number)

    def put_reviews(self, block: Block) -> None:
        """Write reviews with their photos and ratings."""
        orphans = {}
        if self._product_state != LOADED:
            every = range(len(block.reviews))
            orphans = dict.fromkeys(every, _lost("product", block.product, self._product_state))
        gone = self._put("reviews", block.reviews, 1, orphans)
        first, each = block.first_review, block.characteristics
        orphans = {}
        if gone:
            for place, photo in enumerate(block.photos):
                review = int(photo.split(",", 2)[1])
                if review - first in gone:
                    orphans[place] = _lost("review", review, gone[review - first])
        self._put("photos", block.photos, 1, orphans)
        orphans = {}
        for place, state in self._lost_characteristics.items():
            why = _lost("characteristic", block.first_characteristic + place, state)
            orphans.update(dict.fromkeys(range(place, len(block.ratings) * each, each), why))
        for place, state in gone.items():
            why = _lost("review", first + place, state)
            orphans.update(dict.fromkeys(range(place * each, place * each + each), why))
        self._put("ratings", block.ratings, each, orphans)

    def _put(self, table: str, groups: Sequence[str], each: int, orphans: Mapping[int, Lost]) -> dict[int, int]:
        """Write rows, ``each`` to an entry of ``groups``; the answer is what became of those that are not loaded.

        ``orphans`` are those that cannot be loaded because of others, by their place.
        """
        count = len(groups) * each
        if not orphans and self._decks[table].pass_clean(count):
            if count:
                self._put_clean(table, groups, count)
            return {}
        rows = groups if each == 1 else "".join(groups).splitlines(keepends=True)
        dirty = self._decks[table].places(count)
        gone: dict[int, int] = {}
        done = 0
        for place in sorted(dirty | orphans.keys()):
            if done < place:
                self._put_clean(table, rows[done:place], place - done)
            state = LOADED
            orphan = orphans.get(place)
            if place in dirty:
                rank = place % each
                rated_before = self._first_characteristic + rank - 1 if rank and place - 1 not in gone else 0
                state = self._put_dirty(table, rows[place], orphan, rated_before)
            elif orphan is not None:
                state = self._put_orphan(table, rows[place], orphan)
            if state != LOADED:
                gone[place] = state
            done = place + 1
        if done < count:
            self._put_clean(table, rows[done:], count - done)
        return gone

    def _put_clean(self, table: str, rows: Sequence[str], count: int) -> None:
        self._files[table].put_clean("".join(rows), count)
        self._answer.loaded[table] += count

    def _put_orphan(self, table: str, row: str, orphan: Lost) -> int:
        file = self._files[table]
        line = file.line
        file.put_clean(row, 1)
        column, reason, kind = orphan
        self._answer.reject(table, file.name, line, column, reason, kind)
        return REJECTED

    def _put_dirty(self, table: str, line: str, orphan: Lost | None, rated_before: int) -> int:
        """Write a row with the next kind of dirt that fits it; the answer is what became of it."""
        file, answer = self._files[table], self._answer
        fields = file.fields(line)
        number = fields["id"]
        row = Row(
            file,
            fields,
            self._random,
            missing_number=_MISSING_NUMBER + int(self._random.random() * 1000),
            rated_before=rated_before,
            foreign=self._foreign,
            product=self._product,
        )
        effects = _ANY_EFFECT
        if orphan is not None:
            effects = _TOLD_BEFORE_ORPHANS
        elif self._product == 1 and table in {"products", "characteristics"}:
            effects = _ONLY_CLEANED
        kind, reason = self._decks[table].spoil(row, effects)
        if kind.effect is Effect.BROKEN:
            at = file.put(",".join(row.tokens), broken=True)
            answer.reject(table, file.name, at, "", reason, kind.name)
            return ABSENT
        if row.blank_line is not None:
            file.put(row.blank_line)
        at = file.put(",".join(file.arranged(list(fields.values()))))
        if kind.effect in {Effect.REFUSED, Effect.MISPLACED}:
            answer.reject(table, file.name, at, kind.column, reason, kind.name)
            # Where the number itself cannot be read, nothing tells later that this row was meant.
            return ABSENT if kind.column == "id" else REJECTED
        answer.loaded[table] += 1
        if kind.effect is Effect.CLEANED:
            answer.cleaned_kinds[kind.name] += 1
            return LOADED
        # A row's own number again, or one from far before.
        used = self._used.get(table, number)
        fields["id"] = number if self._random.random() < 1 / 2 else used
        if fields["id"] == used:
            self._used[table] = number
        at = file.put(",".join(file.arranged(list(fields.values()))))
        answer.reject(table, file.name, at, kind.column, DUPLICATE, kind.name)
        return LOADED


def _lost(parent: str, number: int, state: int) -> Lost:
    column, reason = lost(parent, number, state)
    return column, reason, _OF_REJECTED if state == REJECTED else _OF_ABSENT
