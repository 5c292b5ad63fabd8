"""Schemathesis makes queries and mutations of the schema, and no answer to them is unsound."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from graphql_api.cluster import Cluster
from tests.edge.checking.said import write_line
from tests.fuzz.logs import Logs
from tests.fuzz.schema_values import values
from tests.harness.processes import ROOT

pytestmark = pytest.mark.fuzz

CHECKS = "not_a_server_error,response_schema_conformance,negative_data_rejection,answered_soundly"

LEAST_EXAMPLES, EXAMPLES_A_SECOND = 30, 6
"""Of each query and mutation: of cases and not of time, so that a slow machine tries as much."""


def test_what_the_schema_admits_and_what_it_forbids_is_answered_soundly(
    cluster: Cluster, seconds: float, tmp_path: Path
) -> None:
    (replica,) = cluster.replicas
    settings, report = tmp_path / "schemathesis.toml", tmp_path / "report.ndjson"
    settings.write_text(values())
    logs = Logs(cluster)

    began = time.monotonic()
    ended = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "--config-file", settings,
            "run", ROOT / "graphql_api" / "schema" / "schema.graphql", "--url", f"http://{replica.address}/graphql",
            "--header", "Accept: application/graphql-response+json", "--checks", CHECKS,
            "--max-examples", f"{max(LEAST_EXAMPLES, seconds * EXAMPLES_A_SECOND):.0f}", "--seed", "1",
            "--continue-on-failure", "--suppress-health-check", "all", "--request-timeout", "15",
            "--generation-database", "none", "--no-color", "--report-ndjson-path", report,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.fuzz.schema_checks"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    took = time.monotonic() - began
    events = [orjson.loads(line) for line in report.read_bytes().splitlines()]
    responses = list(responses_in(events))
    kinds = Counter(map(kind_of, responses))
    writes = sum("changed" in response["headers"] for response in responses)
    told = " ".join(f"{kind}:{count}" for kind, count in sorted(kinds.items()))
    findings = "0 findings" if ended.returncode == 0 else "findings below"
    write_line(f"\nschemathesis: {kinds.total():,} inputs, {took:.0f} s, {told}, {writes} wrote, {findings}")
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-5000:]
    assert logs.faults() == []
    assert set(kinds) >= {"200/data", "200/data+errors", "400/errors"}
    assert writes > 0


def responses_in(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        for one in event.get("ScenarioFinished", {}).get("recorder", {}).get("interactions", {}).values():
            yield one["response"]


def kind_of(response: dict[str, Any]) -> str:
    """Status, and whether data or errors came with it."""
    answer = orjson.loads(base64.b64decode(response["content"]["$base64"]))
    parts = [name for name in ("data", "errors") if answer.get(name)]
    return f"{response['status_code']}/{'+'.join(parts)}"
