"""What the edge takes for one request is one to the gateway: equal keys, equal requests."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from urllib.parse import unquote

import orjson

from graphql_api.endpoint import PATH, PERSISTED
from graphql_api.http_error import HttpError
from graphql_api.http_request import request_of_query_string
from tests.edge.console import Console, _lua
from tests.edge.spellings import Speller

URLS = 6000
_AT_ONCE = 500
_PIECES = (
    "%",
    "%00",
    "%0A",
    "%20",
    "+",
    "&",
    "&&",
    "=",
    "/",
    "//",
    "%2F",
    "?",
    ";",
    "%C3",
    "%25",
    "A",
    "1",
    '"',
    "{}",
    ",",
)
_KEYS = """
local keys, found = require("edge.keys"), {{}}
for place, uri in ipairs({}) do found[place] = ngx.escape_uri(keys.canonical(uri) or "") end
return found
"""


def _urls() -> list[str]:
    """Persisted GETs in many spellings, and a third of them with something put in, taken out or doubled."""
    speller, draw = Speller(11), Random(11)
    made = []
    for _ in range(URLS):
        url = speller.request()[0]
        if draw.random() < 0.33:
            at = draw.randrange(len(url))
            piece = draw.choice((*_PIECES, "", url[at : at + 3] * 2))
            url = "/" + (url[:at] + piece + url[at + draw.choice((0, 0, 1, 3)) :]).lstrip("/")
        made.append(url)
    return made


def _asked(url: str) -> bytes:
    """What the gateway reads from ``url``, if it does."""
    path, _, query_string = url.partition("?")
    path = unquote(path)
    if path != PATH and not path.startswith(PERSISTED):
        return b"not for the endpoint"
    try:
        request = request_of_query_string(query_string.encode(), None if path == PATH else path[len(PERSISTED) :])
    except HttpError:
        return b"refused, and so kept by no edge"
    # As bytes: 1, 1.0 and true are equal in Python and three values in GraphQL.
    return orjson.dumps(
        [request.query, request.document_id, request.operation_name, request.variables], option=orjson.OPT_SORT_KEYS
    )


def test_urls_of_one_key_are_one_request(console: Console) -> None:
    urls = _urls()
    requests: dict[str, dict[bytes, str]] = defaultdict(dict)
    keyed = 0
    for first in range(0, URLS, _AT_ONCE):
        some = urls[first : first + _AT_ONCE]
        (keys,) = console.run(_KEYS.format(_lua(some)))
        for url, key in zip(some, keys, strict=True):
            if key:
                keyed += 1
                requests[key].setdefault(_asked(url), url)

    apart = {key: asked for key, asked in requests.items() if len(asked) > 1}

    assert apart == {}
    # Of those that have a key many share it: else nothing was compared.
    assert keyed > URLS / 3
    assert len(requests) < keyed * 0.9
