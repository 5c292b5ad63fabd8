"""Every page of the catalogue put into the cache of an edge, so that what is asked for later is a hit."""

from __future__ import annotations

from graphql_api.errors import OperatorError
from perf.ladder.load import Load, closed

_SECONDS = 2


def fill(address: str, products: int, *, connections: int) -> None:
    """Ask the edge at ``address`` for pages 1 to ``products``. Raises ``OperatorError`` where one is not answered."""
    load = Load(address, "each", products)
    reached = 0
    while reached < products:
        seen = closed(load, connections=connections, seconds=_SECONDS, seed=reached)
        if seen.errors or seen.requests <= connections:
            raise OperatorError(f"The cache cannot be filled: {seen.requests} answers, {seen.errors} errors.")
        # Each connection's last request was cut off when the time was over.
        reached += seen.requests - connections
