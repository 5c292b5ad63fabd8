"""``make load``, end to end. Locust is a process of its own: gevent changes the one that it runs in."""

from __future__ import annotations

import csv
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from etl.generating.folder import generate_folder
from etl.load import load_folder
from graphql_api.settings import Secret, Settings
from perf.ladder.load import Load
from perf.ladder.others import users
from perf.scenarios.settings import LoadSettings, described
from tests.harness.databases import Databases, value
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.processes import ROOT, environment, wait_for
from tests.perf.wrong_server import wrong_server
from tests.test_cli import alive

EVERYONE = {"LOAD_SHOPPER": "2", "LOAD_CATEGORY": "1", "LOAD_WRITER": "2", "LOAD_FIRST_VISIT": "1"}
QUICK = {"LOAD_WARMUP_S": "1", "LOAD_THINK_MIN_S": "0.02", "LOAD_THINK_MAX_S": "0.08", "LOAD_P95_MS": "5000"}
OPERATIONS = {
    "AddReview",
    "FirstVisit, hit",
    "FirstVisit, miss",
    "FirstVisit, registration",
    "MarkReviewHelpful",
    "MoreReviews, next page",
    "MoreReviews, one star",
    "MoreReviews, other sort",
    "MoreReviews, own review",
    "MoreReviews, own vote",
    "MoreReviews, search",
    "MoreReviews, to vote",
    "ProductCards",
    "ProductPage",
}


@pytest.fixture(scope="module")
def shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database with a made-up shop in it, one product of which has many pages of reviews."""
    url = databases.migrated()
    place = tmp_path_factory.mktemp("shop")
    generate_folder(place / "csv", products=50, seed=5, hot=500)
    load_folder(url, place / "csv", Settings(database_url=Secret(url), state=place))
    return url


@pytest.fixture(scope="module")
def asked(shop: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway over that shop."""
    state = tmp_path_factory.mktemp("asked")
    settings = Settings(database_url=Secret(shop), state=state, voter_secret=Secret("a test's"))
    with running_gateway(settings) as running:
        yield running


def command(state: Path, *arguments: str) -> list[str]:
    """The load test's command line."""
    return [sys.executable, str(ROOT / "perf" / "load_test.py"), "--state", str(state), *arguments]


def given(**settings: str) -> dict[str, str]:
    """Its environment."""
    return environment(**{"PYTHONPATH": str(ROOT), **QUICK, **settings})


def load(state: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A load test, to its end."""
    return subprocess.run(
        command(state, *arguments),
        cwd=state,
        env=given(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def raised(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What locust says of errors that nobody caught; its tables are written beside them."""
    return [line for line in done.stderr.splitlines() if "Traceback" in line or "/ERROR/" in line]


def commands_below(pid: int) -> list[str]:
    """The words of the command lines of a process's children and of theirs."""
    words: list[str] = []
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.Error):  # one that has just ended
            words += process.cmdline()
    return words


def rows(state: Path) -> dict[str, dict[str, str]]:
    """The rows of the report, by operation."""
    with (state / "load_stats.csv").open(newline="") as file:
        return {row["Name"]: row for row in csv.DictReader(file)}


def test_a_right_gateway_passes_and_every_operation_is_in_the_reports(asked: Gateway, tmp_path: Path) -> None:
    done = load(tmp_path, "--url", asked.url, "--users", "12", "--seconds", "5", "--processes", "2", **EVERYONE)

    assert (done.returncode, raised(done)) == (0, [])
    assert re.search(r"^All bounds kept: [\d,]+ requests, 0 of them failed\.$", done.stdout, re.MULTILINE)
    assert re.search(r"^Pace: \d+\.\d% of that of users whose answers come at once; ", done.stdout, re.MULTILINE)
    assert rows(tmp_path).keys() - {"Aggregated", "ReportReview", "MoreReviews, own report"} == OPERATIONS
    assert {row["Failure Count"] for row in rows(tmp_path).values()} == {"0"}
    assert "MoreReviews, own vote" in (tmp_path / "load.html").read_text()


def test_answers_later_than_the_bound_fail_the_run_and_nothing_is_left_in_a_gateway_that_is_named(
    asked: Gateway, shop: str, tmp_path: Path
) -> None:
    tables = ("reviews", "helpful_votes", "reports", "documents")
    kept = f"SELECT {' + '.join(f'(SELECT count(*) FROM {table})' for table in tables)}"
    before = value(shop, kept)

    done = load(tmp_path, "--url", asked.url, "--users", "4", "--seconds", "2", LOAD_P95_MS="0.001")

    assert (done.returncode, raised(done)) == (1, [])
    sentences = re.findall(
        r"^All: 95 % of [\d,]+ answers took up to \d+ ms; LOAD_P95_MS allows 0.001\.$", done.stdout, re.MULTILINE
    )
    assert len(sentences) == 1
    assert "is not ours: nothing is left there unless LOAD_WRITER and LOAD_FIRST_VISIT say so." in done.stdout
    assert value(shop, kept) == before


def test_wrong_answers_are_caught_each_by_its_name(asked: Gateway, tmp_path: Path) -> None:
    with wrong_server(asked.url) as address:
        done = load(tmp_path, "--url", address, "--users", "6", "--seconds", "4", **EVERYONE)

    assert (done.returncode, raised(done)) == (1, [])
    with (tmp_path / "load_failures.csv").open(newline="") as file:
        failures = [(row["Name"], row["Error"]) for row in csv.DictReader(file)]
    assert sorted(failures) == [
        ("MoreReviews, one star", "CatchResponseError('a review with other stars than asked for')"),
        ("MoreReviews, own vote", "CatchResponseError('an acknowledged vote is not shown')"),
    ]
    assert re.search(
        r"requests failed or were answered wrongly, [\d.]+%; LOAD_ERROR_SHARE allows 0\.00%\.\n", done.stdout
    )


def test_the_ladder_tells_what_its_users_were_answered_wrongly(asked: Gateway) -> None:
    with wrong_server(asked.url) as address:
        seen = users(Load(address.removeprefix("http://"), "zipf", 50), seconds=3)
    (told,) = seen.told
    count, _, error = told.partition(" × ")
    assert int(count) == seen.errors > 0
    assert error == "MoreReviews, one star: CatchResponseError('a review with other stars than asked for')"


def test_a_gateway_of_its_own_and_its_users_leave_when_the_load_test_is_told_to_end(shop: str, tmp_path: Path) -> None:
    running = subprocess.Popen(
        command(tmp_path, "--replicas", "0", "--seconds", "60", "--users", "2"),
        cwd=tmp_path,
        env=given(DATABASE_URL=shop),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout is not None
    with running.stdout as said:
        assert said.readline() == "Started one gateway process.\n"
        assert "2 users ask http://127.0.0.1:" in said.readline()
        wait_for(lambda: "locust" in commands_below(running.pid))
        children = psutil.Process(running.pid).children(recursive=True)

        running.send_signal(signal.SIGTERM)

        assert said.read().splitlines()[-1] == "Stopped."
    assert running.wait(60) == 130
    assert alive(children) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--url", "ftp://shop"], "URL is 'ftp://shop': it must start with http:// or https:// and name a host."),
        (["--url", "http://shop/x"], "URL is 'http://shop/x': it must be the gateway's address alone, without a path."),
        (["--users", "501"], "USERS is 501, more than 500: say so with ARGS=--beyond-bounds."),
        (["--seconds", "601"], "SECONDS is 601, more than 600: say so with ARGS=--beyond-bounds."),
        (["--processes", "0"], "PROCESSES is 0: it must be at least 1."),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = load(tmp_path, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"load: {sentence}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_gateway_that_does_not_tell_its_products_ends_the_run(shop: str, tmp_path: Path) -> None:
    settings = Settings(database_url=Secret(shop), state=tmp_path, documents="trusted")
    with running_gateway(settings) as trusting:
        done = load(tmp_path, "--url", trusting.url, "--users", "2", "--seconds", "2", "--processes", "2")
    sentence = f"{trusting.url} does not tell its products (HTTPError): name how many with LOAD_PRODUCTS.\n"
    assert (done.returncode, sentence in done.stderr) == (2, True)


def test_a_gateway_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = load(tmp_path, "--url", f"http://127.0.0.1:{port}")
    refused = "[Errno 111] Connection refused"
    sentence = f"load: http://127.0.0.1:{port} is not ready to be asked: /readyz says {refused}.\n"
    assert (done.returncode, done.stderr) == (2, sentence)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"LOAD_P95_MS": "soon"}, "LOAD_P95_MS is 'soon': it must be a number from 0 to 1e+09."),
        ({"LOAD_ERROR_SHARE": "2"}, "LOAD_ERROR_SHARE is '2': it must be a number from 0 to 1."),
        ({"LOAD_THINK_MIN_S": "9"}, "LOAD_THINK_MIN_S is more than LOAD_THINK_MAX_S."),
        (dict.fromkeys(EVERYONE, "0"), "All shares are 0: nobody would ask anything."),
    ],
)
def test_a_setting_that_cannot_be_is_named(settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the sentence is compared
        LoadSettings.from_environment(settings)
    assert str(refused.value) == sentence


def test_the_page_lists_every_setting_with_its_default_and_its_help() -> None:
    page = (ROOT / "docs" / "load-testing.md").read_text()
    listed = [row.strip("| ").split(" | ") for row in page.splitlines() if row.startswith("| `LOAD_")]
    assert listed == [[f"`{variable}`", f"`{default}`", text] for variable, default, text in described()]
