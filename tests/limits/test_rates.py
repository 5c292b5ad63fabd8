"""How often one client may ask: mutations and documents that are not known apart, and who counts as one client."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import httpx
import pytest

from graphql_api.limits.clients import Clients
from graphql_api.limits.rates import MOST_CLIENTS, Rate
from graphql_api.settings import Secret, Settings
from tests.documents.test_documents import DOCUMENTS
from tests.harness.databases import Databases, value
from tests.harness.gateway import Gateway, running_gateway


@pytest.fixture(scope="module")
def limited(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that takes one mutation and one unknown document a second of a client, five at once."""
    settings = Settings(
        database_url=Secret(databases.migrated()),
        state=tmp_path_factory.mktemp("limited"),
        mutation_rate=1,
        document_rate=1,
    )
    with running_gateway(settings, limited=True) as running:
        yield running


def asked(gateway: Gateway, client: str, query: str) -> httpx.Response:
    return gateway.http.post("/graphql", json={"query": query}, headers={"X-Forwarded-For": client})


def voted(gateway: Gateway, client: str) -> httpx.Response:
    """The front end's own mutation, which the server knows, for a review that does not exist."""
    sent = {"query": DOCUMENTS["MarkReviewHelpful"], "variables": {"input": {"reviewId": "1"}}}
    return gateway.http.post("/graphql", json=sent, headers={"X-Forwarded-For": client})


def test_the_sixth_unknown_document_at_once_is_refused_with_its_wait(limited: Gateway) -> None:
    statuses = [asked(limited, "198.51.100.1", "{ __typename }").status_code for _ in range(5)]
    refused = asked(limited, "198.51.100.1", "{ __typename }")

    assert statuses == [200] * 5
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    (error,) = refused.json()["errors"]
    assert error == {
        "message": "Too many documents that this server does not know came from your address: ask again later.",
        "extensions": {"code": "THROTTLED"},
    }


def test_mutations_are_counted_apart_and_known_documents_as_none(limited: Gateway) -> None:
    client = "198.51.100.2"
    votes = [voted(limited, client).status_code for _ in range(6)]
    texts = [asked(limited, client, "{ __typename }").status_code for _ in range(5)]
    page = {"query": DOCUMENTS["ProductPage"], "variables": {"id": "1"}}
    pages = {
        limited.http.post("/graphql", json=page, headers={"X-Forwarded-For": client}).status_code for _ in range(20)
    }

    assert (votes, texts, pages) == ([200] * 5 + [429], [200] * 5, {200})


def test_a_mutation_that_is_refused_writes_nothing(limited: Gateway) -> None:
    client = "198.51.100.3"
    add = {
        "query": DOCUMENTS["AddReview"],
        "variables": {"input": {"productId": "1", "rating": 5, "summary": "a", "body": "b" * 60, "name": "c"}},
    }
    for _ in range(5):
        voted(limited, client)
    refused = limited.http.post("/graphql", json=add, headers={"X-Forwarded-For": client})

    assert refused.status_code == 429
    assert value(limited.database, "SELECT count(*) FROM reviews") == 0


def test_hashes_that_are_not_in_memory_count_as_documents(limited: Gateway) -> None:
    client = {"X-Forwarded-For": "198.51.100.4"}
    statuses = [limited.http.get(f"/graphql/p/{number:064x}", headers=client).status_code for number in range(6)]

    assert statuses == [200] * 5 + [429]


def test_clients_behind_a_trusted_proxy_are_told_apart_and_what_they_add_to_the_header_is_not_believed(
    limited: Gateway,
) -> None:
    for number in range(6):
        last = asked(limited, f"203.0.113.{number}, 198.51.100.5", "{ __typename }").status_code
    other = asked(limited, "198.51.100.6", "{ __typename }").status_code

    assert (last, other) == (429, 200)


PROXIES = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "::1"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", b"198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", b"198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", b"198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", b"10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("10.0.0.1", b"198.51.100.1, nonsense", "10.0.0.1"),
        ("::ffff:10.0.0.1", b"198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", b"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", None, "2001:db8:1:2::/64"),
        (None, b"198.51.100.1", "unknown"),
    ],
)
def test_the_client_is_the_last_address_that_no_proxy_of_ours_has(
    peer: str | None, forwarded: bytes | None, client: str
) -> None:
    assert Clients(PROXIES).of(peer, forwarded) == client


def test_over_time_a_client_gets_its_rate_and_no_more() -> None:
    rate = Rate(2)
    taken = sum(not rate.wait_s("a", tick / 100) for tick in range(10_000))

    assert taken == 2 * 5 + 2 * 100 - 1


def test_a_refused_request_does_not_make_the_wait_longer() -> None:
    rate = Rate(1)
    for _ in range(5):
        rate.wait_s("a", 0.0)

    assert [round(rate.wait_s("a", 0.25), 9) for _ in range(3)] == [0.75] * 3


def test_a_rate_below_the_burst_still_lets_one_through() -> None:
    rate = Rate(0.1)

    assert (rate.wait_s("a", 0.0), rate.wait_s("a", 1.0), rate.wait_s("a", 10.0)) == (0.0, 9.0, 0.0)


def test_clients_beyond_the_bound_push_out_those_that_asked_longest_ago() -> None:
    rate = Rate(1)
    for number in range(MOST_CLIENTS + 1):
        for _ in range(5):
            rate.wait_s(str(number), 0.0)

    assert (rate.wait_s("0", 0.0), rate.wait_s(str(MOST_CLIENTS), 0.0)) == (0.0, 1.0)
