"""The page a browser gets at ``/graphql``: GraphiQL, from our own files where they are installed, else from the CDN."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from graphql_api.graphiql.examples import examples
from graphql_api.graphiql.files import ASSETS, Asset, read

if TYPE_CHECKING:
    from starlette.requests import Request

_TEMPLATE = Path(__file__).with_name("page.html")
_PREFIX = "/graphiql"
_MEDIA_TYPES = {asset.name: asset.media_type for asset in ASSETS}
_ASSET_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


class GraphiQLPage:
    """The page and GraphiQL's files, read and checked once, here. About 1.6 MB of memory while the files are local.

    ``html`` is the page, ``headers`` goes out with it, ``routes`` serves the files and is empty with the CDN,
    ``local`` says which of the two it is.
    """

    def __init__(self, assets_folder: Path, endpoint: str = "/graphql") -> None:
        contents = read(assets_folder)
        self.local = contents is not None
        self._contents = contents or {}
        page = _render(local=self.local, endpoint=endpoint)
        self.html = page.encode("utf-8")
        self.headers = MappingProxyType(
            {
                "Content-Security-Policy": _policy(page, local=self.local),
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                "Cache-Control": "no-store",
                "Vary": "Accept",
            }
        )
        self.routes = [Route(_PREFIX + "/{name}", self._asset)] if self.local else []

    def response(self) -> Response:
        """The page as an answer of its own, 200, with its headers."""
        return Response(self.html, headers=self.headers, media_type="text/html")

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._contents:
            raise HTTPException(404)
        return Response(self._contents[name], headers=_ASSET_HEADERS, media_type=_MEDIA_TYPES[name])


def _render(*, local: bool, endpoint: str) -> str:
    tabs = [{"query": example.query, "variables": json.dumps(example.variables, indent=2)} for example in examples()]
    # A "<" could end the script element the settings stand in.
    settings = json.dumps({"endpoint": endpoint, "tabs": tabs}).replace("<", "\\u003c")
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        assets="\n".join(_tag(asset, local=local) for asset in ASSETS), settings=settings
    )


def _url(asset: Asset, *, local: bool) -> str:
    return f"{_PREFIX}/{asset.name}" if local else asset.cdn_url


def _tag(asset: Asset, *, local: bool) -> str:
    url = html.escape(_url(asset, local=local))
    checks = f'integrity="{asset.integrity}" crossorigin="anonymous"'
    if asset.media_type == "text/css":
        return f'<link rel="stylesheet" href="{url}" {checks}>'
    return f'<script defer src="{url}" {checks}></script>'


def _policy(page: str, *, local: bool) -> str:
    """The Content-Security-Policy. The CDN carries everyone's packages, so it is allowed by file, never as a host."""
    scripts = "'self'"
    styles = "'self'"
    if not local:
        scripts = " ".join(asset.cdn_url for asset in ASSETS if asset.media_type == "text/javascript")
        styles = " ".join(asset.cdn_url for asset in ASSETS if asset.media_type == "text/css")
    inline = "".join(re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL))
    digest = base64.b64encode(hashlib.sha256(inline.encode("utf-8")).digest()).decode("ascii")
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts} 'sha256-{digest}'",
            # CodeMirror sets style attributes and elements while it draws.
            f"style-src {styles} 'unsafe-inline'",
            "font-src data:",
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
