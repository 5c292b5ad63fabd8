"""The kept figures are those of the rows, whoever writes: recounted here in Python after every sequence of writes."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.databases import Databases

PRODUCTS, REVIEWS, CHARACTERISTICS, PHOTOS = 3, 4, 2, 3
CREATED = datetime(2024, 5, 1, tzinfo=UTC)
_numbers = itertools.count(1_000, 1_000)  # the numbers of an example's rows begin at one of these


class Session:
    """One event loop and one connection for all examples of this file."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._runner = asyncio.Runner()
        self.connection: asyncpg.Connection = self.run(asyncpg.connect(url))

    def run(self, work: Any) -> Any:
        return self._runner.run(_bounded(work))

    def close(self) -> None:
        self.run(self.connection.close())
        self._runner.close()


async def _bounded(work: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(work, 60)


@pytest.fixture(scope="module")
def session(databases: Databases) -> Iterator[Session]:
    opened = Session(databases.migrated())
    yield opened
    opened.close()


# The recount: plain reads, counted in Python.

Figures = dict[str, Any]


async def kept(connection: asyncpg.Connection, products: Sequence[int] | None) -> Figures:
    """What the triggers kept of ``products``, or of all."""
    where = "" if products is None else f"WHERE product_id IN ({', '.join(map(str, products))})"
    return {
        "products": {
            row["product_id"]: (row["counts"], row["photo_count"])
            for row in await connection.fetch(f"SELECT * FROM product_figures {where}")
        },
        "characteristics": {
            (row["product_id"], row["characteristic_id"]): row["counts"]
            for row in await connection.fetch(f"SELECT * FROM characteristic_figures {where}")
        },
        "photos": {
            (row["product_id"], row["review_id"]): row["photo_count"]
            for row in await connection.fetch(f"SELECT * FROM reviews {where}")
        },
        "categories": {
            row["category"]: row["product_count"] for row in await connection.fetch("SELECT * FROM category_figures")
        },
    }


async def recounted(connection: asyncpg.Connection, products: Sequence[int] | None) -> Figures:
    """The same from the rows."""
    where = "" if products is None else f"WHERE product_id IN ({', '.join(map(str, products))})"
    reviews = await connection.fetch(f"SELECT * FROM reviews {where}")
    photos = Counter(
        (row["product_id"], row["review_id"]) for row in await connection.fetch(f"SELECT * FROM photos {where}")
    )
    figures: Figures = {
        "products": {
            row["product_id"]: ([0] * 20, 0) for row in await connection.fetch(f"SELECT * FROM products {where}")
        },
        "characteristics": {
            (row["product_id"], row["characteristic_id"]): [0] * 5
            for row in await connection.fetch(f"SELECT * FROM characteristics {where}")
        },
        "photos": {
            (row["product_id"], row["review_id"]): photos[row["product_id"], row["review_id"]] for row in reviews
        },
        "categories": dict(
            Counter(row["category"] or "" for row in await connection.fetch("SELECT category FROM products"))
        ),
    }
    visible = set()
    for row in reviews:
        if row["reported"]:
            continue
        shown = photos[row["product_id"], row["review_id"]]
        counts, total = figures["products"][row["product_id"]]
        # Stars are the outer order, then not recommended before recommended, then without photos before with.
        counts[(row["rating"] - 1) * 4 + (2 if row["recommended"] else 0) + (1 if shown else 0)] += 1
        figures["products"][row["product_id"]] = counts, total + shown
        visible.add((row["product_id"], row["review_id"]))
    for row in await connection.fetch(f"SELECT * FROM ratings {where}"):
        if (row["product_id"], row["review_id"]) in visible:
            figures["characteristics"][row["product_id"], row["characteristic_id"]][row["value"] - 1] += 1
    return figures


async def assert_right(connection: asyncpg.Connection, products: Sequence[int] | None) -> None:
    assert await kept(connection, products) == await recounted(connection, products)


# Writes, as someone at psql types them. Slots are numbers within an example; ``base`` makes them unique.


@dataclass(frozen=True)
class Write:
    """One statement, or one COPY where ``table`` is given; {0}, {1} … in ``sql`` are made numbers of the example."""

    sql: str
    table: str | None = None
    records: tuple[tuple[Any, ...], ...] = ()


product = st.integers(0, PRODUCTS - 1)
review = st.integers(0, REVIEWS - 1)
stars = st.integers(1, 5)
flag = st.booleans()
review_key = st.tuples(product, review)


def some(element: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(element, min_size=1, max_size=5, unique=True)


def keys(found: Sequence[tuple[int, ...]]) -> str:
    return ", ".join("({b}+" + ", {b}+".join(str(part) for part in key) + ")" for key in found)


def review_row(key: tuple[int, int], rating: int, recommended: bool, reported: bool) -> str:
    p, r = key
    return f"({{b}}+{p}, {{b}}+{r}, {rating}, now(), 's', 'b', {recommended}, {reported}, 'n', 'n@example.com')"


review_rows = st.lists(st.tuples(review_key, stars, flag, flag), min_size=1, max_size=6, unique_by=lambda row: row[0])
INTO_REVIEWS = (
    "INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reported,"
    " reviewer_name, reviewer_email) VALUES "
)
REPLACING = (
    " ON CONFLICT (product_id, review_id) DO UPDATE"
    " SET rating = excluded.rating, recommended = excluded.recommended, reported = excluded.reported"
)
on_conflict = st.sampled_from(("", " ON CONFLICT DO NOTHING", REPLACING))
insert_reviews = st.builds(
    lambda rows, conflict: Write(INTO_REVIEWS + ", ".join(review_row(*row) for row in rows) + conflict),
    review_rows,
    on_conflict,
)
review_change = st.sampled_from(
    (
        "reported = NOT reported",
        "reported = true",
        "rating = rating % 5 + 1",
        "recommended = NOT recommended",
        "rating = 6 - rating, reported = NOT reported, recommended = NOT recommended",
        "summary = 'another'",
        "helpfulness = helpfulness + 1",
    )
)
update_reviews = st.builds(
    lambda found, change: Write(f"UPDATE reviews SET {change} WHERE (product_id, review_id) IN ({keys(found)})"),
    some(review_key),
    review_change,
)
update_all_reviews = st.builds(
    lambda p, change: Write(f"UPDATE reviews SET {change} WHERE product_id >= {{b}}+{p}"), product, review_change
)
# A review without photos and ratings may change its product; one with them cannot, and nothing changes.
move_review = st.builds(
    lambda key, to: Write(
        f"UPDATE reviews SET product_id = {{b}}+{to}, reported = NOT reported"
        f" WHERE (product_id, review_id) IN ({keys([key])})"
    ),
    review_key,
    product,
)
delete_reviews = st.builds(
    lambda found: Write(f"DELETE FROM reviews WHERE (product_id, review_id) IN ({keys(found)})"), some(review_key)
)
photo_key = st.tuples(product, review, st.integers(0, PHOTOS - 1))
insert_photos = st.builds(
    lambda found, quiet: Write(
        "INSERT INTO photos SELECT k.*, 'https://photos.example/1.jpg' FROM (VALUES "
        + keys(found)
        + ") AS k (product_id, review_id, photo_id)"
        + (" JOIN reviews USING (product_id, review_id) ON CONFLICT DO NOTHING" if quiet else "")
    ),
    some(photo_key),
    st.sampled_from((True, True, False)),
)
delete_photos = st.builds(
    lambda found: Write(f"DELETE FROM photos WHERE (product_id, review_id, photo_id) IN ({keys(found)})"),
    some(photo_key),
)
move_photos = st.builds(
    lambda key, to: Write(
        f"UPDATE photos SET (product_id, review_id) = (SELECT {keys([to])[1:-1]})"
        f" WHERE (product_id, review_id) IN ({keys([key])})"
    ),
    review_key,
    review_key,
)
update_photos = st.just(Write("UPDATE photos SET url = url || '?' WHERE product_id >= {b}"))
rating_key = st.tuples(product, review, st.integers(0, CHARACTERISTICS - 1))
valued = st.lists(st.tuples(rating_key, stars), min_size=1, max_size=6, unique_by=lambda row: row[0])


def rating_row(key: tuple[int, int, int], value: int) -> str:
    p, r, c = key
    return f"({{b}}+{p}, {{b}}+{r}, {{b}}+{c}, 1, {value})"


insert_ratings = st.builds(
    lambda rows, conflict: Write(
        "INSERT INTO ratings SELECT k.* FROM (VALUES "
        + ", ".join(rating_row(*row) for row in rows)
        + ") AS k (product_id, review_id, characteristic_id, rating_id, value)"
        + " JOIN reviews USING (product_id, review_id) JOIN characteristics USING (product_id, characteristic_id)"
        + conflict
    ),
    valued,
    st.sampled_from(
        (
            " ON CONFLICT DO NOTHING",
            " ON CONFLICT (product_id, review_id, characteristic_id) DO UPDATE SET value = excluded.value",
        )
    ),
)
update_ratings = st.builds(
    lambda found, change: Write(
        f"UPDATE ratings SET {change} WHERE (product_id, review_id, characteristic_id) IN ({keys(found)})"
    ),
    some(rating_key),
    st.sampled_from(
        (
            "value = value % 5 + 1",
            "rating_id = rating_id + 1",
            "characteristic_id = {b} + {b} + 1 - characteristic_id",
            "review_id = {b} + (review_id - {b} + 1) % 4",
        )
    ),
)
delete_ratings = st.builds(
    lambda found: Write(f"DELETE FROM ratings WHERE (product_id, review_id, characteristic_id) IN ({keys(found)})"),
    some(rating_key),
)
category = st.sampled_from(("NULL", "'a{b}'", "'b{b}'"))
insert_products = st.builds(
    lambda found, name: Write(
        "INSERT INTO products (product_id, name, category) VALUES "
        + ", ".join(f"({{b}}+{p}, 'p', {name})" for p in found)
        + " ON CONFLICT (product_id) DO UPDATE SET category = excluded.category"
    ),
    some(product),
    category,
)
update_products = st.builds(
    lambda p, name: Write(f"UPDATE products SET category = {name} WHERE product_id BETWEEN {{b}}+{p} AND {{b}}+9"),
    product,
    category,
)
delete_products = st.builds(
    lambda found: Write(f"DELETE FROM products WHERE product_id IN ({', '.join(f'{{b}}+{p}' for p in found)})"),
    some(product),
)
characteristic_key = st.tuples(product, st.integers(0, CHARACTERISTICS - 1))
insert_characteristics = st.builds(
    lambda found: Write(
        "INSERT INTO characteristics SELECT k.*, 'FIT' FROM (VALUES "
        + keys(found)
        + ") AS k (product_id, characteristic_id) JOIN products USING (product_id) ON CONFLICT DO NOTHING"
    ),
    some(characteristic_key),
)
update_characteristics = st.just(Write("UPDATE characteristics SET kind = 'SIZE' WHERE product_id >= {b}"))
delete_characteristics = st.builds(
    lambda found: Write(f"DELETE FROM characteristics WHERE (product_id, characteristic_id) IN ({keys(found)})"),
    some(characteristic_key),
)
copy_reviews = st.builds(
    lambda rows: Write("", "reviews", tuple((p, r, stars, yes, no) for (p, r), stars, yes, no in rows)), review_rows
)
copy_photos = st.builds(lambda found: Write("", "photos", tuple(found)), some(photo_key))
copy_ratings = st.builds(lambda rows: Write("", "ratings", tuple((*key, value) for key, value in rows)), valued)
truncate = st.sampled_from(("products", "characteristics", "reviews", "photos", "ratings")).map(
    lambda table: Write(f"TRUNCATE {table} CASCADE")
)

usual = st.one_of(
    insert_reviews,
    insert_reviews,
    update_reviews,
    update_all_reviews,
    move_review,
    delete_reviews,
    insert_photos,
    delete_photos,
    move_photos,
    update_photos,
    insert_ratings,
    insert_ratings,
    update_ratings,
    delete_ratings,
    insert_products,
    update_products,
    delete_products,
    insert_characteristics,
    update_characteristics,
    delete_characteristics,
    copy_reviews,
    copy_photos,
    copy_ratings,
)
# A transaction of one to three statements, committed or not.
transactions = st.lists(
    st.tuples(st.lists(usual, min_size=1, max_size=3), st.sampled_from((True, True, True, True, False))),
    min_size=1,
    max_size=12,
)


async def write(connection: asyncpg.Connection, base: int, wanted: Write) -> None:
    if wanted.table is None:
        await connection.execute(wanted.sql.replace("{b}", str(base)))
    elif wanted.table == "reviews":
        await connection.copy_records_to_table(
            "reviews",
            columns=[
                *("product_id", "review_id", "rating", "created_at", "summary", "body", "recommended", "reported"),
                *("reviewer_name", "reviewer_email"),
            ],
            records=[
                (base + p, base + r, rating, CREATED, "s", "b", yes, no, "n", "n@example.com")
                for p, r, rating, yes, no in wanted.records
            ],
        )
    elif wanted.table == "photos":
        records = [(base + p, base + r, base + n, "https://photos.example/2.jpg") for p, r, n in wanted.records]
        await connection.copy_records_to_table("photos", records=records)
    else:
        records = [(base + p, base + r, base + c, 1, value) for p, r, c, value in wanted.records]
        await connection.copy_records_to_table("ratings", records=records)


class _NotThisTimeError(Exception):
    pass


async def write_all(connection: asyncpg.Connection, base: int, steps: list[tuple[list[Write], bool]]) -> None:
    """Each step in a transaction; one that breaks a constraint, or is told to, is rolled back as a whole."""
    for statements, committed in steps:
        with suppress(_NotThisTimeError, asyncpg.IntegrityConstraintViolationError):
            async with connection.transaction():
                for statement in statements:
                    await write(connection, base, statement)
                if not committed:
                    raise _NotThisTimeError


async def shop_of(connection: asyncpg.Connection) -> int:
    """The base of new numbers: three products of it, their characteristics, and some reviews with ratings."""
    base = next(_numbers)
    await connection.execute(
        f"""
        INSERT INTO products (product_id, name, category)
            SELECT {base} + p, 'p', CASE p WHEN 0 THEN NULL ELSE 'a{base}' END FROM generate_series(0, 2) AS p;
        INSERT INTO characteristics SELECT {base} + p, {base} + c, 'FIT'
            FROM generate_series(0, 2) AS p, generate_series(0, 1) AS c;
        INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reported,
                             reviewer_name, reviewer_email)
            SELECT {base} + p, {base} + r, p + r + 1, now(), 's', 'b', r = 0, r = 1, 'n', 'n@example.com'
            FROM generate_series(0, 2) AS p, generate_series(0, 1) AS r;
        INSERT INTO ratings SELECT {base} + p, {base} + r, {base}, 1, p + 1
            FROM generate_series(0, 2) AS p, generate_series(0, 1) AS r;
        INSERT INTO photos SELECT {base} + p, {base} + r, {base}, 'https://photos.example/0.jpg'
            FROM generate_series(0, 1) AS p, generate_series(0, 1) AS r
        """
    )
    return base


@settings(max_examples=250, deadline=None)
@given(transactions)
def test_after_any_writes_by_hand_the_figures_are_those_of_the_rows(
    session: Session, steps: list[tuple[list[Write], bool]]
) -> None:
    async def example() -> None:
        base = await shop_of(session.connection)
        await write_all(session.connection, base, steps)
        await assert_right(session.connection, range(base, base + PRODUCTS))

    session.run(example())


@settings(max_examples=25, deadline=None)
@given(transactions, truncate, transactions)
def test_after_a_truncate_all_figures_are_those_of_the_rows(
    session: Session, before: list[tuple[list[Write], bool]], cut: Write, after: list[tuple[list[Write], bool]]
) -> None:
    async def example() -> None:
        base = await shop_of(session.connection)
        await write_all(session.connection, base, [*before, ([cut], True), *after])
        await assert_right(session.connection, None)

    session.run(example())


@settings(max_examples=25, deadline=None)
@given(transactions)
def test_rebuilt_figures_are_those_the_triggers_kept(session: Session, steps: list[tuple[list[Write], bool]]) -> None:
    async def example() -> None:
        connection = session.connection
        base = await shop_of(connection)
        await write_all(connection, base, steps)
        by_triggers = await kept(connection, None)
        await connection.execute("SELECT rebuild_figures()")
        assert await kept(connection, None) == by_triggers

    session.run(example())


def test_rebuilding_puts_right_what_was_overwritten_by_hand(session: Session) -> None:
    async def example() -> None:
        base = await shop_of(session.connection)
        await session.connection.execute(
            f"""
            UPDATE product_figures SET counts = array_fill(7, ARRAY[20]), photo_count = 7 WHERE product_id = {base};
            UPDATE reviews SET photo_count = 9 WHERE product_id = {base};
            DELETE FROM characteristic_figures WHERE product_id = {base + 1};
            UPDATE category_figures SET product_count = 77;
            SELECT rebuild_figures()
            """
        )
        await assert_right(session.connection, None)

    session.run(example())


# Writers at the same moment. Each pair is run so that the second statement begins while the first transaction is
# open: the order that a missing lock needs to go wrong is there every time, and not one time in a thousand.

Statements = Sequence[str]


async def overlapped(url: str, first: Statements, second: Statements) -> list[BaseException | None]:
    """Run ``second`` while ``first`` has written and not committed; what each of the two ended with."""
    one, other = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        await one.execute("BEGIN")
        for sql in first:
            await one.execute(sql)
        later = asyncio.create_task(_transaction(other, second))
        await _waits_or_done(one, other.get_server_pid(), later)
        await one.execute("COMMIT")
        return [None, await later]
    finally:
        await one.close()
        await other.close()


async def _waits_or_done(connection: asyncpg.Connection, pid: int, task: asyncio.Task[Any]) -> None:
    while not task.done():
        if await connection.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid):
            return
        await asyncio.sleep(0.005)


async def _transaction(connection: asyncpg.Connection, statements: Statements) -> BaseException | None:
    try:
        async with connection.transaction():
            for sql in statements:
                await connection.execute(sql)
    except asyncpg.PostgresError as error:
        return error
    return None


def rating_of(base: int, characteristic: int = 1, value: int = 4, review_slot: int = 0) -> str:
    return f"INSERT INTO ratings VALUES ({base}, {base + review_slot}, {base + characteristic}, 1, {value})"


def review_of(base: int, number: int, product_slot: int = 0) -> str:
    return INTO_REVIEWS + review_row((product_slot, number), 4, True, False).replace("{b}", str(base))


def photo_of(base: int, number: int) -> str:
    return f"INSERT INTO photos VALUES ({base}, {base}, {base + number}, 'https://photos.example/3.jpg')"


CONCURRENT: dict[str, Callable[[int], tuple[Statements, Statements]]] = {
    "a rating, then a report of its review": lambda b: (
        [rating_of(b)],
        [f"UPDATE reviews SET reported = true WHERE product_id = {b} AND review_id = {b}"],
    ),
    "a report, then a rating of its review": lambda b: (
        [f"UPDATE reviews SET reported = true WHERE product_id = {b} AND review_id = {b}"],
        [rating_of(b)],
    ),
    "a change of a value, then a report of its review": lambda b: (
        [f"UPDATE ratings SET value = 5 WHERE product_id = {b} AND review_id = {b}"],
        [f"UPDATE reviews SET reported = true WHERE product_id = {b} AND review_id = {b}"],
    ),
    "a report, then a change of a value": lambda b: (
        [f"UPDATE reviews SET reported = true WHERE product_id = {b} AND review_id = {b}"],
        [f"UPDATE ratings SET value = 5 WHERE product_id = {b} AND review_id = {b}"],
    ),
    "a rating goes, then a report of its review": lambda b: (
        [f"DELETE FROM ratings WHERE product_id = {b} AND review_id = {b}"],
        [f"UPDATE reviews SET reported = true WHERE product_id = {b} AND review_id = {b}"],
    ),
    "a report, then a rating of its review goes": lambda b: (
        [f"UPDATE reviews SET reported = true WHERE product_id = {b} AND review_id = {b}"],
        [f"DELETE FROM ratings WHERE product_id = {b} AND review_id = {b}"],
    ),
    "a rating, then its review goes": lambda b: (
        [rating_of(b)],
        [f"DELETE FROM reviews WHERE product_id = {b} AND review_id = {b}"],
    ),
    "two photos of one review": lambda b: ([photo_of(b, 1)], [photo_of(b, 2)]),
    "a photo more, and one less": lambda b: (
        [photo_of(b, 1)],
        [f"DELETE FROM photos WHERE product_id = {b} AND review_id = {b} AND photo_id = {b}"],
    ),
    "the first photo, then a report of its review": lambda b: (
        [photo_of(b, 1)],
        [f"UPDATE reviews SET reported = true WHERE product_id = {b} AND review_id = {b}"],
    ),
    "a report, then a photo of its review": lambda b: (
        [f"UPDATE reviews SET reported = true WHERE product_id = {b} AND review_id = {b}"],
        [photo_of(b, 1)],
    ),
    "two reviews of one product": lambda b: ([review_of(b, 8)], [review_of(b, 9)]),
    "a change of stars, then another": lambda b: (
        [f"UPDATE reviews SET rating = 5 WHERE product_id = {b} AND review_id = {b}"],
        [f"UPDATE reviews SET rating = 3 WHERE product_id = {b} AND review_id = {b}"],
    ),
    "the last product leaves a category, then one joins it": lambda b: (
        [f"UPDATE products SET category = 'c{b}' WHERE product_id IN ({b + 1}, {b + 2})"],
        [f"UPDATE products SET category = 'a{b}' WHERE product_id = {b}"],
    ),
    "a product goes, then its review changes": lambda b: (
        [f"DELETE FROM products WHERE product_id = {b}"],
        [f"UPDATE reviews SET rating = 5 WHERE product_id = {b}"],
    ),
    "a characteristic goes, then a report": lambda b: (
        [f"DELETE FROM characteristics WHERE product_id = {b} AND characteristic_id = {b}"],
        [f"UPDATE reviews SET reported = true WHERE product_id = {b} AND review_id = {b}"],
    ),
}


@pytest.mark.parametrize("what", CONCURRENT)
def test_of_two_writers_at_once_both_are_counted(session: Session, what: str) -> None:
    async def example() -> None:
        base = await shop_of(session.connection)
        first, second = CONCURRENT[what](base)
        assert await overlapped(session.url, first, second) == [None, None]
        await assert_right(session.connection, range(base, base + PRODUCTS))

    session.run(example())


def test_a_rating_of_a_review_that_goes_at_the_same_moment_is_refused_and_not_counted(session: Session) -> None:
    async def example() -> None:
        base = await shop_of(session.connection)
        gone = f"DELETE FROM reviews WHERE product_id = {base} AND review_id = {base}"
        _, refused = await overlapped(session.url, [gone], [rating_of(base)])
        assert isinstance(refused, asyncpg.ForeignKeyViolationError)
        await assert_right(session.connection, range(base, base + PRODUCTS))

    session.run(example())


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_review_is_not_hidden_under_a_snapshot_that_cannot_see_its_newest_ratings(
    session: Session, level: str
) -> None:
    async def example() -> None:
        base = await shop_of(session.connection)
        other = await asyncpg.connect(session.url)
        try:
            await other.execute(f"BEGIN ISOLATION LEVEL {level}; SELECT FROM products")
            await session.connection.execute(rating_of(base))
            with pytest.raises(asyncpg.InvalidTransactionStateError, match="READ COMMITTED"):
                await other.execute(f"UPDATE reviews SET reported = true WHERE product_id = {base}")
        finally:
            await other.close()
        await assert_right(session.connection, range(base, base + PRODUCTS))

    session.run(example())


async def together(url: str, work: Sequence[Statements]) -> list[BaseException | None]:
    """Every item on a connection of its own, all at once, each statement its own transaction; the first errors."""
    connections = [await asyncpg.connect(url) for _ in work]

    async def one(connection: asyncpg.Connection, statements: Statements) -> BaseException | None:
        for sql in statements:
            if (error := await _transaction(connection, [sql])) is not None:
                return error
        return None

    try:
        return await asyncio.gather(*map(one, connections, work))
    finally:
        for connection in connections:
            await connection.close()


def test_twenty_reviews_of_one_product_at_once_count_twenty(session: Session) -> None:
    async def example() -> None:
        base = next(_numbers)
        await session.connection.execute(f"INSERT INTO products (product_id, name) VALUES ({base}, 'p')")
        assert await together(session.url, [[review_of(base, n)] for n in range(20)]) == [None] * 20
        counts = await session.connection.fetchval("SELECT counts FROM product_figures WHERE product_id = $1", base)
        assert counts == [0] * 14 + [20] + [0] * 5  # four stars, recommended, no photo
        await assert_right(session.connection, [base])

    session.run(example())


def test_statements_over_the_same_products_in_opposite_order_do_not_deadlock(session: Session) -> None:
    many = 60

    async def example() -> None:
        base = next(_numbers)
        await session.connection.execute(
            f"INSERT INTO products (product_id, name) SELECT {base} + n, 'p' FROM generate_series(0, {many - 1}) AS n;"
            f"INSERT INTO characteristics SELECT {base} + n, {base}, 'FIT' FROM generate_series(0, {many - 1}) AS n"
        )

        def reviews(places: range, number: int) -> str:
            return INTO_REVIEWS + ", ".join(
                review_row((p, number), 4, True, False).replace("{b}", str(base)) for p in places
            )

        def ratings(places: range, number: int) -> str:
            return "INSERT INTO ratings VALUES " + ", ".join(
                f"({base + p}, {base + number}, {base}, 1, 3)" for p in places
            )

        up, down = range(many), range(many - 1, -1, -1)
        work = [
            [text for n in range(12) for text in (reviews(places, first + n), ratings(places, first + n))]
            for places, first in ((up, 0), (down, 100), (up, 200), (down, 300))
        ]
        assert await together(session.url, work) == [None] * 4
        await assert_right(session.connection, range(base, base + many))

    session.run(example())
