"""Asks which pinned dependencies have known vulnerabilities: pip-audit for Python, npm audit for JavaScript.

Exit code 0: all were asked about, and none has one. 1: one has. 3: not all could be asked about, as no service that
knows answers from here; what could not is named, for a silent pass would be read as a good one. With --may-be-away
that is 0, and said all the same: what a CI without such a service runs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PINNED = ("requirements-gateway.txt", "requirements.txt")
PACKAGES = ("tests/clients", "perf/peers")
FOUND, NOT_ASKED = 1, 3
SECONDS = 180


class Audit(NamedTuple):
    """Of one file: how many dependencies were asked about, what is wrong with them, and why others were not."""

    name: str
    asked: int
    vulnerable: list[str]
    not_asked: str


def of_python(name: str) -> Audit:
    """The dependencies of a file of pinned requirements, as pip-audit finds them."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--requirement",
        str(ROOT / name),
        "--require-hashes",
        "--disable-pip",
    ]
    done = _run([*command, "--format", "json", "--progress-spinner", "off"], ROOT)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Audit(name, 0, [], _last_line(done.stderr) or "pip-audit says nothing")
    return read_python(name, found)


def read_python(name: str, found: list[dict]) -> Audit:
    """What pip-audit's JSON says."""
    skipped = [one["name"] for one in found if "skip_reason" in one]
    vulnerable = [
        f"{one['name']} {one['version']}: {wrong['id']}, mended in {', '.join(wrong['fix_versions']) or 'no version'}"
        for one in found
        for wrong in one.get("vulns", ())
    ]
    reason = f"{len(skipped)} of {len(found)} are unknown to the service that answers" if skipped else ""
    return Audit(name, len(found) - len(skipped), vulnerable, reason)


def of_npm(folder: str) -> Audit:
    """The packages of a folder's package.json, with all that they need, as npm finds them."""
    if shutil.which("npm") is None:
        return Audit(folder, 0, [], "npm is not installed")
    with tempfile.TemporaryDirectory() as place:
        shutil.copy(ROOT / folder / "package.json", place)
        locked = _run(
            ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], Path(place)
        )
        if locked.returncode != 0:
            return Audit(folder, 0, [], _last_line(locked.stderr))
        done = _run(["npm", "audit", "--json"], Path(place))
    try:
        return read_npm(folder, json.loads(done.stdout))
    except ValueError:
        return Audit(folder, 0, [], "npm audit says nothing")


def read_npm(folder: str, found: dict) -> Audit:
    """What npm's JSON says."""
    if "vulnerabilities" not in found:
        return Audit(folder, 0, [], f"the service refuses it (status {found.get('statusCode', 'unknown')})")
    vulnerable = [f"{name}: {one['severity']}, {one['range']}" for name, one in found["vulnerabilities"].items()]
    return Audit(folder, found["metadata"]["dependencies"]["total"], vulnerable, "")


def told(audits: list[Audit]) -> tuple[list[str], int]:
    """The lines to print, and the exit code."""
    lines = []
    for audit in audits:
        words = f"{audit.name}: {audit.asked} asked about, {len(audit.vulnerable)} vulnerable"
        lines.append(f"{words}; NOT AUDITED: {audit.not_asked}" if audit.not_asked else words)
        lines += [f"  {one}" for one in audit.vulnerable]
    if any(audit.vulnerable for audit in audits):
        return lines, FOUND
    return lines, NOT_ASKED if any(audit.not_asked for audit in audits) else 0


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {SECONDS} s")


def _last_line(text: str) -> str:
    # The error's kind alone: what follows names hosts.
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].split(":", 1)[0] if lines else ""


if __name__ == "__main__":
    said, code = told([*map(of_python, PINNED), *map(of_npm, PACKAGES)])
    print("\n".join(said))  # noqa: T201 - what it is for
    sys.exit(0 if code == NOT_ASKED and "--may-be-away" in sys.argv[1:] else code)
