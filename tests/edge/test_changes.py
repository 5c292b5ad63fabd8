"""What the edge does with the lines of the channel."""

from __future__ import annotations

from tests.edge.console import Console


def test_a_change_has_begun_only_when_it_is_known_where_it_can_be_read(console: Console) -> None:
    answers = console.run(
        """
        local numbers, says = require("edge.numbers"), require("edge.changes").says
        says.reset("p1", "A/1")
        local begun = numbers.begun()
        says.change("900", "product:1", "change 900 product:1 review:2")
        local told = numbers.begun() - begun
        says.at("p2", "A/2")
        return told, numbers.begun() - begun, numbers.after(),
          numbers.touched_since(begun, { "product:1" }), numbers.touched_since(begun, { "review:2" })
        """
    )

    assert answers == [0, 1, "A/2", True, True]


def test_a_channel_that_breaks_off_tells_the_same_changes_again(console: Console) -> None:
    answers = console.run(
        """
        local numbers, says = require("edge.numbers"), require("edge.changes").says
        says.reset("p1", "A/1")
        local begun = numbers.begun()
        says.change("901", "product:1", "change 901 product:1")
        says.from("p1", "A/1")
        says.change("901", "product:1", "change 901 product:1")
        says.at("p2", "A/2")
        return numbers.begun() - begun
        """
    )

    assert answers == [1]


def test_a_mutation_that_was_answered_here_is_not_applied_again(console: Console) -> None:
    answers = console.run(
        """
        local numbers, says = require("edge.numbers"), require("edge.changes").says
        says.reset("p1", "B/1")
        require("edge.writes").apply("902 B/2 product:1")
        local begun = numbers.begun()
        says.change("902", "product:1", "change 902 product:1")
        says.at("p2", "B/2")
        return numbers.begun() - begun
        """
    )

    assert answers == [0]


def test_after_a_reset_the_same_transaction_number_is_another_transaction(console: Console) -> None:
    answers = console.run(
        """
        local numbers, says = require("edge.numbers"), require("edge.changes").says
        require("edge.writes").apply("903 B/2 product:1")
        says.reset("p1", "B/1")
        local begun = numbers.begun()
        says.change("903", "product:1", "change 903 product:1")
        says.at("p2", "B/2")
        return numbers.begun() - begun
        """
    )

    assert answers == [1]


def test_a_line_holds_tags_and_nothing_else_is_one(console: Console) -> None:
    answers = console.run(
        """
        local numbers, says = require("edge.numbers"), require("edge.changes").says
        says.reset("p1", "A/1")
        says.change("902", "product:3", "change 902 product:3 catalog")
        says.at("p2", "A/2")
        return numbers.number_of("product:3") > 0, numbers.number_of("catalog") > 0,
          numbers.number_of("change"), numbers.number_of("902")
        """
    )

    assert answers == [True, True, 0, 0]
