"""Values that the shop knows, among those that Schemathesis makes up: without them few requests reach a row."""

from __future__ import annotations

from graphql_api.schema.identity import encode

_PRODUCTS = ["1", "2", "3", encode("Product", 1), encode("Product", 4)]
_REVIEWS = ["1", "2", "3", "5", encode("Review", 2, 4)]
_ANYTHING = [encode("Product", 2), encode("Review", 2, 5), encode("Photo", 2, 5, 1)]
_DICTIONARIES: dict[str, list[str] | list[int]] = {
    "products": _PRODUCTS,
    "reviewed": ["2"],
    "characteristics": ["5"],
    "reviews": _REVIEWS,
    "anything": _ANYTHING,
    "sizes": [1, 2, 5, 100, 101, 0, -1],
    "searches": ["shoes", "the", "gre", "ﬁt é", "a" * 200],
    "ratings": [1, 2, 3, 4, 5],
    "texts": ["b" * 60, "é\u0301\u202e\U0001f469\u200d\U0001f467" * 11],
    "addresses": ["somebody@example.com"],
}
_BINDINGS = {
    "Query.product.id": "products",
    "Query.products.ids.[*]": "products",
    "Query.review.id": "reviews",
    "Query.node.id": "anything",
    "Query.nodes.ids.[*]": "anything",
    "*.*.first": "sizes",
    "*.*.last": "sizes",
    "*.*.search": "searches",
    "*.*.filter.search": "searches",
    "*.*.filter.ratings.[*]": "ratings",
    "Mutation.addReview.input.productId": "reviewed",
    "Mutation.addReview.input.characteristics.[*].characteristicId": "characteristics",
    "Mutation.addReview.input.characteristics.[*].value": "ratings",
    "Mutation.addReview.input.rating": "ratings",
    "Mutation.addReview.input.summary": "texts",
    "Mutation.addReview.input.body": "texts",
    "Mutation.addReview.input.reviewerName": "texts",
    "Mutation.addReview.input.reviewerEmail": "addresses",
    "Mutation.markReviewHelpful.input.reviewId": "reviews",
    "Mutation.reportReview.input.reviewId": "reviews",
}
_PROBABILITY = 0.8


def values() -> str:
    """Them as Schemathesis' settings, in TOML."""
    lines = [f"dictionaries.{name}.values = {_toml(known)}" for name, known in _DICTIONARIES.items()]
    lines += [
        f'parameters."{path}" = {{ dictionary = "{name}", probability = {_PROBABILITY} }}'
        for path, name in _BINDINGS.items()
    ]
    return "\n".join(lines) + "\n"


def _toml(known: list[str] | list[int]) -> str:
    return "[" + ", ".join(str(one) if isinstance(one, int) else f'"{one}"' for one in known) + "]"
