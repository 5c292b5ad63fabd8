"""How much the variables of a request may hold, before anything looks at what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

# Made once: a union of types is an object that each look would make.
_NESTED = (dict, list)


@dataclass(frozen=True, slots=True)
class VariableBounds:
    """The most bytes of JSON, lists and objects in each other, and items of a list."""

    size: int
    depth: int
    items: int

    def broken(self, variables: dict[str, Any]) -> str | None:
        """What is wrong with ``variables``; ``None`` where nothing is."""
        try:
            size = len(orjson.dumps(variables))
        except orjson.JSONEncodeError:  # it writes 254 of them in each other, and reads 1,024
            return self._too_deep()
        if size > self.size:
            return f"The variables have more than {self.size} bytes: send less at once."
        return self._broken(variables, 1)

    def _too_deep(self) -> str:
        return f"The variables have more than {self.depth} lists and objects in each other."

    def _broken(self, value: dict[str, Any] | list[Any], depth: int) -> str | None:
        if depth > self.depth:
            return self._too_deep()
        if isinstance(value, list) and len(value) > self.items:
            return f"A list of the variables has more than {self.items} items: send less at once."
        for part in value.values() if isinstance(value, dict) else value:
            if isinstance(part, _NESTED):
                found = self._broken(part, depth + 1)
                if found is not None:
                    return found
        return None
