"""How long a first load takes against what PostgreSQL itself needs for the same rows, in one run on one server.

``bare``: ``psql \\copy`` of the five files into bare tables, primary keys, indexes on reviews(product_id) and
ratings(review_id). ``keyed``: the same copy, then our own keys, constraints and sort indexes, as ``pg_dump
--section=post-data`` prints them. Full text is left out on every side, and timed apart.

Run it with ``make bench-etl``, or ``make bench-etl PRODUCTS=1000000`` for the full set of 32 million rows.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psutil

from etl import incoming
from etl.generating.folder import generate_folder
from etl.load import load_folder
from etl.report import Report
from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.migrate import migrate
from graphql_api.settings import Secret, Settings

RESULTS = Path(__file__).parent / "results"
FULL_PRODUCTS = 1_000_000
MOST_KEYED, MOST_BARE = 1.5, 2.5
MEBIBYTE = 1 << 20
STARTING, FULL_TEXT = "Starting", "Full-text indexes"
# What the sessions of a load are given, so that both sides sort in the same memory.
SESSION = "-c maintenance_work_mem=512MB -c synchronous_commit=off -c jit=off"

BARE = {
    "product.csv": ("product", "id bigint, name text, slogan text, description text, category text, price numeric"),
    "characteristics.csv": ("characteristics", "id bigint, product_id bigint, name text"),
    "reviews.csv": (
        "reviews",
        (
            "id bigint, product_id bigint, rating smallint, date bigint, summary text, body text, recommend boolean,"
            " reported boolean, reviewer_name text, reviewer_email text, response text, helpfulness integer"
        ),
    ),
    "reviews_photos.csv": ("photos", "id bigint, review_id bigint, url text"),
    "characteristic_reviews.csv": (
        "ratings",
        "id bigint, characteristic_id bigint, review_id bigint, value smallint",
    ),
}
TABLES = [table for table in incoming.TABLES if table != "load_marks"]
"""What the floors hold too."""


@dataclasses.dataclass
class Side:
    """Seconds of one side, by part."""

    name: str
    parts: dict[str, float]

    @property
    def seconds(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


class Server:
    """An embedded PostgreSQL, and databases on it."""

    def __init__(self, embedded: EmbeddedPostgres) -> None:
        self._embedded = embedded

    def database(self, name: str) -> Secret:
        """The address of a new database."""
        self.psql("postgres", f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, name: str) -> Secret:
        """The address of a database."""
        return Secret(urlunsplit(urlsplit(self._embedded.url)._replace(path=f"/{name}")))

    def psql(self, database: str, *commands: str) -> None:
        """Run commands of SQL or of psql, each on its own."""
        given = [part for command in commands for part in ("-c", command)]
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), *given)

    def timed(self, database: str, *commands: str) -> float:
        """The seconds that they take; what earlier work left to write is written before."""
        self.psql("postgres", "CHECKPOINT")
        begun = time.monotonic()
        self.psql(database, *commands)
        return time.monotonic() - begun

    def dumped(self, database: str, section: str) -> str:
        """A section of the database's dump."""
        return self._run("pg_dump", f"--section={section}", "-d", self.url(database))

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [self._embedded.binaries / program, *arguments],
            env={**os.environ, "PGOPTIONS": SESSION},
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{program} failed: {done.stderr.strip()}")
        return done.stdout


def copies(folder: Path) -> list[str]:
    """What copies the five files as they are."""
    return [
        f"\\copy {table} FROM '{folder / name}' WITH (FORMAT csv, HEADER, NULL 'null')"
        for name, (table, _) in BARE.items()
    ]


def bare(server: Server, folder: Path) -> Side:
    """The floor of bare tables."""
    server.database("bare")
    server.psql("bare", *(f"CREATE TABLE {table} ({columns})" for table, columns in BARE.values()))
    keys = [f"ALTER TABLE {table} ADD PRIMARY KEY (id)" for table, _ in BARE.values()]
    indexes = ["CREATE INDEX ON reviews (product_id)", "CREATE INDEX ON ratings (review_id)"]
    side = Side("bare", {"copy": server.timed("bare", *copies(folder))})
    side.parts["keys and indexes"] = server.timed("bare", *keys, *indexes)
    server.psql("postgres", "DROP DATABASE bare")
    return side


def keyed(server: Server, folder: Path, loaded: str) -> Side:
    """The floor of our own keys, constraints and sort indexes, built over the same rows as ``loaded`` has."""
    server.database("copied")
    server.psql("copied", *(f"CREATE TABLE {table} ({columns})" for table, columns in BARE.values()))
    side = Side("keyed", {"copy": server.timed("copied", *copies(folder))})
    server.psql("postgres", "DROP DATABASE copied")

    server.database("keyed")
    before, after = server.dumped(loaded, "pre-data"), server.dumped(loaded, "post-data")
    after = re.sub(r"CREATE INDEX [^;]* USING gin [^;]*;", "", after)
    with tempfile.TemporaryDirectory() as place:
        files = {name: Path(place) / f"{name}.sql" for name in ("before", "after")}
        files["before"].write_text(before)
        files["after"].write_text(after)
        server.psql("keyed", f"\\i {files['before']}")
        for table in TABLES:
            rows = Path(place) / table
            columns = "*" if table != "reviews" else REVIEW_COLUMNS
            server.psql(loaded, f"\\copy (SELECT {columns} FROM {table}) TO '{rows}' WITH (FORMAT binary)")
            named = "" if table != "reviews" else f"({REVIEW_COLUMNS})"
            server.psql("keyed", f"\\copy {table} {named} FROM '{rows}' WITH (FORMAT binary)")
            rows.unlink()
        side.parts["keys, constraints and indexes"] = server.timed("keyed", f"\\i {files['after']}")
    server.psql("postgres", "DROP DATABASE keyed")
    return side


REVIEW_COLUMNS = (
    "product_id, review_id, rating, created_at, summary, body, recommended, reported, reviewer_name, reviewer_email,"
    " response, helpfulness, photo_count"
)


class Sample(NamedTuple):
    """How much memory a load held resident, in MiB, and during which of its steps."""

    step: str
    memory: int


class Load(NamedTuple):
    """A first load by our command: its parts, its report, and its memory until readers see it."""

    side: Side
    report: Report
    memory: list[Sample]
    full_text: float


def ours(server: Server, folder: Path, name: str, settings: Settings) -> Load:
    """Load ``folder`` into a new database, in a process of its own that is looked at ten times a second."""
    url = server.database(name)
    migrate(url, settings)
    server.psql("postgres", "CHECKPOINT")
    report_path = settings.state / "report.json"
    command = [sys.executable, "-m", "etl", "load", str(folder), "--json", "--report", str(report_path)]
    environment = {**os.environ, "DATABASE_URL": url, "REVIEWS_STATE": str(settings.state)}
    memory, steps = [], [STARTING]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as loading:
        assert loading.stderr is not None
        telling = threading.Thread(target=note_steps, args=(loading.stderr, steps))
        telling.start()
        process = psutil.Process(loading.pid)
        while loading.poll() is None:
            memory.append(Sample(steps[-1], process.memory_info().rss // MEBIBYTE))
            time.sleep(0.1)
        telling.join()
    if loading.returncode:
        sys.exit(f"The load ended with exit code {loading.returncode}.")
    report = Report.from_json(report_path.read_text())
    parts = {step.name: step.seconds for step in report.steps}
    full_text = parts.pop(FULL_TEXT, 0.0)
    parts["the rest"] = report.seconds - sum(parts.values())
    return Load(Side("load", parts), report, [sample for sample in memory if sample.step != FULL_TEXT], full_text)


def note_steps(told: IO[str], steps: list[str]) -> None:
    """Append each step that a load tells of as JSON to ``steps``; what is no JSON is for the terminal."""
    for line in told:
        if not line.startswith("{"):
            sys.stderr.write(line)
        elif (event := json.loads(line))["event"] == "step":
            steps.append(event["step"])


def resident(samples: list[Sample]) -> dict[str, object]:
    """The memory of a load in MiB: at moments, at most in each step, and whether it is flat."""
    memory = [sample.memory for sample in samples]
    reading = next(place for place, sample in enumerate(samples) if sample.step.startswith("Reading"))
    at = {f"at {share} %": memory[max(len(memory) * share // 100 - 1, 0)] for share in (10, 50, 100)}
    steps: dict[str, int] = {}
    for step, held in samples:
        steps[step] = max(held, steps.get(step, 0))
    return {
        "at the start of reading": memory[reading],
        **at,
        "most": max(memory),
        "most, to that at 10 %": max(memory) / at["at 10 %"],
        "most in each step": steps,
    }


def again(server: Server, folder: Path, settings: Settings) -> tuple[float, float]:
    """Seconds of a load of the folder that was loaded, and of one in which every row must be compared with the last."""
    seconds = []
    for change in ("", "\n"):
        with (folder / "product.csv").open("a") as products:
            products.write(change)
        begun = time.monotonic()
        report = load_folder(server.url("loaded"), folder, settings)
        seconds.append(round(time.monotonic() - begun, 1))
        if report.loaded_before != (change == ""):
            sys.exit("The folder was taken for another one.")
    return seconds[0], seconds[1]


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=FULL_PRODUCTS // 50, help="1000000 is the full set")
    parser.add_argument("--state", type=Path, help="a folder for the server and the files; kept if it is there")
    parser.add_argument("--write", action="store_true", help="write the result to perf/results")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-etl-", dir=given.state) as place:
        state = Path(place)
        state.chmod(0o755)
        settings = Settings(state=state / "state")
        folder = state / "files"
        begun = time.monotonic()
        made = generate_folder(folder, products=given.products, seed=1)
        rows = sum(made.values())
        print(
            f"{rows:,} rows made in {time.monotonic() - begun:.1f} s, {rows / (time.monotonic() - begun):,.0f} a second"
        )
        embedded = EmbeddedPostgres.of(settings.state)
        with embedded.running():
            server = Server(embedded)
            # What it does after one side would fall into the time of the next.
            server.psql("postgres", "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
            small = None
            if given.products >= FULL_PRODUCTS:
                part = state / "part"
                generate_folder(part, products=given.products // 100, seed=1)
                small = ours(server, part, "small", settings).report
            load, report, memory, full_text = ours(server, folder, "loaded", settings)
            floors = [bare(server, folder), keyed(server, folder, "loaded")]
            later_loads = again(server, folder, settings)
    result = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}",
        "rows": rows,
        "seconds": {side.name: {**side.parts, "all": side.seconds} for side in (load, *floors)},
        "ratio to bare": load.seconds / floors[0].seconds,
        "ratio to keyed": load.seconds / floors[1].seconds,
        "full text": full_text,
        "the same folder again": later_loads[0],
        "every row compared": later_loads[1],
        "MiB": resident(memory),
    }
    if small is not None:
        result["cost of a row, to that at 1/100"] = report.seconds / report.rows / (small.seconds / small.rows)
    show([load, *floors], result)
    if given.write:
        RESULTS.mkdir(exist_ok=True)
        target = RESULTS / f"etl-{datetime.now(UTC):%Y-%m-%d}-{rows}.json"
        target.write_text(json.dumps(result, indent=2) + "\n")
        print(f"Written to {target}")


def show(sides: list[Side], result: dict[str, Any]) -> None:
    """Print each side's parts, then the ratios."""
    for side in sides:
        print(f"\n{side.name:<34}{side.seconds:9.1f} s")
        for part, seconds in side.parts.items():
            print(f"  {part:<32}{seconds:9.1f} s")
    print()
    print(f"load / keyed floor   {result['ratio to keyed']:.2f}   (at most {MOST_KEYED})")
    print(f"load / bare floor    {result['ratio to bare']:.2f}   (at most {MOST_BARE})")
    for name in ("full text", "the same folder again", "every row compared"):
        print(f"{name:<32}{result[name]:9.1f} s")
    print("resident memory of the load, MiB")
    for moment, memory in result["MiB"].items():
        if moment != "most in each step":
            print(f"  {moment:<36}{memory:7.2f}" if isinstance(memory, float) else f"  {moment:<36}{memory:7}")
    print("  most in each step")
    for step, memory in result["MiB"]["most in each step"].items():
        print(f"    {step:<34}{memory:7}")
    for name in ("cost of a row, to that at 1/100", "machine"):
        if name in result:
            print(f"{name:<32} {result[name]}")


if __name__ == "__main__":
    main()
