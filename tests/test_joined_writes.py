"""What is held until the turn of the loop ends, over real connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import uvloop

from graphql_api.joined_writes import JoinedWrites, Turn


def with_two(act: Callable[[list[JoinedWrites], list[socket.socket]], Awaitable[None]]) -> None:
    """Run ``act`` with two transports that share a turn, and their clients."""

    async def run() -> None:
        loop, turn = asyncio.get_running_loop(), Turn()
        transports, clients = [], []
        for _ in range(2):
            ours, theirs = socket.socketpair()
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
            transports.append(JoinedWrites(transport, turn))
            theirs.setblocking(False)
            clients.append(theirs)
        try:
            await act(transports, clients)
        finally:
            for transport in transports:
                transport.close()
            for client in clients:
                client.close()

    uvloop.run(run())


def said(client: socket.socket) -> bytes | None:
    """What has come to ``client``, ``None`` where nothing has."""
    try:
        return client.recv(1000)
    except BlockingIOError:
        return None


def test_what_is_held_goes_out_when_the_turn_ends() -> None:
    async def act(transports: list[JoinedWrites], clients: list[socket.socket]) -> None:
        for transport in transports:
            transport.hold(b"HTTP/1.1 200 OK\r\n\r\nwhole")
        assert [said(client) for client in clients] == [None, None]
        await asyncio.sleep(0.01)
        assert [said(client) for client in clients] == [b"HTTP/1.1 200 OK\r\n\r\nwhole"] * 2

    with_two(act)


def test_what_is_written_after_it_goes_out_behind_it_at_once() -> None:
    async def act(transports: list[JoinedWrites], clients: list[socket.socket]) -> None:
        transports[0].hold(b"one ")
        transports[0].hold(b"two ")
        transports[0].write(b"three")
        assert said(clients[0]) == b"one two three"
        transports[1].hold(b"all of it")
        transports[1].close()
        assert said(clients[1]) == b"all of it"
        await asyncio.sleep(0.01)
        assert said(clients[0]) is None

    with_two(act)


def test_a_connection_that_is_closed_holds_up_no_other() -> None:
    async def act(transports: list[JoinedWrites], clients: list[socket.socket]) -> None:
        transports[0].abort()
        await asyncio.sleep(0.01)
        for transport in transports:
            transport.hold(b"an answer")
        await asyncio.sleep(0.01)
        assert said(clients[1]) == b"an answer"

    with_two(act)
