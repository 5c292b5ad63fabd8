"""Operations have an end, whatever clients send: names are theirs to choose."""

from __future__ import annotations

from pathlib import Path

import httpx

import graphql_api.documents
from graphql_api.instruments.operations import LONGEST_NAME, MOST_OPERATIONS
from tests.harness.gateway import Gateway
from tests.harness.scraping import scraped
from tests.instruments.conftest import Watched
from tests.instruments.test_figures import PAGE, persisted, registered

TRUSTED = {file.stem for file in Path(graphql_api.documents.__file__).parent.glob("*.graphql")}


def operations(http: httpx.Client) -> dict[str, float]:
    """How many requests each label has."""
    counts: dict[str, float] = {}
    for (name, *labels), value in scraped(http).items():
        if name == "reviews_requests_total":
            counts[labels[0]] = counts.get(labels[0], 0) + value
    return counts


def test_a_flood_of_names_makes_no_more_labels_than_there_is_room_for(watched: Watched) -> None:
    with watched() as flooded:
        for number in range(MOST_OPERATIONS + 50):
            assert "errors" not in registered(flooded, f"query Flood{number} {{ __typename }}")
        full = set(scraped(flooded.http))
        for number in range(100):
            flooded.send(f"query Random{number} {{ __typename }}")
            flooded.send(f"query Broken{number} {{ nothing }}")
            flooded.http.get(f"/graphql/p/{number:064x}/Guessed{number}")
            assert "errors" not in registered(flooded, f"query Later{number} {{ __typename }}")
        assert "errors" not in persisted(flooded, PAGE, id="2").json()
        counts = operations(flooded.http)
        assert set(scraped(flooded.http)) - full == {
            ("reviews_requests_total", "ad hoc", "refused"),
            ("reviews_requests_total", "other", "refused"),
            ("reviews_refusals_total", "GRAPHQL_VALIDATION_FAILED"),
            ("reviews_refusals_total", "PERSISTED_QUERY_NOT_FOUND"),
        }
    named = set(counts) - {"other", "ad hoc"}
    assert len(named) == MOST_OPERATIONS
    assert named >= TRUSTED
    assert {name for name in named - TRUSTED if not name.startswith("Flood")} == set()
    assert counts["ad hoc"] == 200
    # Those that came when there was no more room, unknown hashes, and later ones.
    assert counts["other"] == 50 + len(TRUSTED) + 100 + 100
    assert counts["ProductPage"] == 1


def test_a_long_name_and_no_name_are_others(own: Gateway) -> None:
    before = operations(own.http)
    assert "errors" not in registered(own, f"query {'N' * LONGEST_NAME} {{ __typename }}")
    assert "errors" not in registered(own, f"query {'N' * (LONGEST_NAME + 1)} {{ __typename }}")
    assert "errors" not in registered(own, "{ unnamed: __typename }")
    after = operations(own.http)
    assert {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name)} == {
        "N" * LONGEST_NAME: 1,
        "other": 2,
    }
