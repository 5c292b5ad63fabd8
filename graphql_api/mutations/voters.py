"""Who votes: the client's own mark of a shopper, and its address, each hashed under a key before it is stored."""

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


def client_digest(client: str | None, secret: str) -> bytes | None:
    """32 bytes that stand for the address ``client``; ``None`` without one, and without a ``secret``.

    There are so few addresses that their hashes under a key that everyone knows would be read back in seconds.
    """
    if client is None or not secret:
        return None
    # No mark of a voter begins so: it holds no U+0000.
    return hmac.digest(secret.encode(), b"\0client " + client.encode(), "sha256")
