"""What all users share: how they ask, how their answers are checked, and their pace."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any, ClassVar

from locust import FastHttpUser
from locust.contrib.fasthttp import ResponseContextManager
from locust.exception import RescheduleTask

from perf.scenarios import checks
from perf.scenarios.checks import Json, WrongAnswerError
from perf.scenarios.documents import body_of, path_of
from perf.scenarios.products import Products
from perf.scenarios.settings import LoadSettings
from perf.scenarios.tally import Tally

Check = Callable[[Json], None]
"""Looks at the data of an answer, and raises ``WrongAnswerError``."""
Whole = Callable[[ResponseContextManager, Any], Json]
"""Looks at a response and its JSON, does the same, and returns the data."""
_PATIENCE_S = 30.0


class Visitor(FastHttpUser):
    """A user. The class's attributes are set before the first one is made."""

    abstract = True
    network_timeout = connection_timeout = _PATIENCE_S
    max_retries = 0
    settings: ClassVar[LoadSettings]
    products: ClassVar[Products]
    tally: ClassVar[Tally]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._due: float | None = None
        self._since = time.monotonic()

    def wait_time(self) -> float:
        """How long the user thinks, in seconds. What it waited for answers since it last thought is counted."""
        self._awake()
        now = time.monotonic()
        think_s = random.uniform(self.settings.think_min_s, self.settings.think_max_s)
        self.tally.thought_s += think_s
        self.tally.waited_s += now - self._since
        self._due = now + think_s
        return think_s

    def read(self, name: str, variables: Json, check: Check, label: str | None = None) -> Json:
        """The data of a persisted GET that was found right; else the visit is over."""
        return self.asked("GET", path_of(name, variables), label or name, _of_data(check))

    def write(self, name: str, variables: Json, check: Check, **headers: str) -> Json:
        """The same of a mutation, by POST."""
        headers = {title.replace("_", "-"): text for title, text in headers.items()}
        return self.asked("POST", "/graphql", name, _of_data(check), json=body_of(name, variables), headers=headers)

    def asked(self, method: str, path: str, label: str, check: Whole, **sent: Any) -> Json:
        """What ``check`` finds in the response and its JSON; a wrong answer is a failure and ends the visit."""
        self._awake()
        with self.client.request(method, path, name=label, catch_response=True, **sent) as response:
            try:
                checks.expect(response.status_code, _no_answer(response))
                found = check(response, _json(response))
            except WrongAnswerError as wrong:
                response.failure(str(wrong))
            except (KeyError, TypeError, IndexError):
                response.failure("an answer of another shape")
            else:
                response.success()
                return found
        raise RescheduleTask

    def _awake(self) -> None:
        """Count how late the machine was with this user, whose pause ended some time ago."""
        if self._due is not None:
            self.tally.late_s += max(0.0, time.monotonic() - self._due)
            self._due, self._since = None, time.monotonic()


def _of_data(check: Check) -> Whole:
    def checked(response: ResponseContextManager, body: Any) -> Json:
        data = checks.data_of(response.status_code, body)
        check(data)
        return data

    return checked


def _json(response: ResponseContextManager) -> Any:
    try:
        return json.loads(response.text or "")
    except ValueError:
        return None


def _no_answer(response: ResponseContextManager) -> str:
    # Only what stands for a missing response has an error.
    return f"no answer: {type(getattr(response, 'error', None)).__name__}"
