"""Writes that know what they change, and that may be sent again under the same key."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from graphql_api.schema.identity import encode
from tests.edge.checking.client import Response, post
from tests.edge.checking.world import Quantity, Shown, World

ADD = "mutation Add($input: AddReviewInput!) { addReview(input: $input) { review { id } userErrors { code } } }"
VOTE = (
    "mutation Vote($input: MarkReviewHelpfulInput!)"
    " { markReviewHelpful(input: $input) { review { helpfulness } userErrors { code } } }"
)
REPORT = "mutation Report($input: ReportReviewInput!) { reportReview(input: $input) { deletedReviewId } }"
_ID = re.compile(rb'"review":{"id":"([^"]+)"')


@dataclass(frozen=True)
class Write:
    """A write that has begun. ``quantity`` is what it raises, or lowers where it is a report."""

    product: Shown
    query: str
    input_: dict[str, Any]
    key: str

    @property
    def quantity(self) -> Quantity:
        """What it changes."""
        return self.product.votes if self.query is VOTE else self.product.count

    @property
    def request(self) -> bytes:
        """As it is sent, each time the same."""
        body = json.dumps({"query": self.query, "variables": {"input": self.input_}}).encode()
        return post(body, [f"Idempotency-Key: {self.key}"] if self.query is ADD else [])

    def acknowledge(self, answer: Response, world: World, edge: int) -> bool:
        """Note that ``edge`` has said it is done; ``False`` where the answer does not say so."""
        if self.query is REPORT:
            self.quantity.down[edge] += 1
            return True
        if self.query is ADD:
            found = _ID.search(answer.body)
            if found is None:
                return False
            padded = found[1] + b"=" * (-len(found[1]) % 4)
            number = int(base64.urlsafe_b64decode(padded).rsplit(b":", 1)[1])
            world.newest = max(world.newest, number)
            world.added[edge].add(number)
            world.reportable.append((self.product, number))
        self.quantity.up[edge] += 1
        return True


def vote(product: Shown, key: str, *, voter: bool) -> Write:
    """A vote begins. ``voter``: it is counted once, however often it is sent."""
    product.votes.begun_up += 1
    # By its plain number it is stored by itself, by its global id beside others of the moment.
    review = str(product.voted) if key.endswith("0") else encode("Review", product.number, product.voted)
    return Write(product, VOTE, {"reviewId": review} | ({"voter": key} if voter else {}), key)


def addition(product: Shown, key: str) -> Write:
    """A new review begins."""
    product.count.begun_up += 1
    return Write(product, ADD, _review_of(product), key)


def report(world: World, key: str) -> Write:
    """The report of a review that the checker has added begins."""
    product, number = world.reportable.pop()
    # From now on it may be gone, for everyone.
    for added in world.added:
        added.discard(number)
    product.count.begun_down += 1
    return Write(product, REPORT, {"reviewId": encode("Review", product.number, number)}, key)


def _review_of(product: Shown) -> dict[str, Any]:
    return {
        "productId": str(product.number),
        "rating": 4,
        "summary": "Checked",
        "body": "Long enough to be a review that the gateway takes as one, and no longer.",
        "recommended": True,
        "reviewerName": "checker",
        "reviewerEmail": "checker@example.com",
        "characteristics": [{"characteristicId": str(number), "value": 5} for number in product.characteristics],
    }
