"""``reviews moderate undo-votes``, ``undo-reports`` and ``redo``: abuse is undone by who and when, in one command."""

from __future__ import annotations

import pytest

from tests.harness.databases import run, value
from tests.moderation.conftest import Moderated


def test_reports_of_one_client_are_undone_at_once_and_others_stay(moderated: Moderated) -> None:
    product = moderated.shop.product("FIT")
    mine = moderated.shop.reviews(product, [{"values": {"FIT": n % 5 + 1}, "photos": 1} for n in range(4)])
    abuser, shopper = "203.0.113.5", "203.0.113.6"
    for place, review in enumerate(mine[:3]):
        assert moderated.report(review, f"mark {place}", abuser) is True
    assert moderated.report(mine[3], "a shopper", shopper) is True

    done = moderated.do("undo-reports", "--client", abuser, "--since", "1h")

    assert [(row["review_id"], row["counted"], row["hidden"]) for row in done["reviews"]] == [
        (review, 1, False) for review in mine[:3]
    ]
    assert [moderated.hidden(review) for review in mine] == [False, False, False, True]


def test_who_was_undone_cannot_report_again_and_another_can(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    moderated.report(review, "abuser", "203.0.113.7")
    moderated.do("undo-reports", "--voter", "abuser")
    assert moderated.report(review, "abuser", "203.0.113.8") is False
    assert moderated.report(review, "another", "203.0.113.9") is True


def test_a_review_stays_hidden_where_enough_other_reports_are_left(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    for n in range(4):
        moderated.report(review, f"left {n}", f"203.0.113.{20 + n}", moderated.three)
    assert moderated.do("undo-reports", "--voter", "left 0", reports_to_hide=3)["reviews"][0]["hidden"] is True
    assert moderated.do("undo-reports", "--voter", "left 1", reports_to_hide=3)["reviews"][0]["hidden"] is False


def test_what_the_files_hide_is_not_shown_by_undoing_reports(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product(), reported=True)
    moderated.report(review, "a")
    assert moderated.do("undo-reports", "--review", review)["reviews"][0]["hidden"] is True


def test_votes_of_one_voter_are_undone_and_cannot_be_cast_again(moderated: Moderated) -> None:
    one, other = moderated.shop.reviews(moderated.shop.product(), [{"helpfulness": 7}, {}])
    for review in (one, other):
        moderated.vote(review, "ballot stuffer")
        moderated.vote(review, "an honest voter")

    done = moderated.do("undo-votes", "--voter", "ballot stuffer")

    assert [row["counted"] for row in done["reviews"]] == [1, 1]
    assert [moderated.helpfulness(review) for review in (one, other)] == [8, 1]
    assert moderated.vote(one, "ballot stuffer") == ["DUPLICATE"]
    assert moderated.helpfulness(one) == 8


def test_a_hash_that_who_lists_undoes_what_it_did(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    for _ in range(5):
        moderated.vote(review, None, "203.0.113.40")
    (found,) = moderated.do("who", "--review", review)
    assert (found["kind"], found["votes"], found["reports"], found["reviews"]) == ("client", 5, 0, 1)
    assert moderated.do("undo-votes", "--hash", found["hash"][:16])["reviews"][0]["counted"] == 5
    assert moderated.helpfulness(review) == 0


def test_only_the_window_of_time_is_undone(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    for voter in ("early", "amid", "late"):
        moderated.vote(review, voter)
    for vote, hour in enumerate((9, 10, 11)):
        run(
            moderated.url,
            "UPDATE helpful_votes SET voted_at = $1::text::timestamptz WHERE (product_id, review_id, vote_id) ="
            " (SELECT product_id, review_id, vote_id FROM helpful_votes WHERE review_id = $2"
            " ORDER BY vote_id OFFSET $3 LIMIT 1)",
            f"2026-11-01T{hour:02}:30Z",
            review,
            vote,
        )
    window = ("--review", review, "--since", "2026-11-01T10:00", "--until", "2026-11-01T11:00Z")
    assert moderated.do("undo-votes", *window)["reviews"][0]["counted"] == 1
    assert moderated.helpfulness(review) == 2


def test_redo_counts_again_exactly_what_an_undo_took_out(moderated: Moderated) -> None:
    product = moderated.shop.product()
    voted, reported = moderated.shop.reviews(product, [{}, {}])
    moderated.vote(voted, "redo a")
    moderated.vote(voted, "redo b")
    moderated.report(reported, "redo a")
    moderated.do("undo-votes", "--voter", "redo b")
    undone = [
        moderated.do(command, "--product", product.number)["number"] for command in ("undo-votes", "undo-reports")
    ]
    assert (moderated.helpfulness(voted), moderated.hidden(reported)) == (0, False)

    for number in undone:
        moderated.do("redo", number)

    assert (moderated.helpfulness(voted), moderated.hidden(reported)) == (1, True)


def test_an_undo_again_finds_nothing_and_leaves_no_line_in_the_log(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    moderated.vote(review, "a")
    moderated.do("undo-votes", "--review", review)
    assert moderated.do("undo-votes", "--review", review) == {
        "number": None,
        "action": "UNDO_VOTES",
        "dry_run": False,
        "reviews": [],
    }
    assert len(moderated.do("log", "--review", review)) == 1


def test_an_undo_of_five_hundred_products_tells_edges_to_forget_everything(moderated: Moderated) -> None:
    many = [moderated.shop.product() for _ in range(3)]
    reviews = [moderated.shop.review(product) for product in many]
    run(
        moderated.url,
        "INSERT INTO products (product_id, name) SELECT n, 'many' FROM generate_series(9000001, 9000500) AS n;"
        "INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name,"
        " reviewer_email) SELECT n, n, 3, now(), '', '', true, 'x', 'x@example.com'"
        " FROM generate_series(9000001, 9000500) AS n;"
        "INSERT INTO reports (product_id, review_id, voter)"
        " SELECT n, n, 'mass' FROM generate_series(9000001, 9000500) AS n;"
        "UPDATE reviews SET reported = true WHERE review_id BETWEEN 9000001 AND 9000500",
    )
    done = moderated.do("undo-reports", "--hash", b"mass".hex())
    assert (len(done["reviews"]), {row["hidden"] for row in done["reviews"]}) == (500, {False})
    assert value(moderated.url, "SELECT tags FROM changes ORDER BY change_id DESC LIMIT 1") == "all"
    assert [moderated.hidden(review) for review in reviews] == [False] * 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("undo-votes",), "That would be all there are: say which, with --review, --hash, --since or another option."),
        (("undo-votes", "--since", "soon"), "'soon' is no time: write it like 2026-11-26T10:00, or like 2h for two"),
        (("undo-votes", "--hash", "xyz"), "'xyz' is no beginning of a hash: give 8 to 64 hexadecimal digits"),
        (("undo-reports", "--review", "x"), "'x' names no review: give its number or its global id."),
        (("undo-reports", "--product", "x"), "'x' names no product: give its number or its global id."),
        (("undo-reports", "--voter", " "), "' ' is no mark of a voter: a mark has 1 to 200 characters."),
        (("redo", "999999"), "Moderation 999999 took no votes or reports out of the count: log lists those that did."),
        (("show", "77777777777"), "There is no review 77777777777."),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence(
    moderated: Moderated, arguments: tuple[str, ...], said: str
) -> None:
    assert moderated.refusal(*arguments).startswith(f"reviews: {said}")


def test_without_the_secret_clients_cannot_be_named(moderated: Moderated) -> None:
    assert moderated.refusal("undo-votes", "--client", "192.0.2.1", secret="") == (
        "reviews: Clients are told apart by a key only: set REVIEWS_VOTER_SECRET to that of the gateway."
    )
