"""Clients that send a hash, and its text when the hash is missed: Apollo Client and urql."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from graphql_api.settings import Secret, Settings
from tests.clients.storefront import MUTATIONS, QUERIES, Storefront
from tests.clients.visits import Clients, Exchange, Visit
from tests.harness.databases import Databases, rows, run, value
from tests.harness.gateway import Gateway, running_gateway

MISS = [("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")]

# Where nobody knows the documents: an empty store, and a gateway that started after the store was wiped.
UNKNOWN = ["registering", "forgotten"]
# Where they are known: to the same gateway, to another one through the store, and to the first one's memory alone.
KNOWN = ["returning", "elsewhere", "remembered"]


@dataclass(frozen=True)
class Story:
    """What one client saw on its visits, how many documents were stored after each, and the gateway that came first."""

    client: str
    visits: dict[str, Visit]
    stored: dict[str, int]
    gateway: Gateway
    storefront: Storefront


@pytest.fixture(scope="module", params=["apollo", "urql"])
def story(
    request: pytest.FixtureRequest, clients: Clients, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """Five visits, each by a client that remembers nothing, to three gateways on one database of the story's own."""
    database = databases.migrated()
    storefront = Storefront(database)
    settings = Settings(database_url=Secret(database), state=tmp_path_factory.mktemp("gateway"))
    visits: dict[str, Visit] = {}
    stored: dict[str, int] = {}

    def visit(name: str, gateway: Gateway) -> None:
        visits[name] = clients.visit(f"{request.param}.mjs", f"{gateway.url}/graphql", storefront.operations())
        stored[name] = value(database, "SELECT count(*) FROM documents")

    with running_gateway(settings) as first:
        with running_gateway(settings) as second:
            visit("registering", first)
            visit("returning", first)
            visit("elsewhere", second)
        run(database, "DELETE FROM documents")
        visit("remembered", first)
        with running_gateway(settings) as third:
            visit("forgotten", third)
        yield Story(request.param, visits, stored, first, storefront)


def persisted(exchange: Exchange) -> dict[str, Any]:
    """What a request says of its persisted operation."""
    told: dict[str, Any] = exchange.parameters["extensions"]["persistedQuery"]
    return told


@pytest.mark.parametrize("visit", [*UNKNOWN, *KNOWN])
def test_the_client_is_content(story: Story, visit: str) -> None:
    errors = {name: seen.error for name, seen in story.visits[visit].items()}
    assert errors == dict.fromkeys((*QUERIES, *MUTATIONS))


@pytest.mark.parametrize("visit", UNKNOWN)
@pytest.mark.parametrize("query", QUERIES)
def test_an_unknown_query_is_asked_for_by_get_and_then_with_its_text(story: Story, visit: str, query: str) -> None:
    asked, registered = story.visits[visit][query].exchanges
    assert (asked.method, set(asked.parameters)) == ("GET", {"operationName", "variables", "extensions"})
    assert (registered.status, registered.errors) == (200, [])
    assert hashlib.sha256(registered.parameters["query"].encode()).hexdigest() == persisted(asked)["sha256Hash"]
    assert persisted(registered)["sha256Hash"] == persisted(asked)["sha256Hash"]


@pytest.mark.parametrize("visit", UNKNOWN)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_an_unknown_mutation_is_posted_twice_and_kept_by_no_one(story: Story, visit: str, mutation: str) -> None:
    asked, registered = story.visits[visit][mutation].exchanges
    assert (asked.method, "query" in asked.parameters) == ("POST", False)
    assert (registered.method, "query" in registered.parameters) == ("POST", True)
    assert (registered.status, registered.errors) == (200, [])
    assert (registered.headers["cache-control"], registered.headers.get("etag")) == ("no-store", None)


@pytest.mark.parametrize("visit", UNKNOWN)
def test_a_miss_is_an_answer_without_data_that_no_one_keeps(story: Story, visit: str) -> None:
    for seen in story.visits[visit].values():
        miss = seen.exchanges[0]
        assert (miss.status, miss.errors, "data" in miss.answer) == (200, MISS, False)
        assert (miss.headers["cache-control"], miss.headers["vary"]) == ("no-store", "Accept")
        assert "etag" not in miss.headers


@pytest.mark.parametrize("visit", KNOWN)
@pytest.mark.parametrize("query", QUERIES)
def test_a_known_query_is_one_get_whose_answer_is_kept_and_asked_about(story: Story, visit: str, query: str) -> None:
    (hit,) = story.visits[visit][query].exchanges
    assert (hit.method, set(hit.parameters)) == ("GET", {"operationName", "variables", "extensions"})
    assert (hit.status, hit.errors) == (200, [])
    assert hit.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert hit.headers["vary"] == "Accept"
    assert hit.headers["etag"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_known_query_has_one_url_and_one_tag_at_every_gateway(story: Story, query: str) -> None:
    hits = [story.visits[visit][query].exchanges[0] for visit in KNOWN]
    assert len({httpx.URL(hit.url).query for hit in hits}) == 1
    assert len({hit.headers["etag"] for hit in hits}) == 1


@pytest.mark.parametrize("visit", KNOWN)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_known_mutation_is_one_post_that_no_one_keeps(story: Story, visit: str, mutation: str) -> None:
    (hit,) = story.visits[visit][mutation].exchanges
    assert (hit.method, set(hit.parameters)) == ("POST", {"operationName", "variables", "extensions"})
    assert (hit.status, hit.errors) == (200, [])
    assert (hit.headers["cache-control"], hit.headers.get("etag")) == ("no-store", None)


@pytest.mark.parametrize("visit", [*UNKNOWN, *KNOWN])
@pytest.mark.parametrize("query", QUERIES)
def test_a_query_gives_what_its_posted_text_gives(story: Story, visit: str, query: str) -> None:
    text = story.visits["registering"][query].exchanges[-1].parameters["query"]
    seen = story.visits[visit][query]
    plain = story.gateway.data(text, **seen.exchanges[-1].parameters["variables"])
    assert seen.exchanges[-1].answer == {"data": plain}
    assert seen.data == plain


@pytest.mark.parametrize("visit", [*UNKNOWN, *KNOWN])
def test_the_mutations_did_what_they_say(story: Story, visit: str) -> None:
    data = [story.visits[visit][name].data for name in MUTATIONS]
    added, marked, reported = (next(iter(one.values())) for one in data if one is not None)
    assert [payload["userErrors"] for payload in (added, marked, reported)] == [[], [], []]
    assert (added["review"]["summary"], marked["review"]["helpfulness"]) == ("Good", 1)
    assert reported["deletedReviewId"] == marked["review"]["id"]


def test_a_mutation_that_was_missed_first_wrote_once(story: Story) -> None:
    ((added, reported, votes),) = rows(
        story.gateway.database,
        """SELECT count(*) FILTER (WHERE summary = 'Good'), count(*) FILTER (WHERE reported),
                  (SELECT count(*) FROM helpful_votes) FROM reviews""",
    )
    assert (added, reported, votes) == (5, 5, 5)


@pytest.mark.parametrize("visit", ["registering", "returning", "elsewhere", "forgotten"])
def test_each_document_is_stored_once(story: Story, visit: str) -> None:
    assert story.stored[visit] == len(QUERIES) + len(MUTATIONS)


@pytest.mark.parametrize("query", QUERIES)
def test_a_browser_that_has_the_answer_is_told_to_keep_it(story: Story, query: str) -> None:
    (hit,) = story.visits["remembered"][query].exchanges
    headers = {"Accept": hit.sent_headers["accept"], "If-None-Match": hit.headers["etag"]}
    again = story.gateway.http.get(hit.url, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["etag"], again.headers["cache-control"]) == (
        hit.headers["etag"],
        hit.headers["cache-control"],
    )
    assert again.headers["vary"] == "Accept"


@pytest.mark.parametrize("story", ["apollo"], indirect=True)
def test_apollo_registers_by_post_and_names_itself_beside_the_hash(story: Story) -> None:
    asked, registered = story.visits["registering"]["ProductCards"].exchanges
    library = {"name": "@apollo/client", "version": "4.3.8"}
    assert asked.parameters["extensions"] == {"persistedQuery": persisted(asked), "clientLibrary": library}
    assert (registered.method, registered.parameters["extensions"]) == ("POST", asked.parameters["extensions"])


@pytest.mark.parametrize("story", ["urql"], indirect=True)
def test_urql_tells_of_the_miss_and_registers_what_fits_a_url_by_get(story: Story) -> None:
    registered = {name: seen.exchanges[1] for name, seen in story.visits["registering"].items()}
    assert [registered[query].method for query in QUERIES] == ["GET", "GET", "GET"]
    assert [registered[mutation].method for mutation in MUTATIONS] == ["POST", "POST", "POST"]
    assert {persisted(exchange)["miss"] for exchange in registered.values()} == {True}


def test_a_client_that_is_told_that_hashes_are_not_taken_stops_sending_them(clients: Clients, story: Story) -> None:
    settings = Settings(database_url=Secret(story.gateway.database), documents="any")
    with running_gateway(settings) as gateway:
        visit = clients.visit(f"{story.client}.mjs", f"{gateway.url}/graphql", story.storefront.queries())
    told, *plain = [exchange for seen in visit.values() for exchange in seen.exchanges]
    assert (told.status, told.errors) == (200, [("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")])
    assert [("query" in exchange.parameters, exchange.status, exchange.errors) for exchange in plain] == [
        (True, 200, [])
    ] * 3
    assert [seen.error for seen in visit.values()] == [None] * 3
