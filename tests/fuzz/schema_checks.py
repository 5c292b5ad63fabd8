"""What Schemathesis holds every answer to, loaded by it as its hooks."""

from __future__ import annotations

import schemathesis

from tests.fuzz.soundness import ill_formed, unsound
from tests.fuzz.wire import Response


@schemathesis.check
def answered_soundly(_: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case) -> None:
    """No status of 500 and more, no traceback, no internal error, and the form that GraphQL over HTTP prescribes."""
    headers = {name.lower().encode(): ", ".join(values).encode() for name, values in response.headers.items()}
    answer = Response(response.status_code, headers, response.content)
    found = unsound(answer) or ill_formed(answer)
    assert found is None, f"{found}: {response.content[:300]!r} to {case.body!r}"
