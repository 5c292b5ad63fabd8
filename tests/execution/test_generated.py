"""The judge: whatever a query asks, the compiled execution answers as graphql-core does.

``JUDGE_CASES`` is the number of requests, ``JUDGE_SEED`` what they are drawn from: the same at each run, so that a red
test tells of what was changed. ``make judge CASES=100000`` runs more, from another seed each time.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence

import asyncpg
import pytest

from etl.load import load_folder
from graphql_api.schema.build import build_schema
from graphql_api.settings import Settings
from tests.conftest import SAMPLE
from tests.execution.comparing import Reply
from tests.execution.judge import Judge, Verdict
from tests.execution.sides import running_sides
from tests.execution.weather import CLEAR, Weather, role_of, under, weathers
from tests.harness.databases import Databases
from tests.harness.queries.cases import Case
from tests.harness.queries.catalogue import catalogue_of
from tests.harness.shop import Shop

CASES = int(os.environ.get("JUDGE_CASES", "3000"))
SEED = int(os.environ.get("JUDGE_SEED", "20261126"))
ENOUGH = 2000
"""Cases from which on everything has come up."""

# graphql-core cancels what lies beside an error, and does not await what that would have awaited.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def more_reviews(url: str) -> None:
    """The sample has no page of more than five reviews: a product with equals in every order."""
    shop = Shop(url)
    product = shop.product("FIT", "COMFORT", name="Loved by many")
    shop.reviews(
        product,
        [
            {
                "rating": 1 + number % 5,
                "helpfulness": number % 3,
                "recommended": number % 2 == 0,
                "summary": "Like the shoes" if number % 4 else "the best",
                "photos": number % 3,
                "values": {"FIT": 1 + number % 5} if number % 2 else {"FIT": 2, "COMFORT": 5},
            }
            for number in range(14)
        ],
    )


async def judged(url: str, settings: Settings, weather: Sequence[Sequence[Weather]]) -> Verdict:
    """What comes of ``CASES`` requests; ``url`` is the database as its owner reaches it."""
    connection = await asyncpg.connect(url)
    try:
        async with running_sides(settings) as sides:
            by_plan, by_graphql_core = 0, Counter[str]()

            async def ask(cases: Sequence[Case], weather: Weather) -> list[tuple[Reply, Reply]]:
                nonlocal by_plan
                before = sides.executor.by_plan, Counter(sides.executor.by_graphql_core)
                async with under(weather, connection):
                    replies = await sides.replies(cases)
                if weather is CLEAR:
                    by_plan += sides.executor.by_plan - before[0]
                    by_graphql_core.update(sides.executor.by_graphql_core - before[1])
                return replies

            judge = Judge(build_schema().graphql_schema, await catalogue_of(sides.data), ask, weather)
            verdict = await judge.run(CASES, SEED)
            verdict.by_plan, verdict.by_graphql_core = by_plan, by_graphql_core
            return verdict
    except Exception as error:
        error.add_note(f"JUDGE_SEED={SEED}")
        raise
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def verdict(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verdict]:
    """What came of the run."""
    url = databases.migrated()
    state = tmp_path_factory.mktemp("judge")
    load_folder(url, SAMPLE, Settings(state=state))
    more_reviews(url)
    log = logging.getLogger("reviews")
    level = log.level
    log.setLevel(logging.CRITICAL)  # a traceback for each masked error would take longer than the answers
    try:
        with role_of(url) as (role, address):
            # What is asked at once is more than a gateway would let in.
            settings = Settings(database_url=address, state=state, graphiql=False, max_running=100_000)
            found = asyncio.run(judged(url, settings, weathers(url, role)))
            gc.collect()  # here, where the warnings above are expected
            yield found
    finally:
        log.setLevel(level)


@pytest.fixture
def whole_run(verdict: Verdict) -> Verdict:
    """The run, if it went on long enough to have seen everything."""
    if verdict.cases < ENOUGH:
        pytest.skip(f"only {verdict.cases} cases were asked")
    return verdict


def test_both_executions_answer_alike(verdict: Verdict) -> None:
    assert not verdict.disagreement, f"JUDGE_SEED={verdict.seed}: {verdict.disagreement}"


def test_plans_answer_what_they_can_and_never_end_for_a_reason_of_their_own(whole_run: Verdict) -> None:
    # "variables" are those that are wrong, and null for a condition. A plan's own fault would be a "failure". Documents
    # whose plans are beyond the bound on their size are too rare to be counted on.
    reasons = set(whole_run.by_graphql_core) - {"too large"}
    assert reasons == {"error", "variables", "introspection", "too many conditions"}
    assert whole_run.by_plan > whole_run.cases / 3


def test_everything_in_the_schema_was_asked(whole_run: Verdict) -> None:
    assert whole_run.coverage.never_asked() == []


def test_every_field_was_answered(whole_run: Verdict) -> None:
    assert whole_run.coverage.never_answered() == []


def test_requests_failed_in_every_way_and_mostly_did_not(whole_run: Verdict) -> None:
    # SERVICE_UNAVAILABLE, for a product that is gone while its review is not, is too rare to be counted on.
    assert sorted(set(whole_run.codes) - {"SERVICE_UNAVAILABLE"}) == [
        "BAD_USER_INPUT",
        "COST_LIMIT_EXCEEDED",
        "GRAPHQL_PARSE_FAILED",
        "INTERNAL_SERVER_ERROR",
        "OPERATION_RESOLUTION_FAILURE",
    ]
    assert whole_run.without_errors > whole_run.cases / 2
