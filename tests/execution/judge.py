"""Asks both executions the same and keeps what came of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from graphql import GraphQLSchema

from tests.execution.comparing import Reply, differences, misplaced
from tests.execution.weather import CLEAR, Weather
from tests.harness.queries.cases import Case, cases_of
from tests.harness.queries.catalogue import Catalogue
from tests.harness.queries.coverage import Coverage
from tests.harness.queries.reducing import reduced

Ask = Callable[[Sequence[Case], Weather], Awaitable[list[tuple[Reply, Reply]]]]
"""The compiled and the reference's answer to each case, all asked at once."""

MOST_DOCUMENTS = 6
"""Documents of one batch. Each comes with up to four requests, so that a plan meets other variables."""

REDUCING_SECONDS = 20
_SHOWN = 2000  # characters of an answer


@dataclass
class Verdict:
    """What came of a run. ``disagreement`` is empty where there was none."""

    seed: int
    coverage: Coverage
    disagreement: str = ""
    cases: int = 0
    without_errors: int = 0
    by_plan: int = 0
    by_graphql_core: Counter[str] = field(default_factory=Counter)
    """How many of the compiled side's operations no plan answered while nothing was broken, by the reason."""
    codes: Counter[str] = field(default_factory=Counter)

    def count(self, case: Case, reply: Reply) -> None:
        """Take in a case on which both agreed."""
        errors = reply.body.get("errors", [])
        self.cases += 1
        self.without_errors += not errors
        self.codes.update(error["extensions"]["code"] for error in errors)
        self.coverage.add(case, reply.body.get("data"))


class Judge:
    """Asks cases about a ``catalogue``, a third of the batches in one of the ``weathers``, which come by kind."""

    def __init__(
        self, schema: GraphQLSchema, catalogue: Catalogue, ask: Ask, weathers: Sequence[Sequence[Weather]]
    ) -> None:
        self._schema = schema
        self._catalogue = catalogue
        self._ask = ask
        self._weathers = weathers

    async def run(self, count: int, seed: int) -> Verdict:
        """The verdict over some ``count`` cases. A disagreement ends it, made small and told."""
        verdict = Verdict(seed, Coverage(self._schema))
        random = Random(seed)
        while verdict.cases < count:
            weather = random.choice(random.choice(self._weathers)) if random.random() < 1 / 3 else CLEAR
            batch: list[Case] = []
            for _ in range(random.randint(1, MOST_DOCUMENTS)):
                batch += cases_of(self._schema, self._catalogue, random)
            random.shuffle(batch)
            for place, replies in enumerate(await self._ask(batch, weather)):
                if _found(*replies):
                    verdict.disagreement = await self._told(batch, place, weather, replies)
                    return verdict
                verdict.count(batch[place], replies[1])
        return verdict

    async def _told(self, batch: Sequence[Case], place: int, weather: Weather, replies: tuple[Reply, Reply]) -> str:
        """What is wrong with the answers to the case at ``place``, with the smallest request that shows it."""
        case, before, after = batch[place], list(batch[:place]), list(batch[place + 1 :])

        async def again(changed: Case) -> tuple[Reply, Reply]:
            return (await self._ask([*before, changed, *after], weather))[len(before)]

        async def fails(changed: Case) -> bool:
            return bool(_found(*await again(changed)))

        if not await fails(case):
            return f"not when asked again: {_shown(case, [*before, *after], weather, replies)}"
        if bool(_found(*(await self._ask([case], CLEAR))[0])):
            before, after, weather = [], [], CLEAR
        for beside in (before, after):  # first all of them, then one by one
            for taken in (list(beside), *([one] for one in beside)):
                kept = list(beside)
                beside[:] = [one for one in beside if one not in taken]
                if not await fails(case):
                    beside[:] = kept
        case = await reduced(self._schema, case, fails, seconds=REDUCING_SECONDS)
        return _shown(case, [*before, *after], weather, await again(case))


def _found(compiled: Reply, reference: Reply) -> list[str]:
    beside_values = [f"an error lies beside a value, at {list(path)}" for path in misplaced(compiled)]
    return differences(compiled, reference) + beside_values


def _shown(case: Case, beside: Sequence[Case], weather: Weather, replies: tuple[Reply, Reply]) -> str:
    parts = [f"\n--- beside it\n{other}" for other in beside]
    for name, reply in zip(("compiled", "reference"), replies, strict=True):
        parts.append(f"\n--- {name}\n{reply.status} {json.dumps(reply.body, ensure_ascii=False)[:_SHOWN]}")
    return f"{'; '.join(_found(*replies))}\n--- weather: {weather.name}\n{case}{''.join(parts)}"
