"""Users of the front end's persisted operations, whose every answer is checked: locust, with a gateway to ask.

Run it with ``make load``. The exit code is 0 when the bounds were kept, 1 when one was broken, and 2 when there was no
run. See docs/load-testing.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graphql_api.errors import OperatorError
from perf.load_target import named, own
from perf.scenarios.settings import LoadSettings

ROOT = Path(__file__).parent.parent
MOST_USERS, MOST_SECONDS, MOST_PROCESSES = 500, 600, 16
_UI_PORT = 8089
_LEAVE_SECONDS = 20
_INTERRUPTED = 130
_TRACES = ("LOAD_WRITER", "LOAD_FIRST_VISIT")


def main() -> int:
    """Run the load test; the exit code."""
    given = _arguments()
    # Whoever stops us must stop what we started too, as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return _run(given)
    except (OperatorError, ValueError) as error:
        print(f"load: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
        return _INTERRUPTED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="the address of a running gateway or edge; without it one is started")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=30, help="how long times are counted, after the warm-up")
    parser.add_argument("--processes", type=int, default=1, help="processes that ask")
    parser.add_argument(
        "--replicas", type=int, help="replicas behind the edge of a gateway that is started; 0: no edge"
    )
    parser.add_argument("--state", type=Path, default=Path(".local-load"), help="folder for reports and the database")
    parser.add_argument("--ui", action="store_true", help=f"locust's web page on 127.0.0.1:{_UI_PORT}; no bounds")
    parser.add_argument("--ui-port", type=int, default=_UI_PORT)
    parser.add_argument("--beyond-bounds", action="store_true", help="more users, seconds or processes than is prudent")
    return parser.parse_args()


def _run(given: argparse.Namespace) -> int:
    settings = LoadSettings.from_environment(os.environ)
    _check(given)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    given.state.mkdir(parents=True, exist_ok=True)
    if given.url is None:
        with own(given.state, given.replicas) as address:
            return _locust(given, settings, address, environment)
    address = named(given.url)
    unsaid = [name for name in _TRACES if not environment.get(name)]
    if unsaid:
        environment |= dict.fromkeys(unsaid, "0")
        print(f"{address} is not ours: nothing is left there unless {' and '.join(unsaid)} say so.", flush=True)
    return _locust(given, settings, address, environment)


def _check(given: argparse.Namespace) -> None:
    """Raise ``OperatorError`` for numbers that cannot be, or should not without being asked for."""
    for name, most in (("users", MOST_USERS), ("seconds", MOST_SECONDS), ("processes", MOST_PROCESSES)):
        value = getattr(given, name)
        if value < 1:
            raise OperatorError(f"{name.upper()} is {value}: it must be at least 1.")
        if value > most and not given.beyond_bounds:
            raise OperatorError(f"{name.upper()} is {value}, more than {most}: say so with ARGS=--beyond-bounds.")
    if given.replicas is not None and given.replicas < 0:
        raise OperatorError(f"REPLICAS is {given.replicas}: it must be 0 or more.")


def _locust(given: argparse.Namespace, settings: LoadSettings, address: str, environment: dict[str, str]) -> int:
    seconds = round(settings.warmup_s) + given.seconds
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "perf" / "locustfile.py"), "--host", address]
    # All users are there after a second or two, within the warm-up.
    command += ["--users", str(given.users), "--spawn-rate", str(max(given.users / 2, 1)), "--run-time", f"{seconds}s"]
    command += ["--stop-timeout", "10", "--loglevel", "WARNING"]
    command += ["--csv", str(given.state / "load"), "--html", str(given.state / "load.html")]
    if given.processes > 1:
        command += ["--processes", str(given.processes)]
    if given.ui:
        command += ["--web-host", "127.0.0.1", "--web-port", str(given.ui_port)]
        print(f"http://127.0.0.1:{given.ui_port} starts and shows it (Ctrl-C stops everything).", flush=True)
    else:
        command += ["--headless", "--only-summary"]
        print(
            f"{given.users} users ask {address} for {seconds} s, {settings.warmup_s:g} s of them to warm up …",
            flush=True,
        )
    with _running(command, environment) as process:
        code = process.wait()
    print(f"Reports: {given.state}/load.html, {given.state}/load_stats.csv", flush=True)
    return code


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, so that Ctrl-C is ours to pass on; nothing of the group is left afterwards."""
    # The kernel ends it when we are killed.
    bound = ["setpriv", "--pdeathsig", "TERM", *command] if shutil.which("setpriv") else command
    process = subprocess.Popen(bound, env=environment, stdin=subprocess.DEVNULL, process_group=0)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LEAVE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
