"""``Server-Timing``: what a request's time was spent on. Source: W3C Server Timing."""

from __future__ import annotations

from collections.abc import Iterable

from graphql_api.instruments.observation import Observation


def server_timing(observed: Observation, ended: float) -> bytes:
    """The header's value: milliseconds that add up to those from the request's head until ``ended``.

    ``db``: a batch of its keys was under way, so statements at once count once. ``queue``: none was, and keys waited
    for theirs to begin. ``encode``: all that it shows was there, and became JSON. ``plan``: everything else.
    """
    encode = max(ended - observed.settled, 0.0) if observed.settled else 0.0
    until = ended - encode
    batches = [(asked, batch.began, min(batch.ended or until, until)) for asked, batch in observed.batches]
    db = _covered((began, end) for _, began, end in batches)
    queue = _covered((asked, end) for asked, _, end in batches) - db
    plan = until - observed.begun - db - queue
    parts = (("queue", queue), ("plan", plan), ("db", db), ("encode", encode))
    return ", ".join(f"{name};dur={seconds * 1000:.3f}" for name, seconds in parts).encode()


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """How long at least one of ``spans`` lasted."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        if end > reached:
            covered += end - max(start, reached)
            reached = end
    return covered
