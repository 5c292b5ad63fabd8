"""Any text of a file is in the database exactly, or its row is rejected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from etl.report import Report
from tests.etl.folders import write_folder
from tests.etl.test_rejects import review
from tests.harness.databases import rows

# Marks that combine, change the direction, mean nothing, need four bytes, are no characters, or end a string in C.
_SIGNS = "aé\x01\x1f\x7f\x85\u00ad\u0301\u0345\u200b\u200d\u2028\u202e\u2066\ufdd0\ufeff\ufffd\ufffe\uffff"
_SIGNS += "\U0001f469\U0001fffe\U000e0001\U0010ffff\"'\\%_;$,\t\r\n İßﬃ가각"


def _texts(count: int, signs: str) -> list[str]:
    draw = Random(7)
    anywhere = [chr(code) for code in draw.choices(range(1, 0x110000), k=3000) if not 0xD800 <= code <= 0xDFFF]
    return ["t" + "".join(draw.choices([*signs, *draw.sample(anywhere, 8)], k=20)) + "." for _ in range(count)]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize("bulk_rows", [0, 10**9])
def test_texts_of_any_signs_are_stored_exactly_and_those_with_a_nul_rejected(
    loading: Callable[..., Report], database: str, bulk_rows: int
) -> None:
    texts = _texts(300, _SIGNS)
    held = {n: text.replace("t", "t\x00", 1) if n % 10 == 0 else text for n, text in enumerate(texts, 1)}
    lines = [
        review(n, summary=_quoted(text), body=_quoted(text), reviewer_name=_quoted(text), response=_quoted(text))
        for n, text in held.items()
    ]
    changes = {"reviews.csv": lines, "reviews_photos.csv": [], "characteristic_reviews.csv": []}

    report = loading(changes, bulk_rows=bulk_rows)

    stored = rows(database, "SELECT review_id, summary, body, reviewer_name, response FROM reviews")
    assert {row[0]: set(row[1:]) for row in stored} == {n: {text} for n, text in held.items() if "\x00" not in text}
    (reviews,) = [file for file in report.files if file.table == "reviews"]
    assert reviews.rows == 270
    assert [(reason.reason, reason.count) for reason in reviews.reasons] == [("holds a NUL byte", 30)]


@pytest.mark.parametrize("broken", [b"\xed\xa0\x80", b"\xff", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xe2\x82"])
def test_what_is_no_utf_8_is_rejected_with_its_row(
    loading: Callable[..., Report], database: str, tmp_path: Path, broken: bytes
) -> None:
    folder = write_folder(tmp_path / "broken", {"reviews_photos.csv": [], "characteristic_reviews.csv": []})
    file = folder / "reviews.csv"
    file.write_bytes(file.read_bytes().replace(b"Very good", b"Very " + broken + b" good"))

    report = loading(folder=folder)

    assert [row[0] for row in rows(database, "SELECT review_id FROM reviews ORDER BY 1")] == [2, 3]
    (reviews,) = [file for file in report.files if file.table == "reviews"]
    assert [(reason.reason, reason.count) for reason in reviews.reasons] == [("is not valid UTF-8", 1)]
