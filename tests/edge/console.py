"""The edge's Lua modules inside a real nginx, asked one by one."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from graphql_api.processes import free_port

NGINX = Path(__file__).parents[2] / "nginx"
MODULES = Path("/usr/lib/nginx/modules")

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {place}/pid;
error_log stderr warn;
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
events {{}}
http {{
    access_log off;
    include {nginx}/conf/lua.conf;
    lua_shared_dict pages 1m;
    lua_shared_dict tags 64k;
    init_by_lua_block {{ require("edge.start").master({{ upstream = {{}}, resolvers = {{}} }}) }}
    server {{
        listen 127.0.0.1:{port};
        client_body_buffer_size 1m;
        location / {{
            content_by_lua_block {{
                ngx.req.read_body()
                local chunk = assert(loadstring(ngx.req.get_body_data()))
                ngx.print(require("cjson").encode({{ chunk() }}))
            }}
        }}
    }}
}}
"""


class Console:
    """Runs Lua in the worker of that nginx."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def run(self, code: str) -> list[Any]:
        """What the chunk ``code`` returns; nil is ``None``, and missing at the end."""
        answer = self._client.post("/", content=code)
        assert answer.status_code == 200, answer.text
        values = answer.json()
        return values if isinstance(values, list) else []

    def call(self, module: str, function: str, *arguments: object) -> Any:
        """What ``function`` of ``module`` returns first."""
        values = self.run(f"return require('{module}').{function}({', '.join(map(_lua, arguments))})")
        return values[0] if values else None


def _lua(value: object) -> str:
    if isinstance(value, list):
        return "{" + ", ".join(map(_lua, value)) + "}"
    # A long bracket takes every sign as it is.
    return f"[==[{value}]==]" if isinstance(value, str) else str(value)


@contextmanager
def running_console() -> Iterator[Console]:
    """An nginx with the edge's modules and no replicas, for the time of the context."""
    with tempfile.TemporaryDirectory(prefix="console-") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "lua").symlink_to(NGINX / "lua")
        port = free_port()
        configuration = place / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(place=place, modules=MODULES, nginx=NGINX, port=port))
        command = ["nginx", "-p", f"{place}/", "-c", str(configuration), "-e", "stderr"]
        with (place / "log").open("w") as log:
            process = subprocess.Popen(command, stderr=log, env={**os.environ})
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                _wait(client, process, place / "log")
                yield Console(client)
        finally:
            process.terminate()
            process.wait(10)


def _wait(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        try:
            client.post("/", content="return 1")
        except httpx.TransportError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())
