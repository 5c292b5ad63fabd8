"""What is noted of one request while it is answered."""

from __future__ import annotations

from typing import Any, Protocol

from graphql import OperationDefinitionNode

from loaders.observer import Batch


class Noted(Protocol):
    """What is known of a document: its hash, and by an operation's ``id`` where its requests are counted."""

    sha256: str
    figures: dict[int, Any]


class Observation:
    """One request, from ``begun`` on; times are those of ``time.perf_counter``, in seconds.

    ``batches`` are those that had keys of it, each with the moment in which they were asked for. ``settled`` is when
    all it shows was there, and what was left was to write it down; 0 where it never came to that. ``is_ad_hoc``:
    it brought a text that nobody can ask for by a hash.
    """

    __slots__ = ("batches", "begun", "cost", "document", "is_ad_hoc", "operation", "request_id", "settled", "span")

    def __init__(self, request_id: str, begun: float) -> None:
        self.request_id = request_id
        self.begun = begun
        self.document: Noted | None = None
        self.is_ad_hoc = False
        self.operation: OperationDefinitionNode | None = None
        self.cost: int | None = None
        self.batches: list[tuple[float, Batch]] = []
        self.settled = 0.0
        self.span: Any = None
