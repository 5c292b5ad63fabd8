"""Which votes and reports an operator means: by review, product, voter, client and time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.orm import InstrumentedAttribute

from graphql_api.db.models import HelpfulVote, Moderation, Report, Review
from graphql_api.errors import OperatorError
from graphql_api.limits.clients import Clients
from graphql_api.mutations.user_error import Problems
from graphql_api.mutations.voters import client_digest, voter_digest
from graphql_api.schema import identity
from graphql_api.settings import Settings

Written = type[HelpfulVote] | type[Report] | type[Moderation]
WRITTEN_AT: dict[Any, InstrumentedAttribute[datetime]] = {
    HelpfulVote: HelpfulVote.voted_at,
    Report: Report.reported_at,
    Moderation: Moderation.made_at,
}
_AGO = re.compile(r"(\d{1,6})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_HASH = re.compile(r"[0-9a-f]{8,64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is given must fit, all of it. ``mark`` is how the hash of a voter or client begins, in hexadecimal."""

    reviews: tuple[tuple[int, ...], ...] = ()
    product: int | None = None
    voter: bytes | None = None
    client: bytes | None = None
    mark: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def names_somebody(self) -> bool:
        """Whether it says who, and not only where and when."""
        return self.voter is not None or self.client is not None or self.mark is not None

    def conditions(self, of: Written) -> list[ColumnElement[bool]]:
        """What rows of ``of`` must meet; empty for all rows. A moderation is nobody's, and is not asked who made it."""
        met: list[ColumnElement[bool]] = []
        at = WRITTEN_AT[of]
        if self.reviews:
            met.append(or_(*(one_of(of, numbers) for numbers in self.reviews)))
        if self.product is not None:
            met.append(of.product_id == self.product)
        if self.since is not None:
            met.append(at >= self.since)
        if self.until is not None:
            met.append(at < self.until)
        if of is not Moderation:
            met.extend(self._by_whom(of))
        return met

    def _by_whom(self, of: Any) -> list[ColumnElement[bool]]:
        met: list[ColumnElement[bool]] = []
        if self.voter is not None:
            met.append(of.voter == self.voter)
        if self.client is not None:
            met.append(of.client == self.client)
        if self.mark is not None:
            met.append(or_(*(func.encode(hashed, "hex").startswith(self.mark) for hashed in (of.voter, of.client))))
        return met


def one_of(of: Written | type[Review], numbers: tuple[int, ...]) -> ColumnElement[bool]:
    """Whether a row of ``of`` is of the review with ``numbers``: product and review, or the review's alone."""
    if len(numbers) == 1:
        return of.review_id == numbers[0]
    return and_(of.product_id == numbers[0], of.review_id == numbers[1])


def review_of(any_id: str) -> tuple[int, ...]:
    """The numbers of a global id or plain number. Raises ``OperatorError`` for what is neither."""
    numbers = identity.numbers_of("Review", any_id.strip())
    if numbers is None:
        raise OperatorError(f"{any_id!r} names no review: give its number or its global id.")
    return numbers


def wanted_of(
    settings: Settings,
    *,
    review: tuple[str, ...] = (),
    product: str | None = None,
    voter: str | None = None,
    client: str | None = None,
    mark: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Wanted:
    """What was written on the command line. Raises ``OperatorError`` for what cannot be meant."""
    number = None if product is None else identity.numbers_of("Product", product.strip())
    if product is not None and number is None:
        raise OperatorError(f"{product!r} names no product: give its number or its global id.")
    if mark is not None and not _HASH.fullmatch(mark.lower()):
        raise OperatorError(f"{mark!r} is no beginning of a hash: give 8 to 64 hexadecimal digits, as who lists them.")
    return Wanted(
        reviews=tuple(review_of(one) for one in review),
        product=None if number is None else number[0],
        voter=None if voter is None else _voter(voter, settings),
        client=None if client is None else _client(client, settings),
        mark=None if mark is None else mark.lower(),
        since=None if since is None else moment(since),
        until=None if until is None else moment(until),
    )


def _voter(mark: str, settings: Settings) -> bytes:
    digest = voter_digest(mark, settings.voter_secret, Problems())
    if digest is None:
        raise OperatorError(f"{mark!r} is no mark of a voter: a mark has 1 to 200 characters.")
    return digest


def _client(address: str, settings: Settings) -> bytes:
    digest = client_digest(Clients(()).of(address.strip(), None), settings.voter_secret)
    if digest is None:
        raise OperatorError("Clients are told apart by a key only: set REVIEWS_VOTER_SECRET to that of the gateway.")
    return digest


def moment(text: str) -> datetime:
    """``2026-11-26T10:00``, in UTC unless it says otherwise, or ``30m``, ``2h``, ``7d`` for so long ago."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise OperatorError(
            f"{text!r} is no time: write it like 2026-11-26T10:00, or like 2h for two hours ago (m, h, d)."
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
