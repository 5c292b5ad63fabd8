"""Bytes to a server as they are, and what it answers to them."""

from __future__ import annotations

import socket
import time
from typing import NamedTuple

SILENCE_S = 0.15
"""A server that has not answered for so long waits for the rest of the request."""
PATIENCE_S = 15.0
"""Beyond it a connection hangs: no limit of the gateway and the edge is longer but for idle connections."""


class Response(NamedTuple):
    """One response of a connection; headers by lower-case name."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


def exchanged(
    address: tuple[str, int], sent: bytes, *, head: bool = False, silence_s: float = SILENCE_S
) -> list[Response]:
    """The responses to ``sent`` on a connection of its own, which is half closed after one, or ``silence_s`` of none.

    Raises ``AssertionError`` where the server does not close in turn, or answers what is no HTTP.
    """
    with socket.create_connection(address, timeout=PATIENCE_S) as connection:
        got = _read(connection, sent, silence_s, head=head)
    return responses_in(got, head=head)


def _read(connection: socket.socket, sent: bytes, silence_s: float, *, head: bool) -> bytes:
    got = b""
    try:
        connection.sendall(sent)
        connection.settimeout(silence_s)
        while _is_open(got, head=head):
            part = connection.recv(65536)
            if not part:
                return got
            got += part
    except TimeoutError:
        pass
    except OSError:  # refused in the middle of what we sent: closed, which is an answer
        return got
    began = time.monotonic()
    try:
        connection.settimeout(PATIENCE_S)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            got += part
    except TimeoutError as error:
        raise AssertionError(f"open after {time.monotonic() - began:.0f} s, having said {got[:200]!r}") from error
    except OSError:
        return got
    return got


def _is_open(got: bytes, *, head: bool) -> bool:
    """Whether more may come without more being sent: no whole response is there yet."""
    try:
        return not responses_in(got, head=head)
    except AssertionError:
        return True


def responses_in(got: bytes, *, head: bool = False) -> list[Response]:
    """The responses that ``got`` is. Raises ``AssertionError`` where it is none, or half of one."""
    if got and b"HTTP/" not in got:  # as to a request line without a version, which is HTTP/0.9: a body alone
        return [Response(200, {}, got)]
    found = []
    while got:
        top, end, rest = got.partition(b"\r\n\r\n")
        assert end, f"half a head: {got[:200]!r}"
        line, *lines = top.split(b"\r\n")
        version, _, words = line.partition(b" ")
        assert version in {b"HTTP/1.1", b"HTTP/1.0"}, f"no status line: {line[:200]!r}"
        status = int(words[:3])
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(b":") for one in lines)}
        body, got = _body(status, headers, rest, head=head)
        if status >= 200:
            found.append(Response(status, headers, body))
    return found


def _body(status: int, headers: dict[bytes, bytes], rest: bytes, *, head: bool) -> tuple[bytes, bytes]:
    if head or status < 200 or status in {204, 304}:
        return b"", rest
    if headers.get(b"transfer-encoding") == b"chunked":
        body = b""
        while True:
            size, end, rest = rest.partition(b"\r\n")
            assert end, "half a chunk"
            length = int(size, 16)
            assert len(rest) >= length + 2, "half a chunk"
            body, rest = body + rest[:length], rest[length + 2 :]
            if not length:
                return body, rest
    if b"content-length" not in headers:  # until the connection ends
        return rest, b""
    length = int(headers[b"content-length"])
    assert len(rest) >= length, "half a body"
    return rest[:length], rest[length:]
