"""``reviews explain``: what an operation costs, how it would run, and which statements answer it."""

from __future__ import annotations

import asyncio

import click

from graphql_api.explaining.asked import Asked, variables_of
from graphql_api.explaining.explanation import explain
from graphql_api.explaining.printing import json_of, print_explanation
from graphql_api.settings import Settings


def show(
    url: str,
    settings: Settings,
    document: str,
    variables: str,
    operation: str | None,
    *,
    analyze: bool,
    as_json: bool,
) -> None:
    """Explain ``document`` on the database of ``url``. Raises ``OperatorError`` for what cannot be explained."""
    asked = Asked(document, operation, variables_of(variables))
    explanation = asyncio.run(explain(url, settings, asked, analyze=analyze))
    if as_json:
        click.echo(json_of(explanation).decode(), nl=False)
    else:
        print_explanation(explanation)
