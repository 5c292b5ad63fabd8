"""The five CSV files of a made-up shop, in the shapes of the full export: the same seed, the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from struct import iter_unpack
from typing import TextIO

from etl import words
from etl.phrases import PEOPLE, POOL, Phrases, people, phrases, pick
from graphql_api.errors import OperatorError

HEADERS = {
    "product.csv": "id,name,slogan,description,category,default_price",
    "characteristics.csv": "id,product_id,name",
    "reviews.csv": "id,product_id,rating,date,summary,body,recommend,reported,reviewer_name,reviewer_email,response,"
    "helpfulness",
    "reviews_photos.csv": "id,review_id,url",
    "characteristic_reviews.csv": "id,characteristic_id,review_id,value",
}

_FIRST_DATE_MS = 1_577_836_800_000  # 2020-01-01 UTC
_DATE_STEP_MS = 9  # times 2 ** 32: some 447 days
_MOST_REVIEWS = 11
_NO_REVIEWS = 0.01
_MEAN_REVIEWS = 5.775
_BLOCK = 1_000  # reviews made at once: bounds memory where one product has a million
_NUMBERS = "<11H"  # eleven numbers of 16 bits for each review
_NUMBERS_BYTES = 22

_CLOTHES, _CLOTHES_OR_SHOES = 0.39, 0.78  # shares of products
# As in the shop's own export, so that examples which rate characteristic 5 of product 2 fit both.
_FIRST_GROUPS = {1: words.CLOTHES, 2: words.ACCESSORIES}

# Tables that turn one random byte into a value; the shares are those of the full export.
_RATING = [1 + byte * 5 // 256 for byte in range(256)]
_HELPFULNESS = [byte * 30 // 256 for byte in range(256)]
_RECOMMENDED = [  # by stars: 75 % altogether
    ["true" if byte < share * 2.56 else "false" for byte in range(256)] for share in (0, 55, 65, 75, 87, 93)
]
_REPORTED = ["true"] * 4 + ["false"] * 252
_RESPONDED = [True] * 31 + [False] * 225
_PHOTOS = [0] * 167 + [1] * 67 + [2] * 15 + [3] * 4 + [4] * 2 + [5]
_CONTENT = (0, 0, 0, 1, 2, 2)
_VALUES = [tuple(str(1 + number // 5**place % 5) for place in range(4)) for number in range(625)]


def generate_folder(folder: Path, *, products: int, seed: int, hot: int = 0) -> dict[str, int]:
    """Write the five files to ``folder``, made if need be; the answer is each file's number of rows.

    Product 1 has exactly ``hot`` reviews more. Raises ``OperatorError`` where the files cannot be written.
    """
    shop = _Shop(seed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as open_files:
            files = [
                open_files.enter_context((folder / name).open("w", encoding="utf-8", newline="\n", buffering=1 << 20))
                for name in HEADERS
            ]
            for file, header in zip(files, HEADERS.values(), strict=True):
                file.write(header + "\n")
            for product in range(1, products + 1):
                shop.write_product(files, product, hot if product == 1 else 0)
    except OSError as error:
        raise OperatorError(f"The files cannot be written to {folder}: {error.strerror}.") from error
    counts = (products, shop.characteristics, shop.reviews, shop.photos, shop.ratings)
    return dict(zip(HEADERS, counts, strict=True))


class _Shop:
    """The state of a run: the random numbers, the text pools, and the last number given in each file."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - made-up text, not secrets
        self._people = people(self._random)
        self._phrases = {
            category: phrases(self._random, item, plural=plural)
            for group in words.CATEGORIES.values()
            for category, item, plural, _ in group
        }
        self._review_counts = _review_counts()
        self.characteristics = self.reviews = self.photos = self.ratings = 0

    def write_product(self, files: Sequence[TextIO], product: int, more_reviews: int) -> None:
        """Write the product's rows to the five files."""
        random = self._random
        chance = random.random()
        group = words.CLOTHES if chance < _CLOTHES else words.SHOES if chance < _CLOTHES_OR_SHOES else words.ACCESSORIES
        group = _FIRST_GROUPS.get(product, group)
        category, _, _, nouns = words.CATEGORIES[group][int(random.random() * len(words.CATEGORIES[group]))]
        files[0].write(_product(random, product, category, nouns))
        names = words.CHARACTERISTICS[group]
        first = self.characteristics + 1
        files[1].write("".join(f'{first + place},{product},"{name}"\n' for place, name in enumerate(names)))
        self.characteristics += len(names)
        count = self._review_counts[int(random.random() * len(self._review_counts))] + more_reviews
        while count > 0:
            reviews, photos, ratings = self._block(
                product, self._phrases[category], first, min(count, _BLOCK), single=len(names) == 1
            )
            files[2].write("".join(reviews))
            files[3].write("".join(photos))
            files[4].write("".join(ratings))
            count -= _BLOCK

    def _block(
        self, product: int, said: Phrases, c: int, count: int, *, single: bool
    ) -> tuple[list[str], list[str], list[str]]:
        """``count`` reviews of ``product``, whose characteristics begin at ``c``, with photos and ratings."""
        last, everyone = POOL - 1, self._people
        summaries, openers, middles, closers = said.summaries, said.openers, said.middles, said.closers
        reviews: list[str] = []
        photos: list[str] = []
        ratings: list[str] = []
        review, k = self.reviews, self.ratings
        numbers = self._random.randbytes(_NUMBERS_BYTES * count)
        for o, m, e, s, p, d, dd, x, y, z, v in iter_unpack(_NUMBERS, numbers):
            review += 1
            stars = _RATING[x & 255]
            content = _CONTENT[stars]
            name, address = everyone[p & PEOPLE - 1]
            response = f'"{words.RESPONSES[p % 5]}"' if _RESPONDED[z & 255] else "null"
            reviews.append(
                f"{review},{product},{stars},{_FIRST_DATE_MS + (d << 16 | dd) * _DATE_STEP_MS},"
                f'"{summaries[content][s & last]}",'
                f'"{openers[content][o & last]}{middles[m & last]}{closers[content][e & last]}",'
                f'{_RECOMMENDED[stars][y & 255]},{_REPORTED[y >> 8]},"{name}","{address}",{response},'
                f"{_HELPFULNESS[x >> 8]}\n"
            )
            if shown := _PHOTOS[z >> 8]:
                photos += self._photos(review, v, shown)
            one, two, three, four = _VALUES[v % 625]
            if single:
                k += 1
                ratings.append(f"{k},{c},{review},{one}\n")
            else:
                ratings.append(
                    f"{k + 1},{c},{review},{one}\n{k + 2},{c + 1},{review},{two}\n"
                    f"{k + 3},{c + 2},{review},{three}\n{k + 4},{c + 3},{review},{four}\n"
                )
                k += 4
        self.reviews, self.ratings = review, k
        return reviews, photos, ratings

    def _photos(self, review: int, number: int, count: int) -> Iterator[str]:
        for place in range(count):
            self.photos += 1
            picture = (number * 7 + place * 131) % 4096
            yield f'{self.photos},{review},"https://images.example.com/photo-{picture:04}.jpg?fit=crop&w=975&q=80"\n'


def _product(random: Random, product: int, category: str, nouns: Sequence[str]) -> str:
    name = f"{pick(random, words.STYLES)} {pick(random, words.MATERIALS)} {pick(random, nouns)}"
    slogan = pick(random, words.SLOGANS)
    start = int(random.random() * len(words.DESCRIPTIONS))
    sentences = (words.DESCRIPTIONS * 2)[start : start + 2 + int(random.random() * 2)]
    description = " ".join(sentences)
    price = 15 + int(random.random() ** 2 * 385)
    return f'{product},"{name}","{slogan}","{description}","{category}",{price}\n'


def _review_counts() -> list[int]:
    """10,000 numbers of reviews to draw from: a few zeros, else binomial up to 11, 5.775 in the mean."""
    share = _MEAN_REVIEWS / (1 - _NO_REVIEWS) / _MOST_REVIEWS
    weights = [1.0]
    for number in range(_MOST_REVIEWS):
        weights.append(weights[-1] * (_MOST_REVIEWS - number) / (number + 1) * share / (1 - share))
    counts = [0] * int(10_000 * _NO_REVIEWS)
    total, left, reached = sum(weights), 10_000 - len(counts), 0.0
    for number, weight in enumerate(weights):
        reached += weight
        counts += [number] * (round(10_000 * _NO_REVIEWS) + round(left * reached / total) - len(counts))
    return counts
