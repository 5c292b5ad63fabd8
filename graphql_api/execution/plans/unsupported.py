"""What a plan does not cover: graphql-core runs it."""

from __future__ import annotations


class UnsupportedError(Exception):
    """The operation has no plan. ``reason`` is a word or two for the metric that counts them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
