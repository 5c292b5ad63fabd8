"""A database of its own, two gateways on it that differ in how many reports hide a review, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result

from etl.verify import verify_database
from graphql_api.cli import main
from graphql_api.settings import Secret, Settings
from tests.documents.test_documents import DOCUMENTS
from tests.harness.databases import Databases, value
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.shop import Shop

SECRET = "a test's"


@dataclass(frozen=True)
class Moderated:
    """``one`` hides a review at the first report, ``three`` at the third."""

    url: str
    one: Gateway
    three: Gateway
    shop: Shop

    def send(self, document: str, review: object, voter: str | None, address: str, gateway: Gateway) -> dict[str, Any]:
        """The payload of a mutation that came from ``address`` through a proxy."""
        sent = {"query": DOCUMENTS[document], "variables": {"input": {"reviewId": review, "voter": voter}}}
        answer = gateway.http.post("/graphql", json=sent, headers={"X-Forwarded-For": address}).json()
        assert "errors" not in answer, answer
        (payload,) = answer["data"].values()
        return payload  # type: ignore[no-any-return]

    def report(
        self, review: object, voter: str | None, address: str = "192.0.2.1", gateway: Gateway | None = None
    ) -> bool:
        """Report it; whether it is hidden then."""
        payload = self.send("ReportReview", review, voter, address, gateway or self.one)
        assert payload["userErrors"] == []
        hidden: bool = value(self.url, "SELECT reported FROM reviews WHERE review_id = $1", review)
        assert (payload["deletedReviewId"] is not None) == hidden
        return hidden

    def vote(self, review: object, voter: str | None, address: str = "192.0.2.1") -> list[str]:
        """Vote for it; the codes of what is wrong."""
        errors = self.send("MarkReviewHelpful", review, voter, address, self.one)["userErrors"]
        return [error["code"] for error in errors]

    def hidden(self, review: int) -> bool:
        """Whether it is hidden, in the table and from those who read."""
        shown = self.one.data("query ($id: ID!) { review(id: $id) { reviewId } }", id=review)["review"]
        marked: bool = value(self.url, "SELECT reported FROM reviews WHERE review_id = $1", review)
        assert (shown is None) == marked
        return marked

    def helpfulness(self, review: int) -> int:
        """Its votes, as those who read see them."""
        found: int = self.one.data("query ($id: ID!) { review(id: $id) { helpfulness } }", id=review)["review"][
            "helpfulness"
        ]
        return found

    def run(self, *arguments: object, reports_to_hide: int = 1, secret: str = SECRET) -> Result:
        """``reviews moderate`` with these arguments."""
        environment = {
            "DATABASE_URL": self.url,
            "REVIEWS_VOTER_SECRET": secret,
            "REVIEWS_REPORTS_TO_HIDE": str(reports_to_hide),
        }
        return CliRunner().invoke(main, ["moderate", *map(str, arguments)], env=environment)

    def do(self, *arguments: object, reports_to_hide: int = 1) -> Any:
        """What it prints as JSON. The figures are right afterwards."""
        result = self.run(*arguments, "--json", reports_to_hide=reports_to_hide)
        assert result.exit_code == 0, result.output
        assert verify_database(self.url, Settings()).unsound == 0
        return json.loads(result.stdout)

    def refusal(self, *arguments: object, secret: str = SECRET) -> str:
        """What it says where it does nothing."""
        result = self.run(*arguments, secret=secret)
        assert result.exit_code == 2
        return result.stderr.strip()


@pytest.fixture(scope="package")
def running(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Moderated]]:
    url = databases.migrated()
    state = tmp_path_factory.mktemp("moderated")
    settings = [
        Settings(database_url=Secret(url), state=state, voter_secret=Secret(SECRET), reports_to_hide=reports)
        for reports in (1, 3)
    ]
    with running_gateway(settings[0]) as one, running_gateway(settings[1]) as three:
        yield lambda: Moderated(url, one, three, Shop(url))


@pytest.fixture
def moderated(running: Callable[[], Moderated]) -> Moderated:
    """Everything of ``running``; a test has reviews of its own."""
    return running()
