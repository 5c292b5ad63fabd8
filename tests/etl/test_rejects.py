"""Every kind of dirt, and exactly what is said of it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from etl.generating.folder import generate_folder
from etl.load import load_folder
from graphql_api.settings import Settings
from tests.etl.folders import HEADERS, LINES, write_folder
from tests.etl.reading import OneByOne, transformed
from tests.harness.databases import Databases, value

GOOD = LINES["reviews.csv"][0]


def review(number: int = 9, **changes: str) -> str:
    """A line of reviews.csv with some of its fields replaced."""
    fields = {
        "id": str(number),
        "product_id": "1",
        "rating": "5",
        "date": "1596080481467",
        "summary": '"Good"',
        "body": '"Very good"',
        "recommend": "true",
        "reported": "false",
        "reviewer_name": '"ann"',
        "reviewer_email": '"ann@example.com"',
        "response": "null",
        "helpfulness": "3",
    }
    return ",".join({**fields, **changes}.values())


@pytest.mark.parametrize(
    ("file", "line", "column", "value", "reason"),
    [
        ("reviews.csv", review(rating="6"), "rating", "6", "is not from 1 to 5"),
        ("reviews.csv", review(rating="0"), "rating", "0", "is not from 1 to 5"),
        ("reviews.csv", review(rating="4.5"), "rating", "4.5", "is not a whole number"),
        ("reviews.csv", review(rating="null"), "rating", "null", "is missing"),
        ("reviews.csv", review(rating="1_0"), "rating", "1_0", "is not a whole number"),
        ("reviews.csv", review(date="788918399999"), "date", "788918399999", "is before 1995"),
        ("reviews.csv", review(date="1596080481"), "date", "1596080481", "is before 1995"),
        ("reviews.csv", review(date='"2026-01-02"'), "date", "2026-01-02", "is in the future"),
        ("reviews.csv", review(date='"2019-02-30"'), "date", "2019-02-30", "is not a date"),
        ("reviews.csv", review(date="999999999999999999"), "date", "999999999999999999", "is not a date"),
        ("reviews.csv", review(date="yesterday"), "date", "yesterday", "is not a date"),
        ("reviews.csv", review(recommend="yes"), "recommend", "yes", "is not true, false, 1 or 0"),
        ("reviews.csv", review(reported=""), "reported", "", "is missing"),
        ("reviews.csv", review(helpfulness="-1"), "helpfulness", "-1", "is not from 0 to 2147483647"),
        ("reviews.csv", review(helpfulness="2147483648"), "helpfulness", "2147483648", "is not from 0 to 2147483647"),
        ("reviews.csv", review(summary="null"), "summary", "null", "is missing"),
        ("reviews.csv", review(body="x" * 10_001), "body", "x" * 199 + "…", "is longer than 10,000 characters"),
        ("reviews.csv", review(response="x" * 2_001), "response", "x" * 199 + "…", "is longer than 2,000 characters"),
        ("reviews.csv", review(reviewer_email="x@" * 1001), "reviewer_email", "x***@x***",
         "is longer than 2,000 characters"),
        ("reviews.csv", review(0), "id", "0", "is not a positive number"),
        ("reviews.csv", review(-3), "id", "-3", "is not a positive number"),
        ("reviews.csv", review(1_000_000_000), "id", "1000000000",
         "is not below 1000000000, where the gateway's own numbers begin"),
        ("reviews.csv", review(2), "id", "2", "was in the file before"),
        ("reviews.csv", review(product_id="7"), "product_id", "7", "there is no product 7"),
        ("product.csv", '3,null,"a","b","c",1', "name", "null", "is missing"),
        ("product.csv", f'3,"n","a","b","{"語" * 900}",1', "category", "語" * 199 + "…", "is longer than 2,600 bytes"),
        ("characteristics.csv", '\ufeff9,1,"Fit"', "id", "\ufeff9", "is not a whole number"),
        ("product.csv", '3,"","a","b","c",1', "name", "", "is missing"),
        ("product.csv", '3,"n","a","b","c",1.005', "default_price", "1.005", "has more than 2 decimals"),
        ("product.csv", '3,"n","a","b","c",1e3', "default_price", "1e3", "is not an amount"),
        ("product.csv", '3,"n","a","b","c",1000000000000', "default_price", "1000000000000",
         "is above 999999999999.99"),
        ("product.csv", '1,"n","a","b","c",1', "id", "1", "was in the file before"),
        ("characteristics.csv", '4,1,"Colour"', "name", "Colour",
         "is not Size, Width, Comfort, Quality, Length or Fit"),
        ("characteristics.csv", '4,8,"Fit"', "product_id", "8", "there is no product 8"),
        ("characteristics.csv", '3,1,"Fit"', "id", "3", "was in the file before"),
        ("reviews_photos.csv", '3,99,"u"', "review_id", "99", "there is no review 99"),
        ("reviews_photos.csv", '2,1,"u"', "id", "2", "was in the file before"),
        ("reviews_photos.csv", "3,1,null", "url", "null", "is missing"),
        ("characteristic_reviews.csv", "6,9,1,3", "characteristic_id", "9", "there is no characteristic 9"),
        ("characteristic_reviews.csv", "6,1,9,3", "review_id", "9", "there is no review 9"),
        ("characteristic_reviews.csv", "6,3,1,3", "characteristic_id", "3",
         "characteristic 3 belongs to product 2, and review 1 to product 1"),
        ("characteristic_reviews.csv", "6,1,1,3", "characteristic_id", "1",
         "review 1 has rated characteristic 1 before"),
        ("characteristic_reviews.csv", "5,1,1,3", "id", "5", "was in the file before"),
        ("characteristic_reviews.csv", "6,1,1,9", "value", "9", "is not from 1 to 5"),
    ],
)  # fmt: skip
def test_a_bad_value_is_told_with_its_place(
    tmp_path: Path, file: str, line: str, column: str, value: str, reason: str
) -> None:
    folder = write_folder(tmp_path, {file: [*LINES[file], line]})

    _, rejections, reports = transformed(folder)

    assert [(one.file, one.line, one.column, one.value, one.reason) for one in rejections] == [
        (file, len(LINES[file]) + 2, column, value, reason)
    ]
    assert [report.rows for report in reports] == [2, 3, 3, 2, 5]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'9,1,"Fit', "a quote is not closed"),
        (b'9,1,"Fi"t"', "a quote is not closed"),
        (b'9,1,Fi""t', "a quote inside a field is not doubled"),
        (b'9,1,"Fit",5', "has 4 fields where the header has 3"),
        (b"9,1", "has 2 fields where the header has 3"),
        (b'9,1,"F\xfft"', "is not valid UTF-8"),
        (b"9,1,\xed\xa0\x80", "is not valid UTF-8"),
        (b'9,1,"F\0t"', "holds a NUL byte"),
        (b"9,1," + b"x" * 1_500_000, "is longer than 1 MiB"),
        (b"9,1," + b"x" * 3_500_000, "is longer than 1 MiB"),
    ],
)
def test_a_broken_record_is_rejected_alone(tmp_path: Path, line: bytes, reason: str) -> None:
    folder = write_folder(tmp_path)
    first, second, third = (text.encode() for text in LINES["characteristics.csv"])
    header = HEADERS["characteristics.csv"].encode()
    (folder / "characteristics.csv").write_bytes(b"\n".join([header, first, line, second, third]))

    made, rejections, _ = transformed(folder)

    assert [(one.line, one.column, one.reason) for one in rejections] == [(3, "", reason)]
    assert made["characteristics"] == [(1, 1, "FIT"), (1, 2, "QUALITY"), (2, 3, "QUALITY")]


def test_two_broken_records_in_a_row_are_two_rejections(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"characteristics.csv": ['1,1,"Fit', '2,1,"Quality', '3,2,"Quality"']})

    made, rejections, _ = transformed(folder)

    assert [one.line for one in rejections if one.file == "characteristics.csv"] == [2, 3]
    assert made["characteristics"] == [(2, 3, "QUALITY")]


def test_lines_that_belong_to_a_broken_record_go_with_it(tmp_path: Path) -> None:
    broken = review(5, body='"said "hi"\nthen left"')
    folder = write_folder(tmp_path, {"reviews.csv": [GOOD, broken, *LINES["reviews.csv"][1:]]})

    made, rejections, reports = transformed(folder)

    assert [(one.line, one.row.count("\n")) for one in rejections] == [(3, 1)]
    assert reports[2].read == 4
    assert [row[1] for row in made["reviews"]] == [1, 2, 3]


def test_null_is_missing_and_quoted_null_is_text(tmp_path: Path) -> None:
    responses = ["null", '"null"', "", '""', "NULL", '"Thanks, ""Ann""\nand Bob"']
    lines = [review(number, response=response) for number, response in enumerate(responses, 1)]
    folder = write_folder(tmp_path, {"reviews.csv": lines, "reviews_photos.csv": [], "characteristic_reviews.csv": []})

    made, rejections, _ = transformed(folder)

    assert rejections == []
    assert [row[10] for row in made["reviews"]] == [None, "null", None, None, None, 'Thanks, "Ann"\nand Bob']


def test_dates_and_booleans_of_every_form_mean_the_same(tmp_path: Path) -> None:
    forms = [
        ("1546300800000", "true", "0"),
        ('"2019-01-01"', "1", "false"),
        ("2019-01-01", "TRUE", "False"),
        ('"2019-01-01T00:00:00Z"', '"true"', '"0"'),
        ("2019-01-01 01:00:00.000+01:00", " True ", " 0 "),
        ('"1546300800000"', "1", "0"),
    ]
    lines = [review(n, date=d, recommend=yes, reported=no) for n, (d, yes, no) in enumerate(forms, 1)]
    folder = write_folder(tmp_path, {"reviews.csv": lines, "reviews_photos.csv": [], "characteristic_reviews.csv": []})

    made, rejections, _ = transformed(folder)

    assert rejections == []
    assert {(row[3], row[6], row[7]) for row in made["reviews"]} == {(datetime(2019, 1, 1, tzinfo=UTC), True, False)}


def test_byte_order_mark_crlf_blanks_and_other_columns_do_not_matter(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "characteristics.csv").write_bytes(
        b'\xef\xbb\xbfname,extra,"id", product_id\r\n"Fit",x,1, 1 \r\n\r\n"QUALITY" ,"a,b", 2,1\r\nquality,,"3",2'
    )

    made, rejections, _ = transformed(folder)

    assert rejections == []
    assert made["characteristics"] == [(1, 1, "FIT"), (1, 2, "QUALITY"), (2, 3, "QUALITY")]


def test_children_of_rejected_rows_name_the_rejected_parent(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"reviews.csv": [GOOD.replace(",5,", ",6,", 1), *LINES["reviews.csv"][1:]]})

    _, rejections, _ = transformed(folder)

    assert [(one.file, one.line, one.reason) for one in rejections] == [
        ("reviews.csv", 2, "is not from 1 to 5"),
        ("reviews_photos.csv", 2, "review 1 was rejected"),
        ("reviews_photos.csv", 3, "review 1 was rejected"),
        ("characteristic_reviews.csv", 2, "review 1 was rejected"),
        ("characteristic_reviews.csv", 3, "review 1 was rejected"),
    ]


def test_numbers_far_apart_find_each_other(tmp_path: Path) -> None:
    far = 999_999_999
    folder = write_folder(
        tmp_path,
        {
            "product.csv": [f'{far},"Hat",null,null,null,null'],
            "characteristics.csv": [f"{far},{far},Fit"],
            "reviews.csv": [review(far, product_id=str(far)), review(far, product_id=str(far))],
            "reviews_photos.csv": [f"{far},{far},u", f"{far},{far},u"],
            "characteristic_reviews.csv": [f"{far},{far},{far},1", f"{far - 1},{far},{far},1"],
        },
    )

    made, rejections, _ = transformed(folder)

    assert [len(some) for some in made.values()] == [1, 1, 1, 1, 1]
    assert [one.reason for one in rejections] == [
        "was in the file before",
        "was in the file before",
        f"review {far} has rated characteristic {far} before",
    ]


def test_a_product_with_many_characteristics_has_each_rated_once(tmp_path: Path) -> None:
    many = range(1, 41)
    folder = write_folder(
        tmp_path,
        {
            "characteristics.csv": [f'{number},1,"Fit"' for number in many],
            "characteristic_reviews.csv": [
                *(f"{number},{number},1,4" for number in many),
                *(f"{number + 100},{number},1,5" for number in many),
                *(f"{number + 200},{number},2,3" for number in many),
            ],
        },
    )

    made, rejections, _ = transformed(folder)

    assert [row[:3] for row in sorted(made["ratings"])] == [(1, review, one) for review in (1, 2) for one in many]
    assert [(one.line, one.reason) for one in rejections] == [
        (41 + number, f"review 1 has rated characteristic {number} before") for number in many
    ]


_DIRT = st.sampled_from(
    [
        *(
            b'"',
            b",",
            b"\n",
            b"\xff",
            b"\0",
            b"null",
            b"-",
            b"9",
            b'""',
            b"\r\n",
            b"\r",
            b"x",
            b" ",
            b"0,",
            b"0x1",
            b"+",
        ),
        *("\u00a0".encode(), "\u2003x".encode(), "é".encode(), b"\t", b'"\n', b',"', b'",', b"\n\n", b"1e2", b"true"),
        *(
            b'\n7,1,"Fit"\n',
            b"\n1,1,1,1\n",
            b"0" * 20,
            b"2019-01-01",
            b'"2019-01-01"',
            b"'",
            b"\x1f",
            b"NULL",
            b"\xef\xbb\xbf",
        ),
    ]
)


def spoil(folder: Path, data: st.DataObject) -> None:
    """Put up to four pieces of dirt anywhere below the header of each file."""
    for name, header in HEADERS.items():
        content = bytearray((folder / name).read_bytes())
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(len(header) + 1, len(content)))
            end = at + data.draw(st.integers(0, 3))
            content[at:end] = data.draw(_DIRT)
        (folder / name).write_bytes(content)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_read_is_loaded_or_rejected(
    data: st.DataObject, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = write_folder(tmp_path_factory.mktemp("dirty"))
    spoil(folder, data)

    url = databases.migrated()
    report = load_folder(url, folder, Settings(state=folder / "state"))

    with (folder / "state" / "rejects" / f"{folder.name}.csv").open(newline="") as stream:
        rejected = [row["file"] for row in csv.DictReader(stream)]
    for file in report.files:
        assert file.read == file.loaded + rejected.count(file.file)
        assert value(url, f"SELECT count(*) FROM {file.table}") == file.loaded


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_blocks_and_single_rows_are_read_alike(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("dirty")
    generate_folder(folder, products=6, seed=data.draw(st.integers(0, 50)))
    spoil(folder, data)

    at_once, one_by_one = transformed(folder), transformed(folder, OneByOne)

    assert {table: sorted(rows) for table, rows in at_once.rows.items()} == {
        table: sorted(rows) for table, rows in one_by_one.rows.items()
    }
    assert at_once.rejections == one_by_one.rejections
    assert at_once.reports == one_by_one.reports
