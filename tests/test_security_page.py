"""SECURITY.md names what tries each of its promises, and all of it is there."""

from __future__ import annotations

import re

from graphql_api.settings import described
from tests.harness.processes import ROOT

PAGE = (ROOT / "SECURITY.md").read_text()


def test_every_promise_names_tests_that_there_are() -> None:
    promises = re.findall(r"^\| (\*\*.+?) \| (.+) \|$", PAGE, re.MULTILINE)
    assert len(promises) == 19
    for promise, tried in promises:
        named = re.findall(r"`(tests/[\w/.]+)`", tried)
        assert named or "`make " in tried, promise
        for path in named:
            place = ROOT / path
            assert place.exists(), path
            assert place.is_file() or list(place.glob("test_*.py")), path


def test_every_link_target_and_setting_that_it_names_is_there() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (ROOT / link).exists(), link
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", PAGE)) <= targets
    settings = {variable for variable, _, _ in described()}
    assert set(re.findall(r"REVIEWS_[A-Z_]+", PAGE)) <= settings


def test_what_to_set_before_going_public_can_be_set() -> None:
    (told,) = re.findall(r"## Before going public\n\n(.+)\n", PAGE)
    values = dict(re.findall(r"`(REVIEWS_[A-Z_]+)=(\w+)`", told))
    assert values == {
        "REVIEWS_REPORTS_TO_HIDE": "3",
        "REVIEWS_PRODUCTION": "true",
        "REVIEWS_DOCUMENTS": "trusted",
    }
