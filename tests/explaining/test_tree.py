"""The plans of the front end's documents as trees."""

from __future__ import annotations

import pytest

from tests.documents.test_documents import DOCUMENTS
from tests.explaining.test_command import MUTATIONS, explained, own
from tests.harness.gateway import Gateway

VARIABLES = {
    "ProductPage": {"id": 2},
    "MoreReviews": {"id": 2, "filter": {"search": "sunny"}},
    "ProductCards": {"ids": [1, 2]},
    **MUTATIONS,
}
TREES = {
    "ProductPage": """
query
└── product ← ProductsById, with CharacteristicsByProduct and FiguresByProduct in its statement
    ├── id, productId, name, slogan, description, category, defaultPrice
    ├── ratingSummary ← FiguresByProduct, in the statement of ProductsById
    │   ├── average, count
    │   ├── histogram
    │   │   └── rating, count
    │   └── recommendedCount, recommendedRatio
    ├── characteristics ← CharacteristicsByProduct, in the statement of ProductsById
    │   └── id, characteristicId, kind, average, count, distribution, labels
    └── reviews (begins beside the product, of which it needs the number alone)
        ├── nodes ← ReviewPages, as JSON, in the statement of ProductsById without a filter or a cursor
        │   ├── id, reviewId, rating, summary, body, recommended, reviewerName, createdAt, response, helpfulness
        │   ├── photos
        │   │   └── id, photoId, url
        │   └── characteristicRatings
        │       ├── value, label
        │       └── characteristic
        │           └── kind
        ├── pageInfo ← ReviewPages, the load of nodes
        │   └── hasNextPage, hasPreviousPage, startCursor, endCursor
        └── totalCount ← FiguresByProduct, in the statement of ProductsById, unless the arguments choose another
""",
    "MoreReviews": """
query
└── product ← ProductsById, with FiguresByProduct in its statement
    ├── id
    └── reviews (begins beside the product, of which it needs the number alone)
        ├── nodes ← ReviewPages, as JSON, in the statement of ProductsById without a filter or a cursor
        │   ├── id, reviewId, rating, summary, body, recommended, reviewerName, createdAt, response, helpfulness
        │   ├── photos
        │   │   └── id, photoId, url
        │   └── characteristicRatings
        │       ├── value, label
        │       └── characteristic
        │           └── kind
        ├── pageInfo ← ReviewPages, the load of nodes
        │   └── hasNextPage, hasPreviousPage, startCursor, endCursor
        ├── totalCount ← FiguresByProduct, in the statement of ProductsById, unless the arguments choose another
        └── ratingCounts ← FiguresByProduct, in the statement of ProductsById, unless the arguments choose another
            └── rating, count
""",
    "ProductCards": """
query
└── products ← ProductsById, with CharacteristicsByProduct and FiguresByProduct in its statement
    ├── id, productId, name, category, defaultPrice
    ├── ratingSummary ← FiguresByProduct, in the statement of ProductsById
    │   └── average, count
    └── characteristics ← CharacteristicsByProduct, in the statement of ProductsById
        └── kind, average
""",
    "AddReview": """
mutation
└── addReview
    ├── review ← ReviewsById, with PhotosByReview and RatingsByReview in its statement
    │   ├── id, reviewId, rating, summary, body, recommended, reviewerName, createdAt, response, helpfulness
    │   ├── photos ← PhotosByReview, in the statement of ReviewsById
    │   │   └── id, photoId, url
    │   └── characteristicRatings ← RatingsByReview, in the statement of ReviewsById
    │       ├── value
    │       ├── label ← CharacteristicsByProduct, by characteristic_id
    │       └── characteristic ← CharacteristicsByProduct, the load of label, by characteristic_id
    │           └── kind
    ├── product ← ProductsById, with CharacteristicsByProduct and FiguresByProduct in its statement
    │   ├── id
    │   ├── ratingSummary ← FiguresByProduct, in the statement of ProductsById
    │   │   ├── average, count
    │   │   ├── histogram
    │   │   │   └── rating, count
    │   │   └── recommendedCount, recommendedRatio
    │   └── characteristics ← CharacteristicsByProduct, in the statement of ProductsById
    │       └── id, kind, average, count, distribution
    └── userErrors
        └── field, message, code
""",
    "MarkReviewHelpful": """
mutation
└── markReviewHelpful
    ├── review ← ReviewsById
    │   └── id, reviewId, helpfulness
    └── userErrors
        └── field, message, code
""",
    "ReportReview": """
mutation
└── reportReview
    ├── deletedReviewId
    ├── product ← ProductsById, with CharacteristicsByProduct and FiguresByProduct in its statement
    │   ├── id
    │   ├── ratingSummary ← FiguresByProduct, in the statement of ProductsById
    │   │   ├── average, count
    │   │   ├── histogram
    │   │   │   └── rating, count
    │   │   └── recommendedCount, recommendedRatio
    │   └── characteristics ← CharacteristicsByProduct, in the statement of ProductsById
    │       └── id, kind, average, count, distribution
    └── userErrors
        └── field, message, code
""",
}


BY_GRAPHQL_CORE = """
query
└── product ← ProductsById
    ├── id, productId, name, slogan, description, category, defaultPrice
    ├── ratingSummary ← FiguresByProduct
    │   ├── average, count
    │   ├── histogram
    │   │   └── rating, count
    │   └── recommendedCount, recommendedRatio
    ├── characteristics ← CharacteristicsByProduct
    │   └── id, characteristicId, kind, average, count, distribution, labels
    └── reviews
        ├── nodes ← ReviewPages
        │   ├── id, reviewId, rating, summary, body, recommended, reviewerName, createdAt, response, helpfulness
        │   ├── photos ← PhotosByReview
        │   │   └── id, photoId, url
        │   └── characteristicRatings ← RatingsByReview
        │       ├── value
        │       ├── label ← CharacteristicsByProduct, by characteristic_id
        │       └── characteristic ← CharacteristicsByProduct, the load of label, by characteristic_id
        │           └── kind
        ├── pageInfo ← ReviewPages, the load of nodes
        │   └── hasNextPage, hasPreviousPage, startCursor, endCursor
        └── totalCount ← a loader that the arguments choose
"""


def tree_of(gateway: Gateway, name: str, **given: str) -> list[str]:
    return explained(gateway, own(name), VARIABLES[name], **given).stdout.split("\n\n")[1].splitlines()


@pytest.mark.parametrize("name", TREES)
def test_a_documents_tree(gateway: Gateway, name: str) -> None:
    assert tree_of(gateway, name) == TREES[name].strip("\n").splitlines()


def test_every_document_has_its_tree_held_here() -> None:
    assert set(TREES) == set(DOCUMENTS)


def test_for_graphql_core_nothing_comes_ahead(gateway: Gateway) -> None:
    found = tree_of(gateway, "ProductPage", REVIEWS_EXECUTION="reference")
    assert found == BY_GRAPHQL_CORE.strip("\n").splitlines()


def test_what_may_be_of_several_types_has_a_branch_for_each(gateway: Gateway) -> None:
    text = '{ node(id: "x") { id ... on Review { mine: photos { url } } ... on Product { name } } }'
    done = explained(gateway, "-", said=text)
    assert done.stdout.split("\n\n")[1].splitlines() == [
        "query",
        "└── node ← a loader that the arguments choose",
        "    ├── … on Photo",
        "    │   └── id",
        "    ├── … on Review",
        "    │   ├── id",
        "    │   └── mine: photos ← PhotosByReview",
        "    │       └── url",
        "    ├── … on Product",
        "    │   └── id, name",
        "    └── … on Characteristic",
        "        └── id",
    ]


def test_what_is_skipped_is_not_in_it(gateway: Gateway) -> None:
    text = "query ($short: Boolean!) { product(id: 1) { name ratingSummary @skip(if: $short) { count } } }"
    trees = [explained(gateway, "-", {"short": short}, said=text).stdout.split("\n\n")[1] for short in (True, False)]
    assert trees[0].splitlines() == ["query", "└── product ← ProductsById", "    └── name"]
    assert trees[1].splitlines() == [
        "query",
        "└── product ← ProductsById, with FiguresByProduct in its statement",
        "    ├── name",
        "    └── ratingSummary ← FiguresByProduct, in the statement of ProductsById",
        "        └── count",
    ]


def test_introspection_has_no_tree(gateway: Gateway) -> None:
    done = explained(gateway, "-", said="{ __schema { queryType { name } } }")
    assert (done.exit_code, done.stderr) == (0, "")
    head, answer = done.stdout.split("\n\n")
    assert head.splitlines()[3] == "plan     none: graphql-core runs it (introspection)"
    assert answer.startswith("answer   ")
    assert answer.endswith("tags: none\n")
