"""``reviews moderate list``, ``show``, ``who`` and ``log``: what operators see."""

from __future__ import annotations

import getpass
import hmac

from tests.moderation.conftest import SECRET, Moderated


def test_list_says_of_each_review_whether_and_why_it_is_hidden(moderated: Moderated) -> None:
    product = moderated.shop.product()
    reviews = moderated.shop.reviews(product, [{}, {}, {}, {}, {"reported": True}])
    by_reports, by_operator, restored, visible, by_files = reviews
    moderated.report(by_reports, "a")
    moderated.report(by_files, "a")
    moderated.report(visible, "a", gateway=moderated.three)
    moderated.do("hide", by_operator)
    moderated.report(restored, "a")
    moderated.do("restore", restored)

    listed = moderated.do("list", "--product", product.number)

    found = {row["review_id"]: (row["hidden"], row["why"], row["counted_reports"]) for row in listed}
    assert found == {
        by_reports: (True, "reports", 1),
        by_files: (True, "files", 1),
        visible: (False, "", 1),
        by_operator: (True, "operator", 0),
        restored: (False, "restored", 1),
    }
    assert listed[0]["review_id"] == restored
    hidden = moderated.do("list", "--product", product.number, "--hidden")
    assert {row["review_id"] for row in hidden} == {by_reports, by_files, by_operator}
    mine = moderated.do("list", "--product", product.number, "--voter", "a", "--limit", 2)
    assert len(mine) == 2


def test_show_tells_a_reviews_whole_story_and_no_address_of_anyone(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product(), summary="Bought \x1b[2J it")
    moderated.vote(review, "a")
    moderated.report(review, "b", "192.0.2.77")
    moderated.do("undo-votes", "--review", review, "--by", "ann", "--note", "a game")

    story = moderated.do("show", review)
    text = moderated.run("show", review).stdout

    (voted,), (reported,), (moderation,) = story["voted"], story["reported"], story["moderated"]
    assert voted["voter"] == hmac.digest(SECRET.encode(), b"a", "sha256").hex()
    assert voted["undone_by"] == moderation["number"]
    assert (reported["reason"], reported["found_visible"], reported["undone_by"]) == (None, True, None)
    assert (moderation["made_by"], moderation["action"], moderation["counted"], moderation["note"]) == (
        "ann",
        "UNDO_VOTES",
        1,
        "a game",
    )
    assert (story["hidden"], story["why"], story["helpfulness"]) == (True, "reports", 0)
    for told in (str(story), text):
        assert "@" not in told
        assert "192.0.2" not in told
    assert "\x1b" not in text
    assert voted["voter"][:16] in text


def test_who_did_most_comes_first(moderated: Moderated) -> None:
    product = moderated.shop.product()
    reviews = moderated.shop.reviews(product, [{}, {}, {}])
    for place, review in enumerate(reviews):
        moderated.report(review, f"mark {place}", "203.0.113.99")
    moderated.vote(moderated.shop.review(product), "a shopper", "203.0.113.100")

    found = moderated.do("who", "--product", product.number)

    first = found[0]
    assert (first["kind"], first["reports"], first["votes"], first["reviews"]) == ("client", 3, 0, 3)
    assert sorted(row["kind"] for row in found) == ["client", "client", "voter", "voter", "voter", "voter"]


def test_the_log_says_who_by_default_the_systems_user(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    moderated.do("hide", review)
    moderated.do("restore", review)
    log = moderated.do("log", "--review", review)
    assert [(row["action"], row["made_by"]) for row in log] == [
        ("RESTORE", getpass.getuser()),
        ("HIDE", getpass.getuser()),
    ]


def test_people_get_a_table_and_a_sentence(moderated: Moderated) -> None:
    product = moderated.shop.product()
    review = moderated.shop.review(product)
    assert moderated.run("list", "--product", product.number).stdout == "No review was reported or decided of.\n"
    said = moderated.run("hide", review, "--by", "ann").stdout.splitlines()
    assert said[0].split() == ["id", "product", "id", "review", "id", "counted", "was", "hidden", "hidden"]
    assert said[1].split()[1:] == [str(product.number), str(review), "0", "no", "yes"]
    assert said[2].startswith("HIDE: 1 reviews, 0 votes or reports, 1 hidden, 0 shown again. It is number ")
