"""A small folder without dirt, to be changed and written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ATELIER = Path(__file__).parents[1] / "data" / "atelier"

HEADERS = {
    "product.csv": "id,name,slogan,description,category,default_price",
    "characteristics.csv": "id,product_id,name",
    "reviews.csv": (
        "id,product_id,rating,date,summary,body,recommend,reported,reviewer_name,reviewer_email,response,helpfulness"
    ),
    "reviews_photos.csv": "id,review_id,url",
    "characteristic_reviews.csv": "id,characteristic_id,review_id,value",
}
LINES = {
    "product.csv": ['1,"Shirt","Soft","A shirt","Shirts",20', '2,"Hat",null,null,"",null'],
    "characteristics.csv": ['1,1,"Fit"', '2,1,"Quality"', '3,2,"Quality"'],
    "reviews.csv": [
        '1,1,5,1596080481467,"Good","Very good",true,false,"ann","ann@example.com",null,3',
        '2,1,2,1596080481467,"Bad","Very bad",false,false,"bob","bob@example.com","Sorry",0',
        '3,2,4,1596080481467,"Fine","Quite fine",true,true,"cy","cy@example.com",null,1',
    ],
    "reviews_photos.csv": ['1,1,"https://images.example.com/1.jpg"', '2,1,"https://images.example.com/2.jpg"'],
    "characteristic_reviews.csv": ["1,1,1,4", "2,2,1,5", "3,1,2,1", "4,2,2,2", "5,3,3,3"],
}
"""A small folder without dirt: 2 products, 3 characteristics, 3 reviews, 2 photos, 5 ratings."""


def write_folder(folder: Path, changes: Mapping[str, list[str]] | None = None) -> Path:
    """Write the small folder, with the lines of some files replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in {**LINES, **(changes or {})}.items():
        (folder / name).write_text("\n".join([HEADERS[name], *lines]) + "\n", encoding="utf-8")
    return folder
