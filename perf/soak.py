"""The memory that one gateway process holds over a million requests, a tenth of them with documents of their own.

Run it with ``make bench-soak``. It ends by itself: after the last request, or when its time is up.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from perf import servers
from perf.bench import about, add_arguments, write
from perf.catalogue import running_catalogue
from perf.load import MARK, check_tools
from perf.servers import Server

_SCRIPT = Path(__file__).with_name("soak.lua")
_CONNECTIONS = 64
_EVERY_SECONDS = 0.2
_RUN_SECONDS = 10
MEBIBYTE = 1 << 20


def main() -> None:
    """Soak, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--documents", type=int, default=100_000, help="how many of them have documents of their own")
    parser.add_argument("--minutes", type=float, default=30, help="the longest that it may take")
    given = parser.parse_args()
    check_tools()
    with running_catalogue(given.state, products=given.products, hot=given.hot) as catalogue:
        with servers.gateway(catalogue, "gateway", by_text=given.by_text) as server:
            soaked = _soaked(server, given)
        result = {**about(catalogue, {}), **soaked}
    print(result["machine"])
    print(
        f"{result['requests']:,} requests in {result['seconds']:.0f} s, {result['documents']:,} of them new documents"
    )
    print("resident, MiB: " + ", ".join(f"{size:.0f} {when}" for when, size in result["MiB"].items()))
    if result["requests"] < given.requests:
        print(f"It ended after {given.minutes:g} minutes, before the last request.")
    if given.write:
        write(result, "soak")


def _soaked(server: Server, given: argparse.Namespace) -> dict[str, Any]:
    """Let wrk ask until all requests are made or the time is up, and look at the process meanwhile."""
    every = max(given.requests // given.documents, 1)
    process = psutil.Process(server.process)
    sizes, requests = [process.memory_info().rss / MEBIBYTE], 0
    begun = time.monotonic()
    for run in itertools.count(1):
        if requests >= given.requests or time.monotonic() - begun > given.minutes * 60:
            break
        # The documents of a run have its number in them, so that those of the next are new again.
        command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_RUN_SECONDS}s", "--timeout", "30s", "-s", str(_SCRIPT)]
        arguments = [server.address, "--", server.page.path, MARK, given.products, every, run]
        requests += _one_run([*command, *map(str, arguments)], process, sizes)
    tenths = {f"at {share} %": sizes[len(sizes) * share // 100] for share in (10, 50)}
    return {
        "requests": requests,
        "documents": requests // every,
        "seconds": time.monotonic() - begun,
        "MiB": {"at the start": sizes[0], **tenths, "at most": max(sizes), "at the end": sizes[-1]},
    }


def _one_run(command: list[str], process: psutil.Process, sizes: list[float]) -> int:
    """How many requests one run of wrk made; what the process held meanwhile is added to ``sizes``."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
        try:
            while asking.poll() is None:
                sizes.append(process.memory_info().rss / MEBIBYTE)
                time.sleep(_EVERY_SECONDS)
        finally:
            asking.kill()
        assert asking.stdout is not None
        printed = asking.stdout.read()
    if asking.returncode:
        sys.exit(f"wrk failed: {printed.strip()}")
    seen = json.loads(printed.splitlines()[-1])
    if seen["failed"]:
        sys.exit(f"{seen['failed']} of {seen['requests']} requests failed.")
    requests: int = seen["requests"]
    return requests


if __name__ == "__main__":
    main()
