"""The command line: what it prints, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from etl.cli import main
from tests.etl.folders import ATELIER, write_folder
from tests.harness.databases import run


@pytest.fixture(autouse=True)
def environment(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own environment names the test's database and state folder."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("REVIEWS_STATE", str(tmp_path / "state"))


def test_load_prints_a_table_and_exits_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["load", str(ATELIER / "v2"), "--quiet", "--report", str(tmp_path / "report.json")])

    printed, progress = capsys.readouterr()
    assert (code, progress) == (0, "")
    assert [line.split() for line in printed.splitlines()[:6]] == [
        ["file", "read", "loaded", "rejected"],
        ["product.csv", "10", "10", "0"],
        ["characteristics.csv", "34", "34", "0"],
        ["reviews.csv", "19", "14", "5"],
        ["reviews_photos.csv", "19", "9", "10"],
        ["characteristic_reviews.csv", "41", "41", "0"],
    ]
    assert json.loads((tmp_path / "report.json").read_text())["source"] == "v2"


def test_load_tells_its_steps_in_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    main(["load", str(ATELIER / "v2")])

    assert capsys.readouterr().err.splitlines() == [
        "Looking at the files",
        "Reading product.csv (0.0 MB)",
        "Reading characteristics.csv (0.0 MB)",
        "Counting reviews_photos.csv",
        "Reading reviews.csv (0.0 MB)",
        "Reading reviews_photos.csv (0.0 MB)",
        "Reading characteristic_reviews.csv (0.0 MB)",
        "Figures",
        "Keys and indexes",
        "Counting again",
        "Statistics",
        "Foreign keys",
        "Switch",
        "Readers see the new catalogue; what is left makes searches fast.",
        "Full-text indexes",
    ]


def test_load_for_machines_is_json_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["load", str(ATELIER / "v2"), "--json"])

    printed = capsys.readouterr()
    events = [json.loads(line) for line in printed.err.splitlines()]
    assert events[1] == {"event": "step", "step": "Reading product.csv", "total": 2403}
    assert {event["event"] for event in events} == {"step", "message"}
    (line,) = printed.out.splitlines()
    assert [(file["read"], file["loaded"], file["rejected"]) for file in json.loads(line)["files"]] == [
        (10, 10, 0),
        (34, 34, 0),
        (19, 14, 5),
        (19, 9, 10),
        (41, 41, 0),
    ]


def test_load_again_says_so_and_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    main(["load", str(ATELIER / "v2")])
    capsys.readouterr()

    assert main(["load", str(ATELIER / "v2")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "v2 is what the last load has loaded: nothing was done."


def test_a_folder_that_is_not_there_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "nowhere"]) == 2
    assert capsys.readouterr().err == ("etl: nowhere is not a folder: name the folder that holds the five CSV files.\n")


def test_a_wrong_setting_is_one_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REVIEWS_PORT", "many")

    assert main(["verify"]) == 2
    assert capsys.readouterr().err == (
        "etl: REVIEWS_PORT='many' cannot be used: expected a whole number from 0 to 65535.\n"
    )


def test_a_missing_argument_is_exit_code_2() -> None:
    assert main(["generate"]) == 2


def test_generate_load_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "made")

    codes = [main(["generate", folder, "--products", "50", "--seed", "1", "--hot", "30"]), main(["load", folder])]
    capsys.readouterr()
    codes.append(main(["verify"]))

    assert codes == [0, 0, 0]
    assert capsys.readouterr().out == "The database is sound: 25 checks, no difference.\n"


def test_verify_lists_differences_and_exits_with_1_until_repaired(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["load", str(write_folder(tmp_path / "folder")), "--quiet"])
    run(database, "UPDATE category_figures SET product_count = 5 WHERE category = 'Shirts'")
    capsys.readouterr()

    assert main(["verify"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "The database is NOT sound: 1 differences.",
        "  1 × figure of category",
        "The first 20 of each:",
        "  figure of category 'Shirts': expected 1, found 5",
    ]
    assert main(["verify", "--repair"]) == 0
    assert capsys.readouterr().out == "The database is sound after repair: 25 checks, no difference.\n"
