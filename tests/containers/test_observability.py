"""The profile of docker/compose.yaml that shows the metrics."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import yaml

from tests.conftest import Requires
from tests.containers.engine import ROOT

DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SCRAPED = yaml.safe_load((DOCKER / "prometheus.yml").read_text())["scrape_configs"]
PROFILE = {
    name: service for name, service in COMPOSE["services"].items() if service.get("profiles") == ["observability"]
}


def test_nothing_of_it_starts_unless_it_is_asked_for() -> None:
    assert set(PROFILE) == {"prometheus", "grafana"}


def test_the_images_can_be_named() -> None:
    assert {name: service["image"].partition(":-")[0] for name, service in PROFILE.items()} == {
        "prometheus": "${PROMETHEUS_IMAGE",
        "grafana": "${GRAFANA_IMAGE",
    }


def test_every_file_that_is_given_to_them_is_there() -> None:
    given = [volume.split(":")[0] for service in PROFILE.values() for volume in service["volumes"]]
    folders = [DOCKER / name for name in given if name.startswith("./")]

    assert all(path.exists() for path in folders)
    assert {name for name in given if not name.startswith("./")} <= set(COMPOSE["volumes"])


def test_the_dashboards_are_where_they_are_looked_for() -> None:
    (provider,) = yaml.safe_load((DOCKER / "grafana/provisioning/dashboards/reviews.yaml").read_text())["providers"]
    mounted = dict(volume.split(":")[:2] for volume in PROFILE["grafana"]["volumes"])
    home = PROFILE["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert mounted["./grafana/dashboards"] == provider["options"]["path"]
    assert home.startswith(f"{provider['options']['path']}/")
    assert json.loads((DOCKER / "grafana/dashboards" / home.rpartition("/")[2]).read_text())["uid"]


def test_what_is_read_are_services_at_the_ports_that_they_listen_on() -> None:
    read = {job["job_name"]: job["dns_sd_configs"][0] for job in SCRAPED}
    status = COMPOSE["services"]["edge"]["environment"]["EDGE_STATUS"]

    assert {name: (one["names"], one["port"]) for name, one in read.items()} == {
        "gateway": (["gateway"], 8000),
        "edge": (["edge"], int(status.rpartition(":")[2])),
    }
    assert set(read) <= set(COMPOSE["services"])


def test_only_clients_reach_the_stack_from_outside() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}

    assert published == {"edge": ["${EDGE_PORT:-8080}:8080"], "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"]}


def test_compose_takes_the_file(requires: Requires) -> None:
    command = [requires("docker-compose"), "-f", "docker/compose.yaml", "--profile", "observability", "config"]
    environment = {
        **os.environ,
        "POSTGRES_PASSWORD": "a-tests-own",
        "GATEWAY_PASSWORD": "another",
        "GRAFANA_IMAGE": "mirror/grafana",
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    assert read["grafana"]["image"] == "mirror/grafana"
