"""What the audit makes of what pip-audit and npm say: a vulnerability fails it, and so does not having been asked."""

from __future__ import annotations

import subprocess
import sys

from tests.audit.audit import FOUND, NOT_ASKED, PINNED, ROOT, Audit, read_npm, read_python, told

SOUND = {"name": "httptools", "version": "0.9", "vulns": []}
UNSOUND = {"name": "starlette", "version": "0.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"]}]}
UNKNOWN = {"name": "uvloop", "skip_reason": "not found"}


def test_a_vulnerability_is_named_and_fails() -> None:
    lines, code = told([read_python("requirements.txt", [SOUND, UNSOUND, UNKNOWN])])
    assert code == FOUND
    assert lines == [
        "requirements.txt: 2 asked about, 1 vulnerable; NOT AUDITED: 1 of 3 are unknown to the service that answers",
        "  starlette 0.1: PYSEC-1, mended in 0.2",
    ]


def test_what_was_not_asked_about_is_no_pass() -> None:
    lines, code = told([read_python("requirements.txt", [UNKNOWN]), read_npm("tests/clients", {"statusCode": 405})])
    assert code == NOT_ASKED
    assert all("NOT AUDITED" in line for line in lines)


def test_what_was_asked_about_and_is_sound_passes() -> None:
    npm = {"vulnerabilities": {}, "metadata": {"dependencies": {"total": 90}}}
    assert told([read_python("requirements.txt", [SOUND]), read_npm("tests/clients", npm)]) == (
        ["requirements.txt: 1 asked about, 0 vulnerable", "tests/clients: 90 asked about, 0 vulnerable"],
        0,
    )


def test_a_vulnerability_of_npm_fails() -> None:
    npm = {
        "vulnerabilities": {"left": {"severity": "high", "range": "<2"}},
        "metadata": {"dependencies": {"total": 90}},
    }
    assert read_npm("perf/peers", npm) == Audit("perf/peers", 90, ["left: high, <2"], "")


def test_pip_audit_reads_every_pinned_requirement() -> None:
    for name in PINNED:
        pinned = sum(line[:1].isalpha() for line in (ROOT / name).read_text().splitlines())
        command = [sys.executable, "-m", "pip_audit", "-r", name, "--require-hashes", "--disable-pip", "--dry-run"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert f"would have audited {pinned} packages" in done.stdout + done.stderr
