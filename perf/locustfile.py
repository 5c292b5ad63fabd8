"""The load test's users, as locust takes them: their shares come from the environment."""

from __future__ import annotations

import os
import sys

from locust import events

from perf.scenarios.category import CategoryVisitor
from perf.scenarios.first_visit import FirstVisitor
from perf.scenarios.run import Run
from perf.scenarios.settings import LoadSettings
from perf.scenarios.shopper import Shopper
from perf.scenarios.writer import Writer


def _share(settings: LoadSettings) -> None:
    scenarios = {"shopper": Shopper, "category": CategoryVisitor, "writer": Writer, "first_visit": FirstVisitor}
    for name, scenario in scenarios.items():
        scenario.weight = settings.shares.get(name, 0)
        # Locust makes no users of what is abstract.
        scenario.abstract = name not in settings.shares


try:
    SETTINGS = LoadSettings.from_environment(os.environ)
except ValueError as error:
    sys.exit(str(error))
_share(SETTINGS)
Run(SETTINGS).listen(events)
