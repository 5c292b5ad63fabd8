"""What no answer may be, whatever was asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tests.fuzz.wire import Response

GRAPHQL = b"application/graphql-response+json; charset=utf-8"


def unsound(response: Response) -> str | None:
    """What is wrong with an answer; ``None``: nothing."""
    return next(_faults(response), None)


def ill_formed(response: Response) -> str | None:
    """In what an answer to who accepts ``application/graphql-response+json`` is none; ``None``: in nothing.

    Source: GraphQL over HTTP, and the section on responses of GraphQL's specification.
    """
    return next(_faults_of_form(response), None)


def _faults(response: Response) -> Iterator[str]:
    if response.status >= 500 and (response.status != 503 or b"retry-after" not in response.headers):
        yield f"status {response.status}"
    if b"Traceback" in response.body or b"site-packages" in response.body:
        yield "a traceback"
    media = response.headers.get(b"content-type", b"").partition(b";")[0]
    if not media.endswith(b"json") or not response.body:
        return
    try:
        answer = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        yield "a body that is no JSON"
        return
    errors = answer.get("errors", []) if isinstance(answer, dict) else []
    codes = {one.get("extensions", {}).get("code") for one in errors}
    if not all(codes):
        yield "an error without a code"
    if "INTERNAL_SERVER_ERROR" in codes:
        yield "an error that nobody expected"


def _faults_of_form(response: Response) -> Iterator[str]:
    if response.headers.get(b"content-type") != GRAPHQL:
        yield f"the type {response.headers.get(b'content-type')!r}"
    answer = orjson.loads(response.body)
    if not isinstance(answer, dict) or answer.keys() - {"data", "errors", "extensions"}:
        yield "a body with other members"
        return
    if ("data" in answer) != (response.status == 200):
        yield f"status {response.status} with data or without"
    errors = answer.get("errors")
    if errors is None and not isinstance(answer.get("data"), dict):
        yield "neither data nor errors"
    if errors is not None and (not isinstance(errors, list) or not errors):
        yield "errors that are no list, or an empty one"
    elif not all(_is_error(one) for one in errors or []):
        yield "an error of another form"


def _is_error(one: dict[str, Any]) -> bool:
    return (
        isinstance(one.get("message"), str)
        and not one.keys() - {"message", "locations", "path", "extensions"}
        and all(place.keys() == {"line", "column"} and min(place.values()) > 0 for place in one.get("locations", []))
    )
