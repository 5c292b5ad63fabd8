"""Gateways of a test's own, over the sample catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from graphql_api.settings import Secret, Settings
from tests.harness.gateway import Gateway, running_gateway

Watched = Callable[..., AbstractContextManager[Gateway]]


@pytest.fixture(scope="module")
def watched(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Runs another gateway on the sample catalogue, with the settings that are given."""

    def running(**settings: Any) -> AbstractContextManager[Gateway]:
        state = tmp_path_factory.mktemp("watched")
        return running_gateway(Settings(database_url=Secret(gateway.database), state=state, **settings))

    return running


@pytest.fixture(scope="module")
def own(watched: Watched) -> Iterator[Gateway]:
    """One with the defaults, which nobody else asks."""
    with watched() as running:
        yield running
