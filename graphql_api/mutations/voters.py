"""Who votes: the client's own mark of a shopper, hashed under a key before it is stored."""

from __future__ import annotations

import hmac

from graphql_api.mutations.user_error import Problems

MAX_VOTER = 200


def voter_digest(voter: str | None, secret: str, problems: Problems) -> bytes | None:
    """32 bytes that stand for ``voter``; ``None`` where no mark was given. A mark that cannot be is a problem."""
    mark = problems.text(voter or "", "The voter", "voter", high=MAX_VOTER)
    if not mark or problems.found:
        return None
    return hmac.digest(secret.encode(), mark.encode(), "sha256")
