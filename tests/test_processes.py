"""Ports for processes that are to start: free, and nobody else's by the time they start."""

from __future__ import annotations

import socket
from pathlib import Path

from graphql_api.processes import free_port


def test_no_port_is_given_twice_even_before_its_owner_listens() -> None:
    # 200 of 7,057, which is what the system chooses from, would hold a pair nineteen times in twenty.
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == 200


def test_no_port_is_one_that_the_system_gives_to_connections() -> None:
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert not [port for port in (free_port() for _ in range(50)) if lowest <= port <= highest]


def test_a_port_that_is_listened_on_is_not_given() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        taken = listening.getsockname()[1]
        assert taken not in {free_port() for _ in range(500)}
