"""What the statements of mutations have in common."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, String, Text, cast, func

from loaders.batch import argument

XID = cast(func.pg_current_xact_id(), String).label("xid")
"""The number of the transaction, which a statement gives beside what it has locked."""

PRODUCT_ID, REVIEW_ID = argument("product_id", BigInteger()), argument("review_id", BigInteger())
VOTER, CLIENT = argument("voter", LargeBinary()), argument("client", LargeBinary())
KEY, FINGERPRINT = argument("key", Text()), argument("fingerprint", LargeBinary())
