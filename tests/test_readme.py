"""The README says what is: settings, targets, links, and queries that run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from etl.cli import commands
from etl.generating.folder import generate_folder
from graphql_api.cli import main
from graphql_api.settings import described
from graphql_api.up import DEMO_HOT, DEMO_PRODUCTS, DEMO_SEED
from tests.harness.gateway import Gateway

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_every_setting_is_listed_with_its_default_and_its_help() -> None:
    table = README.split("## Settings")[1].split("## ")[0]
    listed = [row.strip("| ").split(" | ") for row in table.splitlines() if row.startswith("| `")]
    assert listed == [[f"`{variable}`", f"`{default}`", text] for variable, default, text in described()]


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word for line in re.findall(r"`(?:time )?make ([^`]+)`|^make (.+)$", README, re.MULTILINE) for word in line
    }
    words = {word for names in named for word in shlex.split(names) if word.islower() and "=" not in word}
    assert words <= targets
    assert {"up", "test", "check", "help", "schema", "format"} <= words


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_every_query_runs(gateway: Gateway) -> None:
    queries = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
    assert [bool(gateway.data(query)["product"]["name"]) for query in queries] == [True] * len(queries)


def test_the_curl_line_asks_what_the_gateway_answers(gateway: Gateway) -> None:
    start = README.split("## Quick start")[1].split("## ")[0]
    ((body,),) = [re.findall(r"-d '(.+?)'", line) for line in start.splitlines() if line.startswith("curl ")]
    response = gateway.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert response.json() == {
        "data": {"product": {"name": "Camo Onesie", "ratingSummary": {"average": 4.5, "count": 2}}}
    }


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sha256sum")), reason="curl or sha256sum is missing")
def test_the_lines_of_persisted_operations_are_answered_as_they_stand(gateway: Gateway) -> None:
    section = README.split("## Persisted operations")[1].split("## ")[0]
    known, registered = (
        subprocess.run(
            ["sh", "-euc", block.replace("http://127.0.0.1:8000", gateway.url)],
            cwd=ROOT,
            capture_output=True,
            check=True,
            timeout=30,
        ).stdout.decode()
        for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    )
    kept = "cache-control: public, max-age=0, must-revalidate\r\n"
    assert kept in known
    assert '"name":"Bright Future Sunglasses"' in known
    assert kept in registered
    assert registered.count('{"data":{"product":{"name":"Camo Onesie"}}}') == 2


def test_the_demo_catalogue_has_the_rows_that_are_named(tmp_path: Path) -> None:
    rows = generate_folder(tmp_path, products=DEMO_PRODUCTS, seed=DEMO_SEED, hot=DEMO_HOT)
    assert f"a demo catalogue of {sum(rows.values()):,} rows" in README


def test_every_command_that_is_named_is_one() -> None:
    assert set(re.findall(r"\.venv/bin/reviews ([a-z]+)", README)) <= set(main.commands)
    assert set(re.findall(r"python -m etl ([a-z]+)", README)) <= set(commands.commands)
