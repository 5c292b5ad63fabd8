"""The input of a new review, and everything that can be wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import strawberry
from email_validator import EmailNotValidError, validate_email

from graphql_api.mutations.user_error import Problems, UserErrorCode
from graphql_api.schema import identity

MAX_SUMMARY = 60
MIN_BODY, MAX_BODY = 50, 1000
MAX_NAME = 60
MAX_EMAIL = 60
MAX_PHOTOS = 5
MAX_URL = 2000
MAX_CHARACTERISTICS = 100
MAX_KEY = 200
STARS = VALUES = range(1, 6)


@strawberry.input(description="What a new review says of one characteristic.")
class CharacteristicRatingInput:
    """One for each characteristic of the product."""

    characteristic_id: strawberry.ID = strawberry.field(
        description="The global id or the plain number of the characteristic."
    )
    value: int = strawberry.field(description="The value chosen, 1 to 5.")


@strawberry.input(description="A new review. Lengths are in characters, blanks around the text left out.")
class AddReviewInput:
    """As the client sent it."""

    product_id: strawberry.ID = strawberry.field(description="The global id or the plain number of the product.")
    rating: int = strawberry.field(description="The number of stars, 1 to 5.")
    summary: str = strawberry.field(description=f"The review in one line, at most {MAX_SUMMARY} characters.")
    body: str = strawberry.field(description=f"The review itself, {MIN_BODY} to {MAX_BODY} characters.")
    recommended: bool = strawberry.field(description="Whether the reviewer recommends the product.")
    reviewer_name: str = strawberry.field(description=f"The name to show, at most {MAX_NAME} characters.")
    reviewer_email: str = strawberry.field(
        description=f"A valid e-mail address of at most {MAX_EMAIL} characters. It is never shown to anyone."
    )
    photos: list[str] | None = strawberry.field(
        default_factory=list, description=f"At most {MAX_PHOTOS} http or https addresses of pictures."
    )
    characteristics: list[CharacteristicRatingInput] = strawberry.field(
        description="One value for every characteristic of the product, and for no other."
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description=(
            "A key of the client's own for this review, kept for 7 days: sent again with the same input it gives the"
            " same review, with another input CONFLICT. The HTTP header `Idempotency-Key` says the same, for every"
            " `addReview` of its request."
        ),
    )


@dataclass(frozen=True, slots=True)
class NewReview:
    """An input as it is stored: trimmed and checked. ``values`` are by characteristic number."""

    product_id: int
    rating: int
    summary: str
    body: str
    recommended: bool
    reviewer_name: str
    reviewer_email: str
    photos: tuple[str, ...]
    values: Mapping[int, int]


def fingerprint(sent: AddReviewInput, product_id: int) -> bytes:
    """SHA-256 of what ``sent`` asks for: equal for inputs that differ in nothing but blanks around texts and ids."""
    characteristics = sorted(
        (str(identity.own_number("Characteristic", given.characteristic_id, product_id)), given.value)
        for given in sent.characteristics
    )
    content = {
        "productId": product_id,
        "rating": sent.rating,
        "summary": sent.summary.strip(),
        "body": sent.body.strip(),
        "recommended": sent.recommended,
        "reviewerName": sent.reviewer_name.strip(),
        "reviewerEmail": sent.reviewer_email.strip(),
        "photos": [url.strip() for url in sent.photos or ()],
        "characteristics": characteristics,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


def checked(
    sent: AddReviewInput, product_id: int | None, kinds: Mapping[int, str], problems: Problems
) -> NewReview | None:
    """The review that ``sent`` asks for; ``None`` when there are ``problems``, which then hold every one.

    ``product_id`` is ``None`` for an unknown product; ``kinds`` are its characteristics by number.
    """
    if product_id is None:
        problems.add(UserErrorCode.NOT_FOUND, "There is no such product.", "productId")
    if sent.rating not in STARS:
        problems.add(UserErrorCode.OUT_OF_RANGE, f"The rating goes from 1 to 5; it is {sent.rating}.", "rating")
    summary = problems.text(sent.summary, "The summary", "summary", high=MAX_SUMMARY)
    body = problems.text(sent.body, "The review", "body", low=MIN_BODY, high=MAX_BODY)
    name = problems.text(sent.reviewer_name, "The name", "reviewerName", low=1, high=MAX_NAME)
    email = _email(sent.reviewer_email, problems)
    photos = _photos(sent.photos or [], problems)
    values = _values(sent.characteristics, product_id, kinds, problems)
    if problems.found or product_id is None:
        return None
    return NewReview(product_id, sent.rating, summary, body, sent.recommended, name, email, photos, values)


def _email(text: str, problems: Problems) -> str:
    before = len(problems.found)
    email = problems.text(text, "The e-mail address", "reviewerEmail", low=1, high=MAX_EMAIL)
    if len(problems.found) == before:
        try:
            validate_email(email, check_deliverability=False)
        except EmailNotValidError:
            # Neither the address nor the validator's words, which quote it, go into the message.
            problems.add(UserErrorCode.INVALID, "The e-mail address is not a valid one.", "reviewerEmail")
    return email


def _photos(urls: list[str], problems: Problems) -> tuple[str, ...]:
    if len(urls) > MAX_PHOTOS:
        message = f"A review may have at most {MAX_PHOTOS} photos; there are {len(urls)}."
        problems.add(UserErrorCode.TOO_MANY, message, "photos")
        return ()
    return tuple(_photo(url, place, problems) for place, url in enumerate(urls))


def _photo(text: str, place: int, problems: Problems) -> str:
    before = len(problems.found)
    url = problems.text(text, "The photo's address", "photos", str(place), low=1, high=MAX_URL)
    if len(problems.found) == before and not _is_web_address(url):
        message = "The photo's address must start with http:// or https:// and name a host."
        problems.add(UserErrorCode.INVALID, message, "photos", place)
    return url


def _is_web_address(url: str) -> bool:
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return (
            parts.scheme in {"http", "https"}
            and any(sign.isalnum() for sign in host)
            and all(sign.isalnum() or sign in ".-_:" for sign in host)
            and parts.username is None
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:  # a bracket that is not closed, a port that is no number
        return False


def _values(
    given: list[CharacteristicRatingInput], product_id: int | None, kinds: Mapping[int, str], problems: Problems
) -> dict[int, int]:
    values: dict[int, int] = {}
    if len(given) > MAX_CHARACTERISTICS:
        message = f"At most {MAX_CHARACTERISTICS} values can be given; there are {len(given)}."
        problems.add(UserErrorCode.TOO_MANY, message, "characteristics")
        return values
    for place, one in enumerate(given):
        path = ("characteristics", place)
        if one.value not in VALUES:
            problems.add(UserErrorCode.OUT_OF_RANGE, f"The value goes from 1 to 5; it is {one.value}.", *path, "value")
        if product_id is None:
            continue  # whose characteristics they should be is not known
        number = identity.own_number("Characteristic", one.characteristic_id, product_id)
        if number is None or number not in kinds:
            message = "The product has no such characteristic."
            problems.add(UserErrorCode.NOT_FOUND, message, *path, "characteristicId")
        elif number in values:
            message = f"{kinds[number].capitalize()} is rated twice."
            problems.add(UserErrorCode.DUPLICATE, message, *path, "characteristicId")
        else:
            values[number] = one.value
    missing = [kind.capitalize() for number, kind in kinds.items() if number not in values]
    if missing:
        message = f"Every characteristic of the product needs a value; missing: {', '.join(missing)}."
        problems.add(UserErrorCode.REQUIRED, message, "characteristics")
    return values
