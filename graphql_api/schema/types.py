"""Names that several types of the schema use."""

from __future__ import annotations

from typing import TypeAlias

import strawberry

from graphql_api.context import Context

Info: TypeAlias = strawberry.Info[Context, None]
"""What Strawberry hands to a resolver here."""
