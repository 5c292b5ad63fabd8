"""A characteristic of a product, and what its values mean."""

from __future__ import annotations

from enum import Enum

import strawberry

from graphql_api.schema.column import column, of_row
from graphql_api.schema.node import Node
from graphql_api.schema.rating_summary import mean
from loaders.rows import CharacteristicRow


@strawberry.enum(description="The aspects of a product that reviews can rate.")
class CharacteristicKind(Enum):
    """Each has five labels of its own."""

    SIZE = strawberry.enum_value("SIZE", description="From too small to too big.")
    WIDTH = strawberry.enum_value("WIDTH", description="From too narrow to too wide.")
    COMFORT = strawberry.enum_value("COMFORT", description="From uncomfortable to perfect.")
    QUALITY = strawberry.enum_value("QUALITY", description="From poor to perfect.")
    LENGTH = strawberry.enum_value("LENGTH", description="From runs short to runs long.")
    FIT = strawberry.enum_value("FIT", description="From runs tight to runs long.")


LABELS = {
    "SIZE": ["A size too small", "½ a size too small", "Perfect", "½ a size too big", "A size too big"],
    "WIDTH": ["Too narrow", "Slightly narrow", "Perfect", "Slightly wide", "Too wide"],
    "COMFORT": ["Uncomfortable", "Slightly uncomfortable", "Ok", "Comfortable", "Perfect"],
    "QUALITY": ["Poor", "Below average", "What I expected", "Pretty great", "Perfect"],
    "LENGTH": ["Runs short", "Runs slightly short", "Perfect", "Runs slightly long", "Runs long"],
    "FIT": ["Runs tight", "Runs slightly tight", "Perfect", "Runs slightly long", "Runs long"],
}


@strawberry.type(description="One aspect of a product that each of its reviews rates from 1 to 5.")
class Characteristic(Node):
    """Made of its row, figures included."""

    row: strawberry.Private[CharacteristicRow]

    characteristic_id: strawberry.ID = column(description="The plain number of the characteristic.")
    kind: CharacteristicKind = column(description="Which aspect it is.")

    average: float | None = of_row(
        lambda row: mean(row.counts), description="The mean of the values chosen; null while nobody rated it."
    )
    count: int = of_row(lambda row: sum(row.counts), description="How many visible reviews rated it.")
    distribution: list[int] = column(attribute="counts", description="How many chose 1, 2, 3, 4 and 5.")
    labels: list[str] = of_row(lambda row: LABELS[row.kind], description="What 1, 2, 3, 4 and 5 mean.")
