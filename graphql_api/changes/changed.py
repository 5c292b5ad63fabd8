"""What the mutations of one request have written, as the edge is told before the client is answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

NO_TRANSACTION = "0"
"""Stands where nothing was written because it was done before: those who ask from now on must see it all the same."""

NO_PLACE = "0/0"
"""Before everything in the log: how far it is is not known."""

MOST_TAGS = 400
"""An answer with more is kept by no edge; a write with more is told as one of everything."""


@dataclass(slots=True)
class Changed:
    """The transactions, the place of the last one in the primary's log, and the tags that they touched."""

    xids: list[str] = field(default_factory=list)
    lsn: str = NO_PLACE
    tags: set[str] = field(default_factory=set)

    def add(self, xid: str, lsn: str, tags: Iterable[str]) -> None:
        """One more transaction, which committed after the others."""
        self.xids.append(xid)
        if lsn != NO_PLACE:
            self.lsn = lsn
        self.tags.update(tags)

    def header(self) -> bytes:
        """The value of the header ``Changed``: ``<xid>[,<xid>…] <lsn> <tag> …``."""
        tags = sorted(self.tags) if len(self.tags) <= MOST_TAGS else ["all"]
        return " ".join([",".join(self.xids), self.lsn, *tags]).encode()
