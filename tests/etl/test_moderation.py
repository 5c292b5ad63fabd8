"""What operators did outlives the next export: nothing comes back, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner

from etl.report import Report
from etl.verify import verify_database
from graphql_api.cli import main
from graphql_api.settings import Settings
from tests.etl.folders import LINES
from tests.harness.databases import rows, run, value

Loading = Callable[..., Report]
BULK = pytest.mark.parametrize("bulk_rows", [1, 100_000], ids=["in bulk", "row by row"])


def moderate(url: str, *arguments: str) -> None:
    result = CliRunner().invoke(main, ["moderate", *arguments], env={"DATABASE_URL": url})
    assert result.exit_code == 0, result.output


def changed(*, reported: tuple[bool, bool, bool], helpfulness: int = 3) -> dict[str, list[str]]:
    """Another export, in which each review differs; ``helpfulness`` is the first one's."""
    one, two, three = (str(is_).lower() for is_ in reported)
    lines = [
        f'1,1,5,1596080481467,"Other","Very good",true,{one},"ann","ann@example.com",null,{helpfulness}',
        f'2,1,2,1596080481467,"Other","Very bad",false,{two},"bob","bob@example.com","Sorry",0',
        f'3,2,4,1596080481467,"Other","Quite fine",true,{three},"cy","cy@example.com",null,1',
    ]
    return {"reviews.csv": lines}


def hidden(url: str) -> list[int]:
    assert verify_database(url, Settings()).unsound == 0
    return [number for (number,) in rows(url, "SELECT review_id FROM reviews WHERE reported ORDER BY review_id")]


def reported(url: str, review: int) -> None:
    """What the gateway writes for a report that hides."""
    run(
        url,
        f"INSERT INTO reports (product_id, review_id, voter, found_visible)"
        f" SELECT product_id, review_id, 'abuser', NOT reported FROM reviews WHERE review_id = {review};"
        f" UPDATE reviews SET reported = true WHERE review_id = {review}",
    )


@BULK
def test_what_an_operator_decided_holds_against_the_file(loading: Loading, database: str, bulk_rows: int) -> None:
    loading()
    moderate(database, "hide", "1")
    moderate(database, "restore", "3")  # which the file hides
    report = loading(changed(reported=(False, False, True)), bulk_rows=bulk_rows)
    assert hidden(database) == [1]
    assert value(database, "SELECT count(*) FROM reviews WHERE summary = 'Other'") == 3
    assert (report.loaded_before, len(rows(database, "SELECT FROM moderations"))) == (False, 2)


@BULK
def test_undone_votes_stay_uncounted_and_others_are_kept(loading: Loading, database: str, bulk_rows: int) -> None:
    loading()
    run(
        database,
        "INSERT INTO helpful_votes (product_id, review_id, voter) VALUES (1, 1, 'abuser'), (1, 1, 'shopper');"
        "UPDATE reviews SET helpfulness = helpfulness + 2 WHERE review_id = 1",
    )
    moderate(database, "undo-votes", "--hash", b"abuser".hex())
    assert value(database, "SELECT helpfulness FROM reviews WHERE review_id = 1") == 4
    loading(changed(reported=(False, False, True), helpfulness=10), bulk_rows=bulk_rows)
    assert value(database, "SELECT helpfulness FROM reviews WHERE review_id = 1") == 11


@BULK
def test_undone_reports_do_not_hide_again_and_standing_ones_do(loading: Loading, database: str, bulk_rows: int) -> None:
    loading()
    reported(database, 1)
    reported(database, 2)
    moderate(database, "undo-reports", "--review", "1")
    assert hidden(database) == [2, 3]
    loading(changed(reported=(False, False, True)), bulk_rows=bulk_rows)
    assert hidden(database) == [2, 3]


@BULK
def test_what_a_later_file_hides_is_not_shown_by_undoing_the_reports(
    loading: Loading, database: str, bulk_rows: int
) -> None:
    loading()
    reported(database, 1)
    reported(database, 2)
    loading(changed(reported=(True, False, True)), bulk_rows=bulk_rows)
    moderate(database, "undo-reports", "--review", "1", "--review", "2")
    assert hidden(database) == [1, 3]


def test_what_the_file_hides_with_nothing_else_changed_is_known_to_be_hidden_by_it(
    loading: Loading, database: str
) -> None:
    loading()
    reported(database, 1)
    lines = [LINES["reviews.csv"][0].replace("true,false", "true,true"), *LINES["reviews.csv"][1:]]
    assert loading({"reviews.csv": lines}).files[2].unchanged == 3
    moderate(database, "undo-reports", "--review", "1")
    assert hidden(database) == [1, 3]


def test_a_review_that_was_removed_and_comes_back_is_as_an_operator_left_it(loading: Loading, database: str) -> None:
    loading()
    moderate(database, "hide", "1")
    moderate(database, "restore", "3")
    without = {
        "reviews.csv": LINES["reviews.csv"][1:2],
        "reviews_photos.csv": [],
        "characteristic_reviews.csv": LINES["characteristic_reviews.csv"][2:4],
    }
    loading(without, prune=True)
    assert value(database, "SELECT count(*) FROM reviews") == 1
    loading()
    assert value(database, "SELECT count(*) FROM reviews") == 3
    assert hidden(database) == [1]
