"""Relay: its compiler writes the manifest that the gateway trusts, its runtime sends ids out of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphql_api.settings import Settings
from tests.clients.storefront import MUTATIONS, QUERIES, Storefront
from tests.clients.visits import Clients, Visit
from tests.harness.databases import Databases, value
from tests.harness.gateway import Gateway, running_gateway

# The parameter that names the document, as Relay's own example, its documentation and the specification's draft do.
WAYS = ["id", "doc_id", "documentId"]


@pytest.fixture(scope="module")
def compiled(clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which Relay's compiler has left its artifacts and its map, ``persisted.json``."""
    folder = tmp_path_factory.mktemp("relay")
    clients.run("relay_compile.mjs", str(folder))
    return folder


@pytest.fixture(scope="module")
def storefront(databases: Databases) -> Storefront:
    """A shop in a database of the module's own, where no document was ever stored."""
    return Storefront(databases.migrated())


@pytest.fixture(scope="module")
def trusting(storefront: Storefront, compiled: Path) -> Iterator[Gateway]:
    """A gateway that was started with Relay's map."""
    environment = {"DATABASE_URL": storefront.url, "REVIEWS_MANIFESTS": str(compiled / "persisted.json")}
    with running_gateway(Settings.from_environment(environment)) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def stranger(storefront: Storefront) -> Iterator[Gateway]:
    """A gateway on the same database that was started without it."""
    with running_gateway(Settings.from_environment({"DATABASE_URL": storefront.url})) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def visits(clients: Clients, compiled: Path, storefront: Storefront, trusting: Gateway) -> dict[str, Visit]:
    """What Relay saw of the gateway that trusts its map, by the way it asked; ``query`` is the plain text."""
    return {
        way: clients.visit("relay.mjs", f"{trusting.url}/graphql", storefront.operations(), str(compiled), way)
        for way in (*WAYS, "query")
    }


def test_the_map_has_every_document_under_an_id_that_is_no_sha256(compiled: Path) -> None:
    texts = json.loads((compiled / "persisted.json").read_text())
    assert sorted(text.split("(")[0].split()[1] for text in texts.values()) == sorted((*QUERIES, *MUTATIONS))
    assert {len(key) for key in texts} == {32}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [*QUERIES, *MUTATIONS])
def test_an_operation_is_one_post_of_an_id_and_variables(visits: dict[str, Visit], way: str, name: str) -> None:
    seen = visits[way][name]
    (exchange,) = seen.exchanges
    assert (exchange.method, set(exchange.parameters)) == ("POST", {way, "variables"})
    assert (exchange.status, exchange.errors, seen.error) == (200, [], None)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("query", QUERIES)
def test_a_query_gives_what_its_text_gives(visits: dict[str, Visit], way: str, query: str) -> None:
    by_id, by_text = visits[way][query], visits["query"][query]
    assert set(by_text.exchanges[0].parameters) == {"query", "variables"}
    assert by_id.exchanges[0].answer == by_text.exchanges[0].answer
    assert by_id.data == by_text.data


@pytest.mark.parametrize("way", WAYS)
def test_the_mutations_did_what_they_say(visits: dict[str, Visit], way: str) -> None:
    added, marked, reported = (next(iter(visits[way][name].exchanges[0].answer["data"].values())) for name in MUTATIONS)
    assert [payload["userErrors"] for payload in (added, marked, reported)] == [[], [], []]
    assert (added["review"]["summary"], marked["review"]["helpfulness"]) == ("Good", 1)
    assert reported["deletedReviewId"] == marked["review"]["id"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_kept_by_no_one(visits: dict[str, Visit], way: str, mutation: str) -> None:
    (exchange,) = visits[way][mutation].exchanges
    assert (exchange.headers["cache-control"], exchange.headers.get("etag")) == ("no-store", None)


def test_what_the_map_has_takes_no_room_in_the_store(visits: dict[str, Visit], storefront: Storefront) -> None:
    assert set(visits) == {*WAYS, "query"}
    assert value(storefront.url, "SELECT count(*) FROM documents") == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_gateway_without_the_map_says_so_to_the_caller(
    clients: Clients, compiled: Path, storefront: Storefront, stranger: Gateway, way: str
) -> None:
    url = f"{stranger.url}/graphql"
    visit = clients.visit("relay.mjs", url, storefront.operations(), str(compiled), way)
    for seen in visit.values():
        (miss,) = seen.exchanges
        assert (miss.status, miss.errors) == (200, [("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")])
        assert (miss.headers["cache-control"], miss.headers.get("etag")) == ("no-store", None)
        assert "PersistedQueryNotFound" in str(seen.error)


def test_where_only_trusted_documents_run_relay_is_served_and_others_are_not(
    clients: Clients, compiled: Path, storefront: Storefront, visits: dict[str, Visit]
) -> None:
    environment = {
        "DATABASE_URL": storefront.url,
        "REVIEWS_MANIFESTS": str(compiled / "persisted.json"),
        "REVIEWS_DOCUMENTS": "trusted",
    }
    with running_gateway(Settings.from_environment(environment)) as strict:
        url = f"{strict.url}/graphql"
        relay = clients.visit("relay.mjs", url, storefront.operations(), str(compiled), "id")
        apollo = clients.visit("apollo.mjs", url, storefront.operations())
    assert {name: relay[name].data for name in QUERIES} == {name: visits["query"][name].data for name in QUERIES}
    assert [seen.error for seen in relay.values()] == [None] * 6
    assert [seen.exchanges[-1].status for seen in apollo.values()] == [400] * 6
    assert [seen.data for seen in apollo.values()] == [None] * 6
