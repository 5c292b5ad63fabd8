"""Nothing secret is logged or answered: a run has secrets that are easily found, and all it writes is searched."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.granting import grant
from graphql_api.db.migrate import migrate
from graphql_api.processes import free_port
from graphql_api.settings import Settings
from tests.documents.test_documents import DOCUMENTS
from tests.harness.databases import run
from tests.harness.processes import Running, serving, wait_for
from tests.harness.shop import OwnProduct, Shop

PASSWORD, VOTER_SECRET = "pAsswordOfTheRole", "kEyOfTheVoters"
OF_SHOPPERS = {
    "e-mail": "sHopper@post.example",
    "body": "tHoughtsOfTheShopper",
    "summary": "sUmmaryOfTheShopper",
    "name": "nAmeOfTheShopper",
    "key": "cHosenByTheClient",
    "header": "hEaderKey",
    "voter": "mArkOfTheVoter",
    "reason": "rEasonOfTheShopper",
    "search": "wOrdSearchedFor",
}
OF_OPERATORS = {"password": PASSWORD, "voter secret": VOTER_SECRET}
ROLE = "keeper"


@dataclass
class Server:
    """A PostgreSQL that asks ``ROLE`` for its password. ``owner`` is the address of the gateway's database."""

    embedded: EmbeddedPostgres
    owner: str

    def url(self, password: str = PASSWORD) -> str:
        return self.owner.replace("postgres@", f"{ROLE}:{password}@")

    @property
    def log(self) -> str:
        return (self.embedded.data / "server.log").read_text(errors="replace")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    embedded = EmbeddedPostgres.of(tmp_path_factory.mktemp("server"))
    try:
        with embedded.running() as url:
            migrate(url, Settings())
            grant(url, Settings(), ROLE, PASSWORD)
            rules = embedded.data / "pg_hba.conf"
            rules.write_text(f"local all {ROLE} scram-sha-256\n{rules.read_text()}")
            run(url, "SELECT pg_reload_conf()")
            yield Server(embedded, url)
    finally:
        shutil.rmtree(embedded.data, ignore_errors=True)


@dataclass
class Asked:
    """Asks a gateway, and keeps every answer with its headers."""

    url: str
    answers: list[str] = field(default_factory=list)

    def send(self, query: str, variables: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        sent = {"query": query, "variables": variables or {}}
        return self.keep(httpx.post(f"{self.url}/graphql", json=sent, headers=headers, timeout=30))

    def keep(self, answer: httpx.Response) -> httpx.Response:
        self.answers.append(f"{answer.headers}\n{answer.text}")
        return answer


def found_in(text: str, secrets: dict[str, str]) -> list[str]:
    """Which secrets stand in ``text``, whatever their case."""
    return [name for name, secret in secrets.items() if secret.lower() in text.lower()]


def review(product: OwnProduct, **changed: Any) -> dict[str, Any]:
    return {
        "input": {
            "productId": product.number,
            "rating": 4,
            "summary": OF_SHOPPERS["summary"],
            "body": f"{OF_SHOPPERS['body']} in fifty characters, which are the least that there may be.",
            "recommended": True,
            "reviewerName": OF_SHOPPERS["name"],
            "reviewerEmail": OF_SHOPPERS["e-mail"],
            "photos": [],
            "characteristics": [],
            "idempotencyKey": OF_SHOPPERS["key"],
            **changed,
        }
    }


def use(asked: Asked, product: OwnProduct, number: int) -> None:
    """Everything that carries a secret, right and wrong."""
    add = DOCUMENTS["AddReview"]
    asked.send(add, review(product))
    asked.send(add, review(product, idempotencyKey=None), **{"Idempotency-Key": OF_SHOPPERS["header"]})
    asked.send(add, review(product), **{"Idempotency-Key": OF_SHOPPERS["header"]})
    asked.send(add, review(product, rating=9, reviewerEmail=f"{OF_SHOPPERS['e-mail']}@", summary="s" * 99))
    for name in ("MarkReviewHelpful", "ReportReview"):
        for voter in (OF_SHOPPERS["voter"], OF_SHOPPERS["voter"] * 20):
            more = {"reason": OF_SHOPPERS["reason"]} if name == "ReportReview" else {}
            asked.send(DOCUMENTS[name], {"input": {"reviewId": number, "voter": voter, **more}})
    searched = {"id": product.number, "filter": {"search": OF_SHOPPERS["search"]}}
    asked.send(DOCUMENTS["MoreReviews"], searched)
    asked.send(f'{{ catalog(search: "{OF_SHOPPERS["search"]}") {{ totalCount }} nothing }}')
    asked.keep(httpx.post(f"{asked.url}/graphql", content=f'{{"query": "{OF_SHOPPERS["body"]}'.encode()))
    for path in ("/readyz", "/metrics", "/livez"):
        asked.keep(httpx.get(f"{asked.url}{path}"))


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_run_at_debug_in_which_statements_fail_writes_no_secret(server: Server, form: str) -> None:
    shop = Shop(server.owner)
    product = shop.product()
    reviews = shop.reviews(product, [{}, {}, {}])
    settings = {
        "REVIEWS_VOTER_SECRET": VOTER_SECRET,
        "REVIEWS_LOG_LEVEL": "debug",
        "REVIEWS_LOG_FORMAT": form,
        "REVIEWS_LOG_REQUESTS": "true",
        "REVIEWS_SERVER_TIMING": "true",
        "REVIEWS_SLOW_MS": "1",
    }
    with serving(DATABASE_URL=server.url(), **settings) as (running, url):
        asked = Asked(url)
        use(asked, product, reviews[0])
        # PostgreSQL quotes the whole row of what it refuses.
        run(server.owner, "ALTER TABLE reviews ADD CONSTRAINT refused CHECK (summary = '') NOT VALID")
        refused = asked.send(DOCUMENTS["AddReview"], review(product, idempotencyKey="another"))
        run(server.owner, "ALTER TABLE reviews DROP CONSTRAINT refused")
        run(server.owner, "ALTER TABLE reports ADD CONSTRAINT refused CHECK (reason = '') NOT VALID")
        sent = {"reviewId": reviews[1], "voter": OF_SHOPPERS["voter"], "reason": OF_SHOPPERS["reason"]}
        also_refused = asked.send(DOCUMENTS["ReportReview"], {"input": sent})
        run(server.owner, "ALTER TABLE reports DROP CONSTRAINT refused")
        run(server.owner, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'")
        use(asked, product, reviews[2])
        running.end(signal.SIGTERM)
    logged = "\n".join(running.said)

    for answer in (refused, also_refused):
        assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert logged.count(": unexpected error") == 2
    assert "violates check constraint" in logged
    assert "review stored by key: written" in logged
    assert found_in(logged, {**OF_SHOPPERS, **OF_OPERATORS}) == []
    shown = "\n".join(asked.answers)
    assert found_in(shown, {**OF_OPERATORS, "e-mail": OF_SHOPPERS["e-mail"], "voter": OF_SHOPPERS["voter"]}) == []
    assert found_in(shown, OF_SHOPPERS) == ["body", "summary", "name"], "the review itself is answered"
    assert found_in(server.log, {**OF_SHOPPERS, **OF_OPERATORS}) == []


def test_a_variable_of_a_wrong_type_is_not_answered_with_what_was_beside_it(server: Server) -> None:
    product = Shop(server.owner).product()
    with serving(DATABASE_URL=server.url(), REVIEWS_LOG_LEVEL="debug", REVIEWS_LOG_REQUESTS="true") as (running, url):
        asked = Asked(url)
        asked.send(DOCUMENTS["AddReview"], review(product, rating="five"))
        asked.send(DOCUMENTS["AddReview"], review(product, unknown=1))
        running.end(signal.SIGTERM)
    assert "BAD_USER_INPUT" in asked.answers[0]
    assert found_in("\n".join(running.said), OF_SHOPPERS) == []
    assert found_in("\n".join(asked.answers), {"e-mail": OF_SHOPPERS["e-mail"], **OF_OPERATORS}) == []


@pytest.mark.parametrize("wrong", ["password", "port", "host", "database", "form"])
def test_a_database_that_cannot_be_had_is_told_without_the_password(server: Server, wrong: str) -> None:
    port = free_port()
    urls = {
        "password": server.url(f"{PASSWORD}Not"),
        "port": f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:{free_port()}/reviews",
        "host": f"postgresql://{ROLE}:{PASSWORD}@nowhere.invalid/reviews",
        "database": server.url().replace("/reviews?", "/nothing?"),
        "form": f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:port/reviews",
    }
    running = Running(
        *("serve", "--port", str(port)),
        DATABASE_URL=urls[wrong],
        REVIEWS_REPLICA_URLS=urls["port"],
        REVIEWS_VOTER_SECRET=VOTER_SECRET,
        REVIEWS_LOG_LEVEL="debug",
        REVIEWS_DRAIN_SECONDS="0",
        REVIEWS_CONNECT_TIMEOUT_S="2",
    )
    asked = Asked(f"http://127.0.0.1:{port}")
    try:
        wait_for(lambda: any("Not ready" in line for line in running.said) or running.process.poll() is not None)
        if running.process.poll() is None:
            wait_for(lambda: _answers(asked))
            asked.send("{ product(id: 1) { name } }")
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)
        else:
            running.wait()
    assert running.said
    assert found_in("\n".join([*running.said, *asked.answers]), OF_OPERATORS) == []


def _answers(asked: Asked) -> bool:
    try:
        return asked.keep(httpx.get(f"{asked.url}/readyz")).status_code == 503
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    "arguments", [("db", "grant", "somebody"), ("moderate", "list"), ("invalidate", "all"), ("explain", "-")]
)
def test_a_command_that_cannot_reach_its_database_keeps_the_password(arguments: tuple[str, ...]) -> None:
    running = Running(*arguments, DATABASE_URL=f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:{free_port()}/reviews")
    assert running.wait() == 2
    assert running.said
    assert found_in("\n".join(running.said), OF_OPERATORS) == []


def test_a_secret_that_is_written_is_found() -> None:
    assert found_in("… SHOPPER@POST.EXAMPLE …", OF_SHOPPERS) == ["e-mail"]
