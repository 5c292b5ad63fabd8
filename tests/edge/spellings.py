"""Persisted GETs in every spelling that was thought of, well-formed and not."""

from __future__ import annotations

import hashlib
import json
import random
from urllib.parse import quote, quote_plus

DOCUMENTS = {
    "two": "query A($id: ID!) { product(id: $id) { id name } } query B($id: ID!) { product(id: $id) { id } }",
    "reviews": "query R($id: ID!, $first: Int = 2, $sort: ReviewSort, $filter: ReviewFilter, $b: Boolean = true)"
    " { product(id: $id) { reviews(first: $first, sort: $sort, filter: $filter)"
    " { totalCount nodes { id summary @include(if: $b) } } } }",
    "cards": "query C($ids: [ID!]!) { products(ids: $ids) { id name } }",
    "search": "query S($w: String) { catalog(first: 3, search: $w) { totalCount nodes { id } } }",
}
HASHES = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in DOCUMENTS.items()}
ACCEPTED = (
    None,
    "application/json",
    "application/json",
    "application/json",
    "*/*",
    "application/graphql-response+json",
    "application/graphql-response+json, application/json;q=0.9",
    "application/json;q=0.5, application/graphql-response+json",
    "application/json; charset=utf-8",
    "text/html",
    "application/json;q=0",
)
_NUMBERS = ("1", "2", "3", "01", "1.0", "1e0", "-0", "+1", "1.", "0x1", "9007199254740993", "9007199254740992", "NaN")
_TEXTS = ("1", "2", "é", "a b", "a+b", "☃", "😀", "", "null", "x/y", "%41")
_VALUES = {
    "id": ('"1"', '"2"', "1", "2"),
    "ids": ('["1"]', "[1]", '["1","2"]', '["2","1"]', '"1"', "[]", "{}", '[["1"]]'),
    "first": ("1", "2", "null"),
    "sort": ('"NEWEST"', '"HELPFUL"', "null"),
    "filter": ("null", "{}", '{"ratings":[5]}', '{"ratings":5}', '{"ratings":[5],"withPhotos":true}', '{"search":""}'),
    "b": ("true", "false", "null"),
    "w": ('"a b"', '"a+b"', '""', "null", '"é"', '"É"'),
}
_VARIABLES = {"two": ("id",), "reviews": ("id", "first", "sort", "filter", "b"), "cards": ("ids",), "search": ("w",)}
_OPERATIONS = {"two": ("A", "B"), "reviews": ("R",), "cards": ("C",), "search": ("S",)}


class Speller:
    """Draws requests: most of them well-formed, and each oddity seldom enough that others are seen beside it."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def request(self) -> tuple[str, str | None]:
        """Path and query string, and the ``Accept`` header."""
        draw = self._random
        document = draw.choice(list(DOCUMENTS))
        operation = draw.choice(_OPERATIONS[document] if draw.random() < 0.95 else ("A", "x", "", "A ", "a-b"))
        digest = HASHES[document]
        if draw.random() < 0.05:
            digest = draw.choice((digest.upper(), digest[:-1], ""))
        path, given = "/graphql", []
        way = draw.random()
        if way < 0.3:
            behind = draw.choice(("", f"/{quote(operation)}", "/"))
            path = f"/graphql/p/{draw.choice(('', 'sha256:'))}{digest}{behind}"
        elif way < 0.55:
            name = draw.choice(("documentId", "documentId", "id", "doc_id"))
            given.append((name, draw.choice(("", "sha256:")) + digest))
        else:
            given.append(("extensions", self._extensions(digest)))
        if way >= 0.3 and draw.random() < 0.7:
            given.append(("operationName", operation))
        if draw.random() < 0.97:
            given.append(("variables", self._variables(document)))
        if draw.random() < 0.05:
            name = draw.choice(("query", "variables", "operationName", "extensions", "documentId", "id", "other"))
            given.append((name, draw.choice(("", "1", '{"id":"2"}', "A", "null", "{}"))))
        draw.shuffle(given)
        parts = [f"{self._name(name)}={self._escaped(text)}" for name, text in given]
        if draw.random() < 0.04:
            parts.insert(0, draw.choice(("", "=", "variables", "=1", "&", "%", "a=%zz", "variables=%ff")))
        if draw.random() < 0.02:
            path = draw.choice(("/graphql/", "//graphql", "/%67raphql", f"/graphql/./p/{digest}"))
        return f"{path}?{'&'.join(parts)}", draw.choice(ACCEPTED)

    def _extensions(self, digest: str) -> str:
        draw = self._random
        version = "1" if draw.random() < 0.9 else draw.choice(("1.0", "2", '"1"', "1e0"))
        members = [("persistedQuery", self._object([("sha256Hash", f'"{digest}"'), ("version", version)]))]
        if draw.random() < 0.1:
            members.append((draw.choice(("clientLibrary", "other", "persistedQuery")), self._value()))
        return self._object(members)

    def _variables(self, document: str) -> str:
        draw = self._random
        members = []
        for name in _VARIABLES[document]:
            if name in {"id", "ids"} or draw.random() < 0.5:
                odd = draw.random() < 0.1
                members.append((name, self._value() if odd else draw.choice(_VALUES[name])))
        if draw.random() < 0.05 and members:
            members.append((members[0][0], self._value()))
        if draw.random() < 0.03:
            members.append((draw.choice(("other", "Id", "id ")), self._value()))
        return self._object(members)

    def _value(self, depth: int = 0) -> str:
        draw = self._random
        kind = draw.random()
        if kind < 0.3:
            return self._text(draw.choice(_TEXTS))
        if kind < 0.6 or depth > 2:
            return draw.choice(_NUMBERS)
        if kind < 0.75:
            return draw.choice(("null", "true", "false", "True", "nul"))
        if kind < 0.85:
            return f"[{','.join(self._value(depth + 1) for _ in range(draw.randint(0, 2)))}]"
        names = draw.sample(("ratings", "withPhotos", "search", "name"), draw.randint(0, 2))
        return self._object([(name, self._value(depth + 1)) for name in names])

    def _object(self, members: list[tuple[str, str]]) -> str:
        self._random.shuffle(members)
        inside = ",".join(f"{self._blank()}{self._text(name)}{self._blank()}:{held}" for name, held in members)
        return "{" + inside + self._blank() + ("," if self._random.random() < 0.01 else "") + "}"

    def _text(self, text: str) -> str:
        signs = [
            f"\\u{ord(sign):04x}" if ord(sign) < 65536 and self._random.random() < 0.02 else json.dumps(sign)[1:-1]
            for sign in text
        ]
        return f'"{"".join(signs)}"'

    def _blank(self) -> str:
        return self._random.choice((" ", "\t", "\n", "\r")) if self._random.random() < 0.1 else ""

    def _name(self, name: str) -> str:
        return name if self._random.random() < 0.97 else "".join(f"%{ord(sign):02X}" for sign in name)

    def _escaped(self, text: str) -> str:
        return self._random.choice((quote, quote_plus, lambda text: quote(text, safe=":,")))(text)
