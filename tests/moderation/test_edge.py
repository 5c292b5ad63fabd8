"""An edge forgets what an operator changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documents.test_documents import DOCUMENTS
from tests.harness.edge import Fronted, running_edge
from tests.harness.processes import wait_for
from tests.moderation.conftest import Moderated

HASH = hashlib.sha256(DOCUMENTS["ProductPage"].encode()).hexdigest()


@pytest.fixture
def fronted(nginx: str, moderated: Moderated, tmp_path: Path) -> Iterator[Fronted]:
    assert nginx
    with running_edge(moderated.one, tmp_path) as running:
        yield running


def test_a_kept_page_is_shown_no_more_after_a_hide_a_restore_and_an_undo(
    fronted: Fronted, moderated: Moderated
) -> None:
    product = moderated.shop.product()
    review = moderated.shop.review(product)
    moderated.vote(review, "a")
    path = f"/graphql/p/{HASH}/ProductPage?variables=%7B%22id%22:{product.number}%7D"

    def seen() -> tuple[int, list[int]]:
        found: dict[str, Any] = fronted.http.get(path).json()["data"]["product"]
        return found["ratingSummary"]["count"], [node["helpfulness"] for node in found["reviews"]["nodes"]]

    def is_kept() -> bool:
        kept: bool = fronted.http.get(path).headers["x-cache"] == "HIT"
        return kept

    # The edge hears of the vote a moment after it, and forgets the page once more then.
    assert seen() == (1, [1])
    wait_for(is_kept)
    assert seen() == (1, [1])
    for command, expected in (
        (("hide", review), (0, [])),
        (("restore", review), (1, [1])),
        (("undo-votes", "--review", review), (1, [0])),
    ):
        moderated.do(*command)
        wait_for(lambda expected=expected: seen() == expected)
        wait_for(is_kept)
        assert seen() == expected
