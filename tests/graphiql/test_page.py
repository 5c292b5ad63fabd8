from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import httpx
import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values
from starlette.applications import Starlette

from graphql_api.graphiql.examples import Example, examples
from graphql_api.graphiql.files import ASSETS
from graphql_api.graphiql.page import GraphiQLPage

ROOT = Path(__file__).resolve().parents[2]
SDL = ROOT / "graphql_api" / "schema" / "schema.graphql"
DOCUMENTS = ROOT / "graphql_api" / "documents"


@pytest.fixture(scope="module")
def local_page(installed: Path) -> GraphiQLPage:
    return GraphiQLPage(installed)


@pytest.fixture
def cdn_page(tmp_path: Path) -> GraphiQLPage:
    return GraphiQLPage(tmp_path / "nothing")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SDL.read_text(encoding="utf-8"))


def loaded(page: GraphiQLPage) -> list[tuple[str, str]]:
    """What the page loads: each address with its integrity."""
    tags = r'(?:src|href)="([^"]+)" integrity="([^"]+)" crossorigin="anonymous">'
    return re.findall(tags, page.html.decode("utf-8"))


def settings(page: GraphiQLPage) -> dict[str, object]:
    block = re.search(r'<script type="application/json" id="settings">(.*?)</script>', page.html.decode("utf-8"))
    assert block
    found: dict[str, object] = json.loads(block[1])
    return found


def served(page: GraphiQLPage, *paths: str) -> list[httpx.Response]:
    async def get() -> list[httpx.Response]:
        transport = httpx.ASGITransport(Starlette(routes=page.routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(get())


def policy(page: GraphiQLPage) -> dict[str, str]:
    directives = page.headers["Content-Security-Policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def test_with_the_files_the_page_loads_its_own(local_page: GraphiQLPage) -> None:
    assert local_page.local is True
    assert loaded(local_page) == [(f"/graphiql/{asset.name}", asset.integrity) for asset in ASSETS]


def test_with_the_files_the_page_names_no_other_host(local_page: GraphiQLPage) -> None:
    # The name of the SVG format in the icon is not an address that anything is loaded from.
    assert re.findall(rb"https?://[^/']+", local_page.html) == [b"http://www.w3.org"]


def test_without_the_files_the_page_loads_them_from_the_cdn(cdn_page: GraphiQLPage) -> None:
    assert cdn_page.local is False
    assert loaded(cdn_page) == [(asset.cdn_url, asset.integrity) for asset in ASSETS]


def test_a_damaged_file_makes_the_page_use_the_cdn(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    shutil.copytree(installed, folder)
    with (folder / ASSETS[1].name).open("ab") as file:
        file.write(b" ")

    assert GraphiQLPage(folder).local is False


def test_the_policy_allows_the_page_s_inline_script_and_our_files(local_page: GraphiQLPage) -> None:
    (script,) = re.findall(rb'<script type="module">(.*?)</script>', local_page.html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode("ascii")

    assert policy(local_page) == {
        "default-src": "'none'",
        "script-src": f"'self' 'sha256-{digest}'",
        "style-src": "'self' 'unsafe-inline'",
        "font-src": "data:",
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_the_policy_allows_the_cdn_by_file(cdn_page: GraphiQLPage) -> None:
    style, *scripts = (asset.cdn_url for asset in ASSETS)

    assert policy(cdn_page)["script-src"].split()[:-1] == scripts
    assert policy(cdn_page)["style-src"] == f"{style} 'unsafe-inline'"


def test_the_page_has_no_inline_event_handlers(cdn_page: GraphiQLPage) -> None:
    assert re.findall(rb"<[^>]*\son[a-z]+=", cdn_page.html) == []


def test_the_response_is_the_page_with_its_headers(cdn_page: GraphiQLPage) -> None:
    response = cdn_page.response()

    assert (response.status_code, response.body) == (200, cdn_page.html)
    assert dict(response.headers) == {
        "content-security-policy": cdn_page.headers["Content-Security-Policy"],
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cache-control": "no-store",
        "vary": "Accept",
        "content-length": str(len(cdn_page.html)),
        "content-type": "text/html; charset=utf-8",
    }


def test_the_files_are_served_as_they_are_and_kept_for_good(installed: Path, local_page: GraphiQLPage) -> None:
    answers = served(local_page, *(f"/graphiql/{asset.name}" for asset in ASSETS))

    assert [answer.content for answer in answers] == [(installed / asset.name).read_bytes() for asset in ASSETS]
    assert [answer.headers["content-type"] for answer in answers] == [
        "text/css; charset=utf-8",
        "text/javascript; charset=utf-8",
        "text/javascript; charset=utf-8",
        "text/javascript; charset=utf-8",
    ]
    assert {answer.headers["cache-control"] for answer in answers} == {"public, max-age=31536000, immutable"}
    assert {answer.headers["x-content-type-options"] for answer in answers} == {"nosniff"}


def test_no_other_file_is_served(local_page: GraphiQLPage) -> None:
    (answer,) = served(local_page, "/graphiql/page.html")

    assert answer.status_code == 404


def test_with_the_cdn_no_files_are_served(cdn_page: GraphiQLPage) -> None:
    assert cdn_page.routes == []


def test_the_page_opens_with_the_examples(cdn_page: GraphiQLPage) -> None:
    assert settings(cdn_page) == {
        "endpoint": "/graphql",
        "tabs": [
            {"query": example.query, "variables": json.dumps(example.variables, indent=2)} for example in examples()
        ],
    }


def test_the_page_asks_the_endpoint_it_was_given(tmp_path: Path) -> None:
    assert settings(GraphiQLPage(tmp_path, endpoint="/shop/</script>"))["endpoint"] == "/shop/</script>"


def test_the_examples_are_the_shop_s_documents() -> None:
    assert [(example.name, example.query) for example in examples()] == [
        (name, (DOCUMENTS / f"{name}.graphql").read_text(encoding="utf-8"))
        for name in ("ProductPage", "MoreReviews", "ProductCards", "AddReview", "MarkReviewHelpful")
    ]


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("*.graphql")), ids=lambda path: path.stem)
def test_a_document_is_valid_and_holds_the_one_operation_it_is_named_after(path: Path, schema: GraphQLSchema) -> None:
    document = parse(path.read_text(encoding="utf-8"))

    assert validate(schema, document) == []
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    assert [operation.name and operation.name.value for operation in operations] == [path.stem]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_s_variables_fit_its_operation(example: Example, schema: GraphQLSchema) -> None:
    (operation,) = (node for node in parse(example.query).definitions if isinstance(node, OperationDefinitionNode))
    definitions = operation.variable_definitions or ()

    values = get_variable_values(schema, definitions, dict(example.variables))

    assert not isinstance(values, list), values
    assert {node.variable.name.value for node in definitions} == set(example.variables)
