"""What an operation costs, told to who asks for it: with the answer, or in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import OperationDefinitionNode

from graphql_api.execution.answer import Answer, Stage
from graphql_api.execution.document import Document


class Price:
    """``{"cost": {"requested": …, "limit": …}}``: the most objects that the answer can hold, and that one may."""

    def __init__(self, requested: int, limit: int) -> None:
        self._json = orjson.dumps({"cost": {"requested": requested, "limit": limit}})

    def alone(self) -> Answer:
        """The answer to who wants to know nothing else: nothing was run."""
        return Answer(Stage.EXECUTION, b'{"data":null,"extensions":' + self._json + b"}", clean=True)

    def beside(self, answer: Answer) -> Answer:
        """``answer`` with it, whatever came of the request."""
        return answer._replace(body=answer.body[:-1] + b',"extensions":' + self._json + b"}")


def price_of(document: Document, operation_name: str | None, values: Mapping[str, Any], limit: int) -> Price | None:
    """The price of the operation of that name, or of the only one; ``None`` where there is none such."""
    operation = document.operation(operation_name)
    if not isinstance(operation, OperationDefinitionNode):
        return None
    return Price(document.whole_cost(operation, values), limit)
