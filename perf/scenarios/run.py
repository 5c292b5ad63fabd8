"""One run of locust: what happens at its start, between its processes, and at its end."""

from __future__ import annotations

import logging
from typing import Any

import gevent
from locust.env import Environment
from locust.event import Events
from locust.runners import MasterRunner, WorkerRunner

from perf.scenarios import verdict
from perf.scenarios.products import Products
from perf.scenarios.settings import LoadSettings
from perf.scenarios.tally import Tally
from perf.scenarios.verdict import Times
from perf.scenarios.visitor import Visitor

_REPORT = "load_tally"
_LATEST_REPORT_S = 0.5
_log = logging.getLogger("perf.load")


class Run:
    """Listens to locust's events in each of its processes, and judges in the one that adds up."""

    def __init__(self, settings: LoadSettings) -> None:
        self.settings = settings
        self.tally = Tally()
        self._said: list[str] = []

    def listen(self, events: Events) -> None:
        """Take part in what locust does."""
        events.test_start.add_listener(self.start)
        events.request.add_listener(self.count)
        events.report_to_master.add_listener(self.report)
        events.worker_report.add_listener(self.add)
        events.quitting.add_listener(self.judge)
        events.quit.add_listener(self.say)

    def start(self, environment: Environment, **_: Any) -> None:
        """Find the products, and begin to count times anew after the warm-up."""
        self.tally.taken()
        Visitor.settings, Visitor.tally = self.settings, self.tally
        try:
            # The master asks too, though it has no users: what nobody can find is its error.
            count = self.settings.products
            Visitor.products = Products.numbered(count) if count else Products.of(str(environment.host))
        except ValueError as error:
            _log.error("%s", error)
            environment.process_exit_code = 2
            environment.runner.quit()
            return
        if self.settings.warmup_s:
            late_s = _LATEST_REPORT_S if isinstance(environment.runner, MasterRunner) else 0
            # What a worker had not yet told at its own end of the warm-up comes a moment later.
            gevent.spawn_later(self.settings.warmup_s + late_s, environment.stats.reset_all)

    def count(self, exception: BaseException | None = None, **_: Any) -> None:
        """One request of this process."""
        self.tally.requests += 1
        self.tally.failures += exception is not None

    def report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002 - locust's names
        """Tell the master what this process counted."""
        data[_REPORT] = self.tally.taken()

    def add(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002 - the same
        """Add what a worker told."""
        self.tally.add(data.get(_REPORT, {}))

    def judge(self, environment: Environment, **_: Any) -> None:
        """Set the exit code: 0 or 1, or 2 where the run could not begin."""
        if isinstance(environment.runner, WorkerRunner) or environment.process_exit_code is not None:
            return
        operations = [_times(entry.name, entry) for entry in environment.stats.entries.values()]
        broken = list(verdict.broken(self.settings, _times("All", environment.stats.total), operations, self.tally))
        broken += [f"A user could not go on: {one['msg']}" for one in environment.runner.exceptions.values()]
        kept = f"All bounds kept: {self.tally.requests:,} requests, {self.tally.failures:,} of them failed."
        self._said = [verdict.pace(self.tally), *(broken or [kept])]
        environment.process_exit_code = 1 if broken else 0

    def say(self, **_: Any) -> None:
        """Say it below locust's tables."""
        for sentence in self._said:
            print(sentence, flush=True)


def _times(name: str, entry: Any) -> Times:
    return Times(name, entry.num_requests, entry.get_response_time_percentile(0.95) or 0)
