"""The law of freshness: no order of turns shows what is older than what was acknowledged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge.console import NGINX, Console

SOURCE = (NGINX / "lua" / "edge" / "numbers.lua").read_text()
WAYS = (Path(__file__).parent / "interleavings.lua").read_text()
BOUND = 3


def ways_of(console: Console, source: str, ways_text: str = WAYS) -> tuple[int, int]:
    """How many ways there are for the module of ``source``, and how many of them show something stale."""
    code = f"return assert(loadstring({_quoted(ways_text)}, 'ways'))({_quoted(source)}, {BOUND})"
    ways, stale = console.run(code)
    return ways, stale


def _quoted(text: str) -> str:
    level = "=" * 4
    return f"[{level}[\n{text}]{level}]"


def changed(before: str, after: str) -> str:
    """The module with a piece of it replaced, which must be there once."""
    assert SOURCE.count(before) == 1, before
    return SOURCE.replace(before, after)


def moved(piece: str, behind: str) -> str:
    """The module with a piece of it moved behind another."""
    return changed(piece, "").replace(behind, behind + piece)


BEGUN = '  local number = control:incr("begun", 1)\n'
TAGS = "  for _, tag in ipairs(touched) do mark(tag, number) end\n"
LIVE = '  control:incr("live", 1)\n'


def begun_last() -> str:
    """The module with the count of writes raised at the end of one."""
    return changed(BEGUN, '  local number = control:get("begun") + 1\n').replace(LIVE, LIVE + BEGUN)


def test_no_order_of_turns_shows_anything_stale(console: Console) -> None:
    ways, stale = ways_of(console, SOURCE)

    assert stale == 0
    assert ways > 10_000


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(moved(TAGS, LIVE), id="everyone looks again before the tags are marked"),
        pytest.param(begun_last(), id="a write has begun when it is over"),
        pytest.param(changed(LIVE, ""), id="nobody is told to look again"),
        pytest.param(
            changed("if now == noted then return false end", "if true then return false end"),
            id="no fill looks at the ring",
        ),
    ],
)
def test_another_order_of_steps_is_caught(console: Console, source: str) -> None:
    _, stale = ways_of(console, source)

    assert stale > 0


def test_a_fill_that_looks_at_the_ring_before_it_notes_the_numbers_is_caught(console: Console) -> None:
    noted = "  local noted = numbers.numbers_of(TAGS)\n"
    touched = "  local touched = numbers.touched_since(begun, TAGS)\n"
    assert noted + touched in WAYS

    _, stale = ways_of(console, SOURCE, WAYS.replace(noted + touched, touched + noted))

    assert stale > 0


def test_a_fill_is_told_of_a_write_that_touched_it_and_of_no_other(console: Console) -> None:
    answers = console.run(
        """
        local numbers = require("edge.numbers")
        local begun = numbers.begun()
        numbers.write({ "product:7", "review:70" })
        return numbers.touched_since(begun, { "product:7" }), numbers.touched_since(begun, { "review:70" }),
          numbers.touched_since(begun, { "product:70" }), numbers.touched_since(numbers.begun(), { "product:7" })
        """
    )

    assert answers == [True, True, False, False]


def test_a_write_to_everything_touches_every_fill(console: Console) -> None:
    answers = console.run(
        """
        local numbers = require("edge.numbers")
        local begun = numbers.begun()
        local noted = numbers.numbers_of({ "product:8", "all" })
        numbers.forget()
        return numbers.touched_since(begun, { "product:8" }), numbers.unchanged({ "product:8", "all" }, noted)
        """
    )

    assert answers == [True, False]


def test_a_fill_that_took_longer_than_the_ring_is_long_counts_as_touched(console: Console) -> None:
    answers = console.run(
        """
        local numbers = require("edge.numbers")
        local begun = numbers.begun()
        for i = 1, 4095 do numbers.write({ "product:1" }) end
        local before = numbers.touched_since(begun, { "product:2" })
        numbers.write({ "product:1" })
        return before, numbers.touched_since(begun, { "product:2" })
        """
    )

    assert answers == [False, True]


def test_without_room_for_a_tag_every_page_goes(console: Console) -> None:
    answers = console.run(
        """
        local numbers = require("edge.numbers")
        local noted = numbers.numbers_of({ "product:0", "all" })
        local kept = numbers.unchanged({ "product:0", "all" }, noted)
        for i = 1, 5000 do numbers.write({ "product:" .. (1000000 + i) }) end
        return kept, numbers.unchanged({ "product:0", "all" }, noted), numbers.number_of("product:1005000") > 0
        """
    )

    assert answers == [True, False, True]


def test_the_channel_is_dead_after_its_time_and_no_number_comes_again(console: Console) -> None:
    answers = console.run(
        """
        local numbers = require("edge.numbers")
        numbers.renew()
        local first = numbers.live()
        ngx.sleep(numbers.LIVE_SECONDS + 0.1)
        local silent = numbers.live()
        numbers.write({ "product:3" })
        numbers.renew()
        return first ~= nil, silent == nil, numbers.live() > first
        """
    )

    assert answers == [True, True, True]


JUMPS = """
    local numbers, clock = {}, require("edge.clock")
    package.loaded["edge.clock"] = { now = function() return clock.now() - numbers.jumped end }
    numbers = { jumped = 0 }
    local jumping = assert(loadstring(SOURCE))()
    package.loaded["edge.clock"] = clock
    jumping.renew()
    jumping.write({ "product:6" })
    local noted = jumping.numbers_of({ "product:6", "all" })
    local function holds_after(seconds)
      numbers.jumped = numbers.jumped + seconds
      jumping.live()
      local holds = jumping.unchanged({ "product:6", "all" }, noted)
      noted = jumping.numbers_of({ "product:6", "all" })
      return holds
    end
    return holds_after(0), holds_after(50), holds_after(-50), holds_after(3600), holds_after(0), holds_after(-3600)
"""


def test_every_page_goes_when_the_clock_is_set_by_more_than_a_minute(console: Console) -> None:
    answers = console.run(JUMPS.replace("SOURCE", _quoted(SOURCE)))

    assert answers == [True, True, True, False, True, False]


def test_the_highest_position_is_kept(console: Console) -> None:
    answers = console.run(
        """
        local numbers = require("edge.numbers")
        numbers.heard_of("1/FFFFFFF0")
        numbers.heard_of("0/5")
        local highest = numbers.after()
        numbers.heard_of("2/1")
        return highest, numbers.after()
        """
    )

    assert answers == ["1/FFFFFFF0", "2/1"]


def test_another_database_may_be_at_an_earlier_position(console: Console) -> None:
    answers = console.run(
        """
        local numbers = require("edge.numbers")
        numbers.heard_of("9/1")
        numbers.forget("3/A")
        return numbers.after()
        """
    )

    assert answers == ["3/A"]


def test_no_number_comes_again_when_the_configuration_is_read_anew(console: Console) -> None:
    answers = console.run(
        """
        local numbers = require("edge.numbers")
        numbers.write({ "product:4" })
        local begun, noted = numbers.begun(), numbers.numbers_of({ "product:5", "all" })
        numbers.start()
        return numbers.begun() - begun, numbers.number_of("all") - numbers.begun(),
          numbers.unchanged({ "product:5", "all" }, noted)
        """
    )

    assert answers == [1, 0, False]
