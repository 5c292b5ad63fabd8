"""The contract: the committed SDL is what the code declares, and it explains all of itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from graphql import (
    GraphQLNamedType,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_introspection_type,
    is_object_type,
)

from graphql_api.cli import main
from graphql_api.schema.build import build_schema

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "graphql_api" / "schema" / "schema.graphql"


@pytest.mark.parametrize("suggestions", [True, False])
def test_the_committed_schema_is_the_one_that_the_code_declares(suggestions: bool) -> None:
    declared = build_schema(suggestions=suggestions).as_str() + "\n"
    assert COMMITTED.read_text(encoding="utf-8") == declared, "the code declares another schema: run make schema"


def test_the_schema_command_prints_the_committed_schema() -> None:
    printed = CliRunner().invoke(main, ["schema"])
    assert (printed.exit_code, printed.output) == (0, COMMITTED.read_text(encoding="utf-8"))


def descriptions(type_: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    """The description of a type and of everything in it, each with its path."""
    yield type_.name, type_.description
    if is_enum_type(type_):
        for name, value in type_.values.items():
            yield f"{type_.name}.{name}", value.description
    if is_input_object_type(type_):
        for name, given in type_.fields.items():
            yield f"{type_.name}.{name}", given.description
    if is_object_type(type_) or is_interface_type(type_):
        for name, field in type_.fields.items():
            yield f"{type_.name}.{name}", field.description
            for argument, taken in field.args.items():
                yield f"{type_.name}.{name}({argument}:)", taken.description


def test_everything_in_the_schema_has_a_description() -> None:
    schema = build_schema().graphql_schema
    types = [type_ for type_ in schema.type_map.values() if not is_introspection_type(type_)]
    described = dict(pair for type_ in types for pair in descriptions(type_))
    assert [path for path, text in described.items() if not (text or "").strip()] == []
    # Each kind of thing was walked to.
    for path in (
        "Query",
        "Query.catalog",
        "Query.catalog(search:)",
        "Node.id",
        "ReviewFilter.search",
        "ReviewSort.NEWEST",
    ):
        assert path in described


def test_every_directive_in_the_schema_has_a_description() -> None:
    directives = build_schema().graphql_schema.directives
    described = {f"@{directive.name}": directive.description for directive in directives}
    for directive in directives:
        described |= {f"@{directive.name}({name}:)": given.description for name, given in directive.args.items()}
    assert [path for path, text in described.items() if not (text or "").strip()] == []


# Run in a process of its own: what it opens, connects to or starts is written down by an audit hook.
IMPORTING = """
import os, sys, threading
done = []
def hook(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and arguments[1] not in ("r", "rb")
    if writes or event in ("os.putenv", "os.unsetenv") or event.startswith(("socket.", "subprocess.", "os.fork")):
        done.append((event, *map(str, arguments[:2])))
environment = dict(os.environ)
sys.addaudithook(hook)
from graphql_api.schema.build import build_schema
build_schema()
assert dict(os.environ) == environment
assert threading.active_count() == 1
print(done)
"""


def test_importing_and_building_the_schema_reads_no_setting_and_opens_nothing(tmp_path: Path) -> None:
    # Each of these would be refused if it were read.
    environment = {"DATABASE_URL": "nonsense", "REVIEWS_PORT": "nonsense", "REVIEWS_MISSPELT": "1", "PATH": ""}
    ran = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", IMPORTING],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "[]\n", "")
    assert list(tmp_path.iterdir()) == []
