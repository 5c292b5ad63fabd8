"""The manifests of the page on Kubernetes say what the images are."""

from __future__ import annotations

import re
from typing import Any

import yaml

from graphql_api.settings import described
from tests.containers.engine import ROOT

PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
RUN = (ROOT / "nginx" / "run.sh").read_text()


def manifests() -> list[dict[str, Any]]:
    """Every document of every block."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    return [document for block in blocks for document in yaml.safe_load_all(block)]


def containers() -> dict[str, dict[str, Any]]:
    """The containers by name."""
    found = [
        one["spec"]["template"]["spec"]["containers"][0] for one in manifests() if "template" in one.get("spec", {})
    ]
    return {one["name"]: one for one in found}


def test_there_is_everything_that_a_shop_needs() -> None:
    kinds = sorted(f"{one['kind']} {one['metadata']['name']}" for one in manifests())

    assert kinds == [
        "Deployment reviews-edge",
        "Deployment reviews-gateway",
        "Job reviews-migration-1",
        "PodDisruptionBudget reviews-gateway",
        "Secret reviews-database",
        "Service reviews",
        "Service reviews-gateway",
    ]


def test_every_variable_is_one_that_exists() -> None:
    settings = {variable for variable, _, _ in described()} | set(re.findall(r"EDGE_[A-Z_]+", RUN))
    used = {variable["name"] for one in containers().values() for variable in one["env"]}

    assert used <= settings | {"GATEWAY_PASSWORD"}  # read by the command that the migration names


def test_selectors_find_their_pods() -> None:
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in manifests() if one["kind"] == "Deployment"]
    selected = [one["spec"]["selector"] for one in manifests() if one["kind"] == "Service"]
    selected += [one["spec"]["selector"]["matchLabels"] for one in manifests() if one["kind"] == "PodDisruptionBudget"]

    assert all(selector in labels for selector in selected)


def test_pods_are_bounded_and_unprivileged() -> None:
    for name in ("gateway", "edge"):
        found = containers()[name]
        assert found["securityContext"]["runAsNonRoot"] is True
        assert found["securityContext"]["readOnlyRootFilesystem"] is True
        assert "memory" in found["resources"]["limits"]
        assert found["readinessProbe"]["httpGet"]["path"] == "/readyz"
