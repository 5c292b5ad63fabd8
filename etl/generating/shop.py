"""The rows of a made-up shop, in the shapes of the full export: the same seed, the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from struct import iter_unpack
from typing import NamedTuple, Protocol

from etl.generating import words
from etl.generating.dialects import DATE_STEP_MS, FIRST_DATE_MS, STEPS_A_DAY, Dialect
from etl.generating.phrases import PEOPLE, POOL, Phrases, people, phrases, pick

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
_RECOMMENDED = (0, 55, 65, 75, 87, 93)  # percent by stars: 75 % altogether
_REPORTED = 1.5
_RESPONDED = [True] * 31 + [False] * 225
_PHOTOS = [0] * 167 + [1] * 67 + [2] * 15 + [3] * 4 + [4] * 2 + [5]
_CONTENT = (0, 0, 0, 1, 2, 2)
_VALUES = [tuple(str(1 + number // 5**place % 5) for place in range(4)) for number in range(625)]


class Block(NamedTuple):
    """Reviews of one product with what belongs to them: lines in the order of their numbers, which are dense."""

    product: int
    first_review: int
    first_characteristic: int
    characteristics: int
    """How many the product has. Each review rates each of them, in their order."""
    reviews: list[str]
    photos: list[str]
    ratings: list[str]
    """An entry holds the ratings of one review."""


class Shelf(Protocol):
    """Where the rows go."""

    def put_product(self, number: int, row: str, first_characteristic: int, characteristics: list[str], /) -> None:
        """Take a product with its characteristics."""

    def put_reviews(self, block: Block, /) -> None:
        """Take reviews of the product that was put last."""


class Shop:
    """The state of a run: the random numbers, the text pools, and the last number given in each file."""

    def __init__(self, seed: int, dialect: Dialect) -> None:
        self._random = Random(seed)  # noqa: S311 - made-up text, not secrets
        self._people = people(self._random)
        self._phrases = {
            category: phrases(self._random, item, plural=plural)
            for group in words.CATEGORIES.values()
            for category, item, plural, _ in group
        }
        self._review_counts = _review_counts()
        self._dialect = dialect
        self._recommended = [_booleans(dialect, share) for share in _RECOMMENDED]
        self._reported = _booleans(dialect, _REPORTED)
        self.products = self.characteristics = self.reviews = self.photos = self.ratings = 0

    def make_product(self, shelf: Shelf, more_reviews: int) -> None:
        """Put the next product and all that belongs to it on ``shelf``."""
        random = self._random
        self.products += 1
        product = self.products
        chance = random.random()
        group = words.CLOTHES if chance < _CLOTHES else words.SHOES if chance < _CLOTHES_OR_SHOES else words.ACCESSORIES
        group = _FIRST_GROUPS.get(product, group)
        category, _, _, nouns = words.CATEGORIES[group][int(random.random() * len(words.CATEGORIES[group]))]
        row = _product(random, product, category, nouns)
        names = words.CHARACTERISTICS[group]
        first = self.characteristics + 1
        characteristics = [f'{first + place},{product},"{name}"\n' for place, name in enumerate(names)]
        self.characteristics += len(names)
        shelf.put_product(product, row, first, characteristics)
        count = self._review_counts[int(random.random() * len(self._review_counts))] + more_reviews
        while count > 0:
            shelf.put_reviews(self._block(product, self._phrases[category], first, len(names), min(count, _BLOCK)))
            count -= _BLOCK

    def _block(self, product: int, said: Phrases, c: int, characteristics: int, count: int) -> Block:
        """``count`` reviews of ``product``, whose characteristics begin at ``c``, with photos and ratings."""
        last, everyone, single = POOL - 1, self._people, characteristics == 1
        summaries, openers, middles, closers = said.summaries, said.openers, said.middles, said.closers
        recommended, reported = self._recommended, self._reported
        days, no_response = self._dialect.days, self._dialect.no_response
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
            step = d << 16 | dd
            date = days[step // STEPS_A_DAY] if days else FIRST_DATE_MS + step * DATE_STEP_MS
            response = f'"{words.RESPONSES[p % 5]}"' if _RESPONDED[z & 255] else no_response[z & 1]
            reviews.append(
                f"{review},{product},{stars},{date},"
                f'"{summaries[content][s & last]}",'
                f'"{openers[content][o & last]}{middles[m & last]}{closers[content][e & last]}",'
                f'{recommended[stars][y & 255]},{reported[y >> 8]},"{name}","{address}",{response},'
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
        block = Block(product, self.reviews + 1, c, characteristics, reviews, photos, ratings)
        self.reviews, self.ratings = review, k
        return block

    def _photos(self, review: int, number: int, count: int) -> Iterator[str]:
        for place in range(count):
            self.photos += 1
            picture = (number * 7 + place * 131) % 4096
            yield f'{self.photos},{review},"https://images.example.com/photo-{picture:04}.jpg?fit=crop&w=975&q=80"\n'


def _booleans(dialect: Dialect, percent: float) -> list[str]:
    """A table that turns a random byte into true or false, ``percent`` of the bytes into true."""
    return [(dialect.yes if byte < percent * 2.56 else dialect.no)[byte & 1] for byte in range(256)]


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
