"""What the dearest texts cost that the limits let through, or that are refused only when they were parsed.

Each family fills one kind of thing up to its limit: fields that are one in the answer, fragments, names that are not
known. Parsing, counting and validating are timed as the gateway does them, in CPU of this process. What a refusal by
length costs a gateway follows in a table of its own.

Run it with ``make bench-limits``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from graphql_api.execution.answer import Answer
from graphql_api.execution.document import Documents
from graphql_api.schema.build import build_schema
from graphql_api.settings import Settings
from perf import refused_lengths

_ROUNDS = 5
_SETTINGS = Settings()
_EQUAL, _SPREADS = _SETTINGS.max_equal_fields, _SETTINGS.max_spreads


def _of_product(fields: str, more: str = "") -> str:
    return f"{{ product(id: 1) {{ {fields} }} }} {more}"


def _spread(count: int, fields: str) -> str:
    spreads = " ".join(f"...F{n}" for n in range(count))
    return _of_product(spreads, " ".join(f"fragment F{n} on Product {{ {fields} }}" for n in range(count)))


def families() -> Iterator[tuple[str, str]]:
    """A name and a text each."""
    doubling = " ".join(f"fragment F{n} on Product {{ ...F{n + 1} ...F{n + 1} }}" for n in range(24))
    paths = " ".join(
        f"fragment F{n} on Product {{ a{n}: reviews {{ nodes {{ product {{ ...F{n + 1} }} }} }}"
        f" b{n}: reviews {{ nodes {{ product {{ ...F{n + 1} }} }} }} }}"
        for n in range(20)
    )
    yield "one scalar, often", _of_product("name " * _EQUAL)
    yield "all scalars, often", _of_product("name slogan description category defaultPrice id productId " * _EQUAL)
    yield "one list, often", _of_product("reviews { nodes { rating } } " * _EQUAL)
    yield "one wide list, often", _of_product("reviews { nodes { rating summary body helpfulness id } } " * _EQUAL)
    yield (
        "lists that multiply",
        _of_product(("reviews { " + ("nodes { " + "rating " * 9 + "} ") * 10 + "} ") * 8),
    )
    yield (
        "arguments, often",
        _of_product('reviews(sort: NEWEST, filter: { ratings: [1, 2], search: "abc" }) { totalCount } ' * 40),
    )
    yield "fragments side by side", _spread(_SPREADS - 1, "name id slogan")
    yield "fragments with lists", _spread(40, "reviews { nodes { id rating } }")
    yield (
        "fragments in a chain",
        _of_product(
            "...F0",
            " ".join(f"fragment F{n} on Product {{ name ...F{n + 1} }}" for n in range(48))
            + " fragment F48 on Product { name }",
        ),
    )
    yield "fragments that double", _of_product("...F0", f"{doubling} fragment F24 on Product {{ name }}")
    yield "empty fragments that double", _of_product("...F0", f"{doubling} fragment F24 on Product {{ ...F25 }}")
    yield "fragments on two ways", _of_product("...F0", f"{paths} fragment F20 on Product {{ name }}")
    yield "a fragment in itself", _of_product("...A", "fragment A on Product { name ...A }")
    lists = "fragment F on Product { " + "reviews { totalCount } " * 220 + "}"
    yield "a fragment that nobody spreads", "{ categories { category } } " + lists
    yield "two fragments of one name", _of_product("...F", lists + " fragment F on Product { name }")
    yield "inline fragments", _of_product("... { " * 200 + "name" + " }" * 200)
    yield "aliases", _of_product(" ".join(f"a{n}: name" for n in range(_SETTINGS.max_aliases)))
    yield "directives", _of_product("name " + "@include(if: true) " * _SETTINGS.max_directives)
    yield "unknown fields", _of_product(" ".join(f"reviewz{n}" for n in range(480)))
    yield "long unknown fields", _of_product(" ".join("r" * 1500 + str(n) for n in range(19)))
    yield "unknown arguments", "{ product(" + ", ".join(f"idd{n}: 1" for n in range(300)) + ") { name } }"
    yield (
        "unknown parts of an input",
        _of_product("reviews(filter: { " + ", ".join(f"rating{n}: 1" for n in range(300)) + " }) { totalCount }"),
    )
    yield (
        "input in input",
        _of_product("reviews(filter: " + "{ ratings: " * 120 + "1" + " }" * 120 + ") { totalCount }"),
    )
    yield (
        "variables of unknown types",
        ("query (" + ", ".join(f"$v{n}: Prodct{n}" for n in range(240)) + ") { categories { category } }"),
    )
    yield (
        "variables that nobody uses",
        ("query (" + ", ".join(f"$v{n}: Int" for n in range(240)) + ") { categories { category } }"),
    )
    yield "operations", " ".join(f"query A{n} {{ categories {{ category }} }}" for n in range(110))
    yield "a long list", "{ products(ids: [" + ", ".join(f'"{n}"' for n in range(900)) + "]) { name } }"
    yield "a long string", f'{{ product(id: "{"x" * 32_000}") {{ name }} }}'
    yield "a long block string", '{ product(id: """' + "\n " * 15_000 + '""") { name } }'
    yield "a long name", "{ " + "x" * 32_000 + " }"
    yield "blanks", "{ " + " " * 32_000 + "x }"
    yield "comments", "#x\n" * 10_000 + "{ categories { category } }"
    yield "one token of a megabyte", f'{{ product(id: "{"x" * 1_000_000}") {{ name }} }}'


def measured(documents: Documents, text: str) -> tuple[float, str]:
    """The least CPU of several rounds in milliseconds, and what became of ``text``."""
    least, came_to = float("inf"), ""
    for _ in range(_ROUNDS):
        begun = time.process_time()
        made = documents.make(text)
        least = min(least, (time.process_time() - begun) * 1000)
        came_to = made.stage.value if isinstance(made, Answer) else "valid"
    return least, came_to


def main() -> None:
    """Measure all, and print the dearest first."""
    documents = Documents(build_schema(), _SETTINGS)
    results = sorted(((*measured(documents, text), len(text), name) for name, text in families()), reverse=True)
    print(f"{'CPU ms':>8}{'bytes':>12}   {'text':32}{'came to'}")
    for milliseconds, came_to, size, name in results:
        print(f"{milliseconds:8.1f}{size:12,}   {name:32}{came_to}")
    print()
    refused_lengths.tell()


if __name__ == "__main__":
    main()
