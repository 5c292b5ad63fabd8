"""``--max-rejects``: how much dirt a load takes before it gives up, with nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.load import load_folder
from etl.reject_limit import RejectLimit, TooManyRejectsError
from graphql_api.settings import Settings
from tests.etl.folders import ATELIER
from tests.harness.databases import value


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("0", RejectLimit(rows=0)),
        ("100", RejectLimit(rows=100)),
        ("0.5%", RejectLimit(share=0.005)),
        ("100%", RejectLimit(share=1.0)),
        (".25", RejectLimit(share=0.25)),
        ("0.0", RejectLimit(share=0.0)),
    ],
)
def test_a_limit_is_rows_or_a_share(text: str, limit: RejectLimit) -> None:
    assert RejectLimit.parse(text) == limit


@pytest.mark.parametrize("text", ["", "-1", "1.5", "101%", "1e3", "5 %", "many", "٣"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        RejectLimit.parse(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        # The sample rejects 5 of 19 reviews, lines 16 to 20, and then 10 of 19 photos.
        ("4", "More than 4 rows were rejected, the last at reviews.csv, line 20: nothing was changed"),
        ("14", "More than 14 rows were rejected, the last at reviews_photos.csv, line 20: nothing was changed"),
        ("26%", "5 of 19 rows of reviews.csv were rejected, more than 26.00%: nothing was changed"),
        ("0.5", "10 of 19 rows of reviews_photos.csv were rejected, more than 50.00%: nothing was changed"),
    ],
)
def test_beyond_the_limit_nothing_is_changed(database: str, settings: Settings, text: str, sentence: str) -> None:
    with pytest.raises(TooManyRejectsError) as caught:
        load_folder(database, ATELIER / "v2", settings, limit=RejectLimit.parse(text))
    assert str(caught.value).startswith(sentence)
    assert value(database, "SELECT count(*) FROM products") == 0
    assert value(database, "SELECT count(*) FROM loads") == 0


@pytest.mark.parametrize("text", ["15", "53%", "1.0"])
def test_at_the_limit_the_folder_is_loaded(database: str, settings: Settings, text: str) -> None:
    report = load_folder(database, ATELIER / "v2", settings, limit=RejectLimit.parse(text))
    assert [file.refused for file in report.files] == [0, 0, 5, 10, 0]


def test_the_reject_file_says_what_was_seen_until_then(database: str, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with pytest.raises(TooManyRejectsError):
        load_folder(database, ATELIER / "v2", settings, rejects=path, limit=RejectLimit(rows=2))
    assert [line.split(",")[1] for line in path.read_text().splitlines()[1:]] == ["16", "17", "18"]
