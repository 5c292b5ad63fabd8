"""A server between the load test and a gateway that gives some answers wrongly, as a broken cache or replica would."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import httpx

_LEFT_OUT = {"connection", "content-length", "transfer-encoding", "content-encoding", "date", "server"}


@contextmanager
def wrong_server(target: str) -> Iterator[str]:
    """The address of a server that passes everything on to ``target``, and changes or keeps what it should not.

    The first answer to a page of LOWEST_RATED reviews is given for ever. Where one star is asked for, the last digit of
    the first review's rating is another one.
    """
    kept: dict[str, httpx.Response] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, body: bytes) -> None:
            headers = {name: text for name, text in self.headers.items() if name.lower() not in {"host", "connection"}}
            asked = unquote(self.path)
            answer = kept.get(self.path) or client.request(self.command, self.path, content=body, headers=headers)
            if '"sort":"LOWEST_RATED"' in asked:
                kept[self.path] = answer
            content = answer.content
            if '"ratings":[' in asked:
                content = re.sub(rb'"rating":(\d)', _next_star, content, count=1)
            self.send_response(answer.status_code)
            for name, text in answer.headers.items():
                if name.lower() not in _LEFT_OUT:
                    self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with httpx.Client(base_url=target, timeout=30) as client, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _next_star(found: re.Match[bytes]) -> bytes:
    return b'"rating":%d' % (int(found[1]) % 5 + 1)
