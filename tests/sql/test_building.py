"""No statement is built from strings: what is not of constants alone is listed here, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphql_api.errors import OperatorError
from graphql_api.settings import Settings
from tests.sql.building import built_statements

ROOT = Path(__file__).parents[2]
FOLDERS = ("graphql_api", "loaders", "etl", "alembic")

# File and function, and why nothing that somebody sends can get in. SET, PREPARE, EXPLAIN and DDL take no parameters.
ALLOWED = {
    ("graphql_api/db/granting.py", "_templates"): "names of our own; the role is quoted by PostgreSQL's format()",
    ("graphql_api/db/pooler.py", "begin_with"): "names and numbers of our own, made at the start",
    ("graphql_api/explaining/query_plan.py", "query_plan"): "a loader's compiled text, keys that PostgreSQL has quoted",
    ("graphql_api/explaining/query_plan.py", "_literals"): "places, and names of types as PostgreSQL tells them",
    ("etl/statements.py", "_analyze"): "names of tables and columns, quoted by SQLAlchemy",
    ("etl/statements.py", "_set_triggers"): "the same, and one of two words",
}


def test_every_statement_is_of_constants_or_listed_with_its_reason() -> None:
    found = {
        (str(path.relative_to(ROOT)), built.function)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for built in built_statements(path.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    "line",
    [
        "c.execute(f'SELECT * FROM reviews WHERE body = {given}')",
        "c.fetch('SELECT * FROM reviews WHERE body = ' + given)",
        "c.fetchrow('SELECT * FROM reviews WHERE body = %s' % given)",
        "c.fetchval('SELECT {}'.format(given))",
        "c.execute(''.join(['SELECT ', given]))",
        "c.execute(TEXT.replace('x', given))",
        "c.execute(TEXT.format(given))",
        "c.exec_driver_sql(f'{given}')",
        "c.execute(text(f'name = {given}'))",
        "select(text('a' + given))",
        "q.op(f'{given}')",
        "c.prepare(f'{given}')",
        "sql = f'SELECT {given}'",
        "sql = 'DELETE FROM reviews WHERE id = ' + str(given)",
        "sql = 'UPDATE reviews SET body = %s' % given",
        "sql = TEXT\n    sql += f'INSERT INTO x VALUES ({given})'",
        "for one in given:\n        c.execute(f'DROP TABLE {one}')",
        "c.execute(f'DROP TABLE {TEXT}') or (TEXT := given)",
        "[c.execute(f'DROP TABLE {one}') for one in read()]",
        "return 'SELECT 1 WHERE ' + ' AND '.join(f'{name} = 1' for name in given)",
    ],
)
def test_a_statement_of_something_given_is_found(line: str) -> None:
    assert built_statements(f"TEXT = 'SELECT x'\ndef read(): ...\ndef ask(c, q, given):\n    {line}\n") != []


@pytest.mark.parametrize(
    "line",
    [
        "c.fetch('SELECT $1', given)",
        "c.execute(TEXT, given)",
        "c.execute(f'LOCK TABLE {TABLES}')",
        "for one in TABLES:\n        c.execute(f'DROP TABLE {one}')",
        "c.execute(select(x).where(x.body == given))",
        "raise ValueError(f'{given} is no number')",
    ],
)
def test_a_statement_with_parameters_or_of_constants_is_not(line: str) -> None:
    assert built_statements(f"TEXT = 'SELECT x'\nTABLES = ('a',)\ndef ask(c, given):\n    {line}\n") == []


def test_the_settings_that_are_written_into_a_statement_are_numbers() -> None:
    with pytest.raises(OperatorError):
        Settings.from_environment({"REVIEWS_STATEMENT_TIMEOUT_MS": "1; DROP TABLE reviews"})
