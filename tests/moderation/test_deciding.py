"""``reviews moderate hide`` and ``restore``: what an operator decides holds."""

from __future__ import annotations

from tests.harness.databases import rows
from tests.moderation.conftest import Moderated


def test_what_an_operator_hides_is_hidden_and_what_is_restored_is_shown(moderated: Moderated) -> None:
    product = moderated.shop.product("FIT")
    one, other = moderated.shop.reviews(product, [{"values": {"FIT": 1}, "photos": 1}, {"values": {"FIT": 5}}])
    global_id = moderated.one.data("query ($id: ID!) { review(id: $id) { id } }", id=other)["review"]["id"]

    done = moderated.do("hide", one, global_id, "--by", "ann", "--note", "spam")

    assert [(row["id"], row["was_hidden"], row["hidden"]) for row in done["reviews"]][1] == (global_id, False, True)
    assert (moderated.hidden(one), moderated.hidden(other)) == (True, True)
    moderated.do("restore", one)
    assert (moderated.hidden(one), moderated.hidden(other)) == (False, True)
    assert [
        tuple(row)
        for row in rows(
            moderated.url,
            "SELECT action, hidden, note FROM moderations WHERE review_id = $1 ORDER BY moderation_id",
            one,
        )
    ] == [("HIDE", True, "spam"), ("RESTORE", False, None)]


def test_no_report_hides_what_an_operator_has_restored(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    assert moderated.report(review, "a") is True
    moderated.do("restore", review)
    assert moderated.report(review, "b", "192.0.2.2") is False
    assert moderated.hidden(review) is False


def test_to_undo_the_reports_does_not_show_what_an_operator_has_hidden(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    moderated.report(review, "a")
    moderated.do("hide", review)
    assert moderated.do("undo-reports", "--review", review)["reviews"][0]["hidden"] is True
    assert moderated.hidden(review) is True


def test_where_one_review_is_not_there_nothing_is_changed(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    assert moderated.refusal("hide", review, 77777777777) == (
        "reviews: There is no review 77777777777: nothing was changed."
    )
    assert moderated.hidden(review) is False


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    done = moderated.do("hide", review, "--dry-run")
    assert (done["number"], done["dry_run"], done["reviews"][0]["hidden"]) == (None, True, True)
    assert moderated.hidden(review) is False
    assert moderated.do("log", "--review", review) == []


def test_a_hide_records_the_tags_by_which_edges_forget(moderated: Moderated) -> None:
    product = moderated.shop.product()
    review = moderated.shop.review(product)
    moderated.do("hide", review)
    (last,) = rows(moderated.url, "SELECT tags FROM changes ORDER BY change_id DESC LIMIT 1")
    assert last["tags"] == f"product:{product.number} review:{review}"
