"""What is remembered of the rows of the last load."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from etl.marks import Marks, hashes_of
from etl.wire import BIGINT, SMALLINT, TEXT, encode

PAGE = 65_536


def test_more_pages_than_memory_holds_are_kept_apart() -> None:
    generator = np.random.default_rng(1)
    numbers = generator.permutation(100 * PAGE)[:20_000].astype(np.int64)
    hashes = generator.integers(2, 2**63, len(numbers)).astype(np.uint64)
    with Marks() as first, Marks() as second:
        for part in range(0, len(numbers), 500):
            assert not first.exchange(numbers[part : part + 500], hashes[part : part + 500]).any()
        for page, packed in first.packed():
            second.add_page(page, packed)
        seen = second.exchange(numbers[:15_000], hashes[:15_000])

        assert second.known == 20_000
        assert (seen == hashes[:15_000]).all()
        assert second.missing().tolist() == sorted(numbers[15_000:].tolist())


def test_a_page_that_did_not_change_is_not_stored_again() -> None:
    numbers, hashes = np.array([5, PAGE + 1], np.int64), np.array([7, 9], np.uint64)
    with Marks() as first, Marks() as second:
        first.exchange(numbers, hashes)
        for page, packed in first.packed():
            second.add_page(page, packed)

        second.exchange(numbers, np.array([7, 10], np.uint64))

        assert [page for page, _ in second.packed()] == [1]


def test_a_page_whose_rows_are_gone_is_removed() -> None:
    with Marks() as marks:
        marks.add_page(3, np.array([0, 8], "<u8").tobytes())

        assert marks.missing().tolist() == [3 * PAGE + 1]
        assert list(marks.packed()) == [(3, b"")]


def test_hashes_are_those_of_every_machine() -> None:
    one, two = np.array([1, 1, 2]), np.array([3, 4, 3])
    ratings = encode([BIGINT, BIGINT, BIGINT, BIGINT, SMALLINT], [one, two, one, two, one])
    texts = encode([BIGINT, TEXT], [np.array([1]), pa.array(["a"])])

    assert [hex(one) for one in hashes_of(ratings, 0).tolist()] == [
        "0xe2daa62008638691",
        "0xce187a21cd93464a",
        "0xc4e4e386a4696097",
    ]
    assert [hex(one) for one in hashes_of(texts, 0).tolist()] == ["0xf217d8428f9ac757"]
