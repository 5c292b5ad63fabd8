"""What a gateway asks PostgreSQL for one page, taken from PostgreSQL's own log, as a script for pgbench."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import NamedTuple

from graphql_api.settings import Secret
from perf.catalogue import Catalogue
from perf.load import Client
from perf.servers import gateway

_LOGGING = "&log_min_duration_statement=0&log_error_verbosity=default&log_parameter_max_length=-1"
_EXECUTED = re.compile(
    r"LOG:  duration: [^\n]* ms  execute [^:\n]*: (?P<text>.*?)\n[^\n]*DETAIL:  Parameters: (?P<values>[^\n]*)",
    re.DOTALL,
)
_VALUE = re.compile(r"\$(\d+) = (?:'((?:[^']|'')*)'|NULL)")
_WARM_UP = 20
_LOGGED_SECONDS = 0.5
_FULL_PAGE = 5


class Script(NamedTuple):
    """Statements in which ``:id`` stands for the product. ``fixed``: how many have other values, those of one page."""

    statements: list[str]
    fixed: int


def script_of_page(catalogue: Catalogue, *, by_text: bool, **settings: str) -> Script:
    """The statements of one product page."""
    logging = dataclasses.replace(catalogue, url=Secret(f"{catalogue.url}{_LOGGING}"))
    with gateway(logging, "captured", by_text=by_text, **settings) as server, Client(server.address) as client:
        product = next(
            number
            for number in range(catalogue.products // 2, catalogue.products)
            if len(client.data(server.page.request(number))["product"]["reviews"]["nodes"]) == _FULL_PAGE
        )
        request = server.page.request(product)
        # The first ones look up types and prepare.
        for _ in range(_WARM_UP):
            client.data(request)
        with catalogue.log.open() as log:
            log.seek(0, 2)
            client.data(request)
            time.sleep(_LOGGED_SECONDS)  # a backend answers before it logs
            written = log.read()
    statements, fixed = [], 0
    for executed in _EXECUTED.finditer(written):
        text, only_product = executed["text"], True
        # From the last one on, so that $1 does not fit $10.
        for place, value in reversed(_VALUE.findall(executed["values"])):
            spelt, of_product = _spelt(value, str(product))
            text = text.replace(f"${place}", spelt)
            only_product = only_product and of_product
        statements.append(" ".join(text.split()))
        fixed += not only_product
    return Script(statements, fixed)


def _spelt(value: str, product: str) -> tuple[str, bool]:
    """A value as pgbench is to send it, and whether it is the product's number."""
    if value == product:
        return ":id", True
    elements = value.removeprefix("{").removesuffix("}").split(",")
    if value.startswith("{") and set(elements) == {product}:
        return f"ARRAY[{', '.join(':id' for _ in elements)}]", True
    assert ":" not in value, "pgbench would take it for a variable"
    return f"'{value}'", False
