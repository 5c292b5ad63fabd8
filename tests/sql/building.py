"""Where a program builds SQL from strings, found in its syntax tree."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from typing import NamedTuple

_RUN = frozenset(
    {
        "execute", "executemany", "exec_driver_sql", "fetch", "fetchrow", "fetchval", "fetchmany", "prepare", "cursor",
        "stream", "scalar", "scalars", "copy_from_query", "text", "literal_column", "DDL", "prefix_with", "suffix_with",
        "with_hint", "with_statement_hint", "from_statement", "op", "custom_op",
    }
)  # fmt: skip
_FORMS = frozenset({"format", "format_map", "join", "replace", "substitute", "safe_substitute", "translate"})
# As this project writes SQL: words in capitals. A sentence for people that begins so is told apart by what follows.
_SQL = re.compile(
    r"\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|DROP|CREATE|ALTER|LOCK TABLE|SET|RESET|COPY|EXPLAIN|EXECUTE|"
    r"PREPARE|DEALLOCATE|WITH|VALUES|ANALYZE|VACUUM|REINDEX|BEGIN|COMMENT ON|GRANT|REVOKE|LISTEN|NOTIFY|REFRESH|DO)\s"
)

_UNKNOWN = ast.Name("?")


class Built(NamedTuple):
    """A statement that is built: the function it is in (``<module>`` outside), its line, its source text."""

    function: str
    line: int
    source: str


def built_statements(source: str) -> list[Built]:
    """Statements of ``source`` that are built of more than constants of its module, in their order."""
    tree = ast.parse(source)
    standing = set(dir(builtins)) | _bound(tree.body)
    return sorted({Built(name, node.lineno, ast.unparse(node)) for name, node in _found(tree, standing)})


def _found(tree: ast.Module, standing: set[str]) -> Iterator[tuple[str, ast.expr]]:
    for function, node, loops in _walked(tree, "<module>", {}):
        candidates: list[ast.expr] = []
        if isinstance(node, ast.Call) and _called(node) in _RUN and node.args:
            candidates.extend(one for one in ast.walk(node.args[0]) if isinstance(one, ast.expr) and _is_built(one))
        elif isinstance(node, ast.expr) and _is_built(node) and _begins_as_sql(node):
            candidates.append(node)
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and _begins_as_sql(node.value):
            candidates.append(node.value)
        for one in candidates:
            if not _of_constants(one, standing, loops):
                yield function, one


def _walked(
    node: ast.AST, function: str, loops: dict[str, ast.expr]
) -> Iterator[tuple[str, ast.AST, dict[str, ast.expr]]]:
    """Each node with its function and what the loops around it go over, by the names that they give."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
        # What it is given and what it makes hides a constant of the same name.
        own = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
        own |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
        loops = loops | dict.fromkeys(own, _UNKNOWN)
    if isinstance(node, ast.For | ast.AsyncFor):
        loops = loops | dict.fromkeys(_names(node.target), node.iter)
    for comprehension in getattr(node, "generators", ()):
        loops = loops | dict.fromkeys(_names(comprehension.target), comprehension.iter)
    yield function, node, loops
    for child in ast.iter_child_nodes(node):
        yield from _walked(child, function, loops)


def _called(call: ast.Call) -> str | None:
    return getattr(call.func, "attr", None) or getattr(call.func, "id", None)


def _is_built(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod) and any(_is_text(one) for one in ast.walk(node))
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _FORMS
        and (_is_text(node.func.value) or _called(node) != "join")
    )


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _begins_as_sql(node: ast.expr) -> bool:
    texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return any(_SQL.match(text) for text in texts)


def _of_constants(node: ast.expr, standing: set[str], loops: dict[str, ast.expr]) -> bool:
    """Whether all of its names are the module's own, or go over something of which that is true."""
    for name in _names(node):
        if name in loops:
            over = loops[name]
            if not _of_constants(over, standing, {key: held for key, held in loops.items() if key != name}):
                return False
        elif name not in standing:
            return False
    return True


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _bound(body: list[ast.stmt]) -> set[str]:
    """The names that a module gives to constants and imports: not to functions, whose results may hold anything."""
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {(one.asname or one.name).partition(".")[0] for one in statement.names}
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names.update(*(_names(target) for target in targets))
    return names
