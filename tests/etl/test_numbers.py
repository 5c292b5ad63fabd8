"""What is remembered of numbers, whether they are near or far, expected or not."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from etl.numbers import Column, Counts, Numbers, Seen
from graphql_api.errors import OperatorError

FAR = 900_000_000_000


@pytest.mark.parametrize("expected", [0, 3_000_000])
def test_numbers_have_their_values_however_far_they_lie(expected: int) -> None:
    numbers = Numbers(expected=expected)
    numbers.put_many(np.array([7, FAR, 2_500_000]), np.array([1, 2, 3]))
    numbers.put_many(np.array([900_000]), 4)
    numbers.put_many(np.array([1_800_000]), 5)

    assert numbers.get_many(np.array([-1, 7, 8, 900_000, 1_800_000, 2_500_000, FAR, FAR + 1])).tolist() == [
        *(0, 1, 0, 4, 5, 3, 2, 0)
    ]
    assert [numbers.get(number) for number in (7, 2_500_000, FAR)] == [1, 3, 2]


def test_items_are_the_values_above_0_by_number() -> None:
    numbers = Numbers()
    numbers.put_many(np.array([FAR, 50_000, 3, 4, FAR - 1]), np.array([1, 2, 3, -1, 4]))

    found = [pair for part in numbers.items() for pair in zip(*(one.tolist() for one in part), strict=True)]

    assert found == [(3, 3), (50_000, 2), (FAR - 1, 4), (FAR, 1)]


@pytest.mark.parametrize("expected", [0, 100_000])
def test_seen_numbers_are_those_that_were_added(expected: int) -> None:
    seen = Seen(expected)
    added = [*range(1, 40), 41, 80_000, FAR]
    seen.add_many(np.array(added[:-2]))
    seen.add_many(np.array(added[-2:]))
    seen.add(43)

    asked = [*range(50), 79_999, 80_000, 80_001, FAR, FAR + 1]
    assert [number for number in asked if seen.has(number)] == [*range(1, 40), 41, 43, 80_000, FAR]
    assert np.array(asked)[seen.have(np.array(asked))].tolist() == [*range(1, 40), 41, 43, 80_000, FAR]
    assert not seen.have(np.array([-1, -8])).any()


@pytest.mark.parametrize("number", [5, FAR])
def test_counts_go_on_beyond_a_byte(number: int) -> None:
    counts = Counts()
    for times in (255, 1, 1000, 66_000):
        counts.add_many(np.array([number] * times + [6]))

    assert counts.get_many(np.array([4, number, 6, number])).tolist() == [0, 67_256, 4, 67_256]


def test_a_column_grows_beyond_what_was_expected() -> None:
    column = Column(np.int8, 1500)
    for part in range(30):
        column.extend(np.full(100, part))

    assert column.values.tolist() == [part for part in range(30) for _ in range(100)]
    assert column.at(np.array([1, 101, 3000])).tolist() == [0, 1, 29]


def test_memory_that_cannot_be_had_is_told_in_a_sentence() -> None:
    with pytest.raises(OperatorError, match="There are no 4,294,967,296 MiB of memory"):
        Numbers(expected=1 << 50)


def test_what_is_expected_is_resident_at_once() -> None:
    process = psutil.Process()
    before = process.memory_info().rss

    numbers, column = Numbers(expected=10_000_000), Column(np.int8, 40_000_000)

    assert (process.memory_info().rss - before) >> 20 in range(75, 80)
    assert (numbers.get(9_999_999), column.length) == (0, 0)
