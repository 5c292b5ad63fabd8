"""What the tests of measurements share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_cli import remove


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a catalogue to measure on."""
    state = tmp_path_factory.mktemp("state")
    try:
        yield state
    finally:
        remove(state)
