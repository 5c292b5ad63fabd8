"""How many pages a second the gateway answers and how soon, against graphql-core alone, PostgreSQL alone and peers.

One process a server, all on this machine, PostgreSQL and wrk too; the servers take turns, and medians over the rounds
are shown. Ratios hold where another machine, or another hour of this one, gives other figures.

Run it with ``make bench``; ``make bench PEERS=1`` installs and measures PostGraphile and Mercurius too.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import statistics
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from perf import deep_pages, pages, servers, statements
from perf.catalogue import Catalogue, running_catalogue
from perf.load import check_tools, pgbench

RESULTS = Path(__file__).parent / "results"
OURS, REFERENCE = "gateway", "reference"
FIGURES = ("pages", "bound", "cards", "deep")


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each figure")
    parser.add_argument("--seconds", type=float, default=5, help="seconds of each server in a round")
    parser.add_argument(
        "--page", choices=servers.PAGES, default="full", help="a page of some 200 values, or of some 75"
    )
    parser.add_argument("--only", choices=FIGURES, action="append", help="measure this figure alone; repeatable")
    parser.add_argument("--peers", action="store_true", help="install and measure PostGraphile and Mercurius too")
    parser.add_argument("--without-reference", action="store_true", help="leave graphql-core alone out")
    given = parser.parse_args()
    check_tools()
    versions = servers.install_peers() if given.peers else {}
    with running_catalogue(given.state, products=given.products, hot=given.hot) as catalogue:
        result = {**about(catalogue, versions), **measured(catalogue, given)}
    show(result)
    if given.write:
        write(result, "pages" if given.page == "full" else f"pages-{given.page}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What every measurement can be told."""
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--hot", type=int, default=100_000, help="how many more reviews product 1 has")
    parser.add_argument("--state", type=Path, default=Path(".local-bench"), help="the folder that keeps the catalogue")
    parser.add_argument("--by-text", action="store_true", help="send documents instead of naming them by their hashes")
    parser.add_argument("--write", action="store_true", help="write the result to perf/results")


def measured(catalogue: Catalogue, given: argparse.Namespace) -> dict[str, Any]:
    """The figures that were asked for."""
    wanted = given.only or FIGURES
    turns = {"rounds": given.rounds, "seconds": given.seconds}
    by_text: bool = given.by_text
    page: str = given.page
    settings = {**turns, "by text": by_text, "connections": servers.CONNECTIONS, "page": page}
    figures: dict[str, Any] = {"settings": settings}
    with ExitStack() as running:
        ours = [running.enter_context(servers.gateway(catalogue, OURS, by_text=by_text, page=page))]
        if not given.without_reference:
            reference = servers.gateway(catalogue, REFERENCE, by_text=by_text, page=page, REVIEWS_EXECUTION="reference")
            ours.append(running.enter_context(reference))
        peers = []
        if given.peers:
            peers = [running.enter_context(peer(catalogue, page)) for peer in (servers.postgraphile, servers.mercurius)]
        figures["bytes a page"] = pages.same_pages([*ours, *peers], catalogue)
        if "pages" in wanted:
            bare = running.enter_context(servers.bare(pages.body_of(ours[0]), page))
            figures["pages"] = pages.product_pages([*ours, *peers, bare], catalogue, **turns)
        if "cards" in wanted:
            figures["cards"] = pages.product_cards(ours, catalogue, by_text=by_text, **turns)
        if "deep" in wanted:
            seconds = given.seconds / 5
            figures["deep pages"] = deep_pages.deep_pages(ours[0], seconds=seconds, by_text=by_text)
            figures["searches"] = deep_pages.searches(ours[0], seconds=seconds, by_text=by_text)
            figures["searches among products"] = deep_pages.catalog_searches(ours[0], seconds=seconds)
    if "bound" in wanted:
        script = statements.script_of_page(catalogue, by_text=by_text, page=page)
        rate = pgbench(
            catalogue.socket,
            catalogue.database,
            script.statements,
            clients=servers.CONNECTIONS,
            seconds=given.seconds,
            highest=catalogue.products,
        )
        figures["bound"] = {"pages a second": rate, "statements": len(script.statements), "fixed": script.fixed}
    return figures


def about(catalogue: Catalogue, versions: dict[str, str]) -> dict[str, Any]:
    """The machine, the data and the versions."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{psutil.cpu_count()} cores, {model[1] if model else platform.machine()}, "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}",
        "versions": {"python": platform.python_version(), "postgresql": catalogue.version, **versions},
        "catalogue": {
            "products": catalogue.products,
            "reviews": catalogue.reviews,
            "reviews of the hot one": catalogue.hot_reviews,
        },
    }


def show(result: dict[str, Any]) -> None:
    """Print each figure with its ratios."""
    print(f"\n{result['machine']}")
    print(", ".join(f"{name} {version}" for name, version in result["versions"].items()))
    print(", ".join(f"{count:,} {name}" for name, count in result["catalogue"].items()))
    for figure, shown in (("pages", "product pages"), ("cards", f"{pages.CARDS} product cards")):
        if figure in result:
            _show_servers(shown, result[figure], result["bytes a page"] if figure == "pages" else {})
    if "postgraphile" in result.get("pages", {}):
        median = "median ms at 1 connection"
        ratio = result["pages"][OURS][median] / result["pages"]["postgraphile"][median]
        print(f"\nmedian at 1 connection, gateway / postgraphile: {ratio:.2f}")
    if "bound" in result:
        bound = result["bound"]
        print(
            f"\nPostgreSQL alone: {bound['pages a second']:,.0f} pages a second, {bound['statements']} statements each"
            + (f", {bound['fixed']} of them with the keys of one page" if bound["fixed"] else "")
        )
        if "pages" in result:
            print(f"how close the gateway is: {result['pages'][OURS]['a second'] / bound['pages a second']:.0%}")
    if "deep pages" in result:
        _show_deep_pages(result)


def _show_servers(title: str, figures: dict[str, dict[str, float]], sizes: dict[str, int]) -> None:
    names = [name for name in next(iter(figures.values())) if name not in {"slowest a second", "fastest a second"}]
    head = "".join(f"{name:>27}" for name in names)
    print(f"\n{title:<24}{head}{'gateway /':>12}{'   bytes' if sizes else ''}")
    for name, figure in figures.items():
        ratio = figures[OURS]["a second"] / figure["a second"]
        cells = "".join(f"{figure[cell]:27,.{0 if cell == 'a second' else 2}f}" for cell in names)
        print(f"  {name:<22}{cells}{ratio:12.2f}" + (f"{sizes[name]:8,}" if name in sizes else ""))


def _show_deep_pages(result: dict[str, Any]) -> None:
    print(f"\n{'page 1,000 to page 1, ms':<26}" + "".join(f"{sort:>24}" for sort in deep_pages.SORTS))
    for name, by_sort in result["deep pages"].items():
        cells = (f"{cell['page 1,000']:.2f} / {cell['page 1']:.2f} = {cell['ratio']:.2f}" for cell in by_sort.values())
        print(f"  {name:<24}" + "".join(f"{cell:>24}" for cell in cells))
    print("a page of a search, ms")
    for name, found in result["searches"].items():
        cells = (f"{found[sort]:24.2f}" for sort in deep_pages.SORTS)
        print(f"  {name:<25}{found['reviews']:>10,.0f} rev." + "".join(cells))
    products = result["searches among products"].items()
    print("a search among all products, ms: " + "; ".join(f"{name} {median:.2f}" for name, median in products))


def cell(rounds: list[float]) -> str:
    """The median of a figure, and between what its rounds lie."""
    median = statistics.median(rounds)
    places = 0 if median >= 100 else 2
    return f"{median:,.{places}f} ({min(rounds):,.{places}f} to {max(rounds):,.{places}f})"


def write(result: dict[str, Any], name: str) -> None:
    """Keep the result among those of the repository."""
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{name}-{datetime.now(UTC):%Y-%m-%d}.json"
    target.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nWritten to {target}")


if __name__ == "__main__":
    main()
