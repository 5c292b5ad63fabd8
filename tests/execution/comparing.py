"""Whether two answers to one request say the same, as far as the GraphQL specification settles what is said.

The data must be equal, order of keys included, and so must the status and the errors: each with its path, message,
locations and extensions, in any order. The request's id in an error's extensions is left out.

One thing is left open. Where an error meets a type that admits no null, the field above becomes null in its place
(section 6.4.4, Handling Execution Errors). The siblings below that field may then be cancelled, so of several errors
there an execution reports those that it came to, and how many those are is a matter of time. So below a position that
became null this way both sides must report an error, and the place of the null is for the data to say; what both report
at the same path must still be the same.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
_NOWHERE = object()


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: its status and its body as JSON."""

    status: int
    body: dict[str, Any]


@dataclass
class _Errors:
    """An answer's errors: those that stand for themselves, and those below each position nulled by propagation."""

    settled: Counter[str]
    below: dict[Path, dict[Path, Counter[str]]]


def differences(one: Reply, other: Reply) -> list[str]:
    """What the answers say differently, a sentence each; empty where they agree."""
    found = []
    if one.status != other.status:
        found.append(f"the status is {one.status} and {other.status}")
    if one.body.keys() != other.body.keys():
        found.append(f"the answer has {sorted(one.body)} and {sorted(other.body)}")
    # As text, for the order of keys, and for 1 not to be 1.0 or true.
    if json.dumps(one.body.get("data")) != json.dumps(other.body.get("data")):
        return [*found, "the data are not the same"]
    first, second = _errors(one), _errors(other)
    for missing, sign in ((first.settled - second.settled, "first"), (second.settled - first.settled, "second")):
        found.extend(f"only the {sign} reports {error}" for error in missing.elements())
    for position in first.below.keys() | second.below.keys():
        here, there = first.below.get(position), second.below.get(position)
        if here is None or there is None:
            found.append(f"only the {'second' if here is None else 'first'} says why {list(position)} is null")
        else:
            found.extend(
                f"at {list(path)} the errors are {list(here[path])} and {list(there[path])}"
                for path in here.keys() & there.keys()
                if here[path] != there[path]
            )
    return found


def _errors(reply: Reply) -> _Errors:
    sorted_out = _Errors(Counter(), {})
    for error in reply.body.get("errors", ()):
        path = tuple(error.get("path", ()))
        shown = _shown(error)
        position = _null_above(reply.body.get("data"), path) if "path" in error else None
        if position is None:
            sorted_out.settled[shown] += 1
        else:
            sorted_out.below.setdefault(position, {}).setdefault(path, Counter())[shown] += 1
    return sorted_out


def _null_above(data: Any, path: Path) -> Path | None:
    """The null that ``path`` runs into before its end; ``None`` if it runs into none."""
    for length in range(len(path)):
        if _at(data, path[:length]) is None:
            return path[:length]
    return None


def misplaced(reply: Reply) -> list[Path]:
    """The paths of errors that lead to a value, or to nowhere: an error leaves a null."""
    paths = [tuple(error["path"]) for error in reply.body.get("errors", ()) if "path" in error]
    return [path for path in paths if _at(reply.body["data"], path) is not None]


def _at(data: Any, path: Path) -> Any:
    """What ``path`` leads to, ``None`` from a null on, ``_NOWHERE`` where there is no such place."""
    for key in path:
        if data is None:
            return None
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return _NOWHERE
    return data


def _shown(error: dict[str, Any]) -> str:
    extensions = {name: value for name, value in error.get("extensions", {}).items() if name != "requestId"}
    return json.dumps({**error, "extensions": extensions}, sort_keys=True)
