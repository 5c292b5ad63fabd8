"""Users of a front end just released: nobody has sent its document before."""

from __future__ import annotations

import uuid
from typing import Any

from locust import task
from locust.contrib.fasthttp import ResponseContextManager

from perf.load import hash_of
from perf.scenarios import checks
from perf.scenarios.checks import Json, expect
from perf.scenarios.documents import body_of, path_of
from perf.scenarios.visitor import Visitor

_UNKNOWN = "PersistedQueryNotFound"
_UNKNOWN_CODE = "PERSISTED_QUERY_NOT_FOUND"
_KEPT, _NOT_KEPT = "public, max-age=0, must-revalidate", "no-store"


class FirstVisitor(Visitor):
    """Automatic persisted queries, step by step: a miss, a registration, a hit."""

    @task
    def visit(self) -> None:
        """Ask with a document of one's own."""
        name = f"FirstVisit_{uuid.uuid4().hex}"
        text = f"query {name}($id: ID!) {{ product(id: $id) {{ id productId name }} }}"
        asked, hashed = self.products.one(), hash_of(text)
        variables: Json = {"id": asked}
        path = path_of(name, variables, hashed)

        def known(response: ResponseContextManager, body: Any, kept: str) -> Json:
            data = checks.data_of(response.status_code, body)
            checks.product_asked_for(data["product"], asked)
            expect(response.headers.get("Cache-Control") == kept, f"Cache-Control is not {kept}")
            return data

        self.asked("GET", path, "FirstVisit, miss", unknown)
        body = {**body_of(name, variables, hashed), "query": text}
        registered = self.asked(
            "POST", "/graphql", "FirstVisit, registration", lambda *answer: known(*answer, _NOT_KEPT), json=body
        )

        def hit(response: ResponseContextManager, body: Any) -> Json:
            data = known(response, body, _KEPT)
            expect(response.headers.get("ETag"), "no ETag")
            expect(data == registered, "another answer than to the text")
            return data

        self.asked("GET", path, "FirstVisit, hit", hit)


def unknown(response: ResponseContextManager, body: Any) -> Json:
    """The body of the answer to a hash that nobody has registered. Raises ``WrongAnswerError`` for any other."""
    expect(response.status_code == 200, f"{response.status_code} instead of 200")
    expect(isinstance(body, dict) and len(body.get("errors") or []) == 1, "not one error for an unknown hash")
    (error,) = body["errors"]
    expect(error["message"] == _UNKNOWN, f"a message other than {_UNKNOWN}")
    expect(error["extensions"]["code"] == _UNKNOWN_CODE, f"a code other than {_UNKNOWN_CODE}")
    expect(body.get("data") is None, "data for an unknown hash")
    expect(response.headers.get("Cache-Control") == _NOT_KEPT, f"Cache-Control is not {_NOT_KEPT}")
    found: Json = body
    return found
