"""No log line holds an e-mail address, wherever it came from."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from graphql_api.telemetry import JsonFormatter, MaskingFormatter, configure_logging, masked

ADDRESS = "ada.lovelace+shop@post.example.co.uk"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a logger called ``test`` writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(MaskingFormatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("test")
    logger.addHandler(handler)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)
    logger.propagate = True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"to {ADDRESS}", "to ***@***"),
        (f"'{ADDRESS}', \"{ADDRESS}\"", "'***@***', \"***@***\""),
        (f"<{ADDRESS}>", "<***@***>"),
        (f"email={ADDRESS};", "email=***@***;"),
        (f"Key (email)=({ADDRESS}) already exists.", "Key (email)=(***@***) already exists."),
        ("jürgen@müller.example, a@b", "***@***, ***@***"),
        ("12 @ 3 and @decorator", "12 @ 3 and @decorator"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_an_address_is_masked_and_nothing_else(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_an_address_in_the_message_is_masked(written: io.StringIO) -> None:
    logging.getLogger("test").warning(f"refused {ADDRESS}")  # noqa: G004 - the message itself holds it
    assert written.getvalue() == "WARNING test: refused ***@***\n"


def test_an_address_in_the_arguments_is_masked(written: io.StringIO) -> None:
    logging.getLogger("test").warning("refused %s of %r", ADDRESS, {"reviewer_email": ADDRESS})
    assert written.getvalue() == "WARNING test: refused ***@*** of {'reviewer_email': '***@***'}\n"


def _fail() -> None:
    try:
        int(ADDRESS)
    except ValueError as error:
        raise RuntimeError(f"row of {ADDRESS}") from error


def test_an_address_in_a_traceback_is_masked(written: io.StringIO) -> None:
    try:
        _fail()
    except RuntimeError:
        logging.getLogger("test").exception("broken")
    first, *middle, last = written.getvalue().splitlines()
    assert (first, last) == ("ERROR test: broken", "RuntimeError: row of ***@***")
    assert "ValueError: invalid literal for int() with base 10: '***@***'" in middle
    assert ADDRESS not in written.getvalue()


@pytest.fixture
def objects(written: io.StringIO) -> Any:
    """Gives the JSON objects that a logger called ``test`` has written."""
    (handler,) = logging.getLogger("test").handlers
    handler.setFormatter(JsonFormatter())
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_in_json_has_time_level_logger_message_and_the_fields_of_its_record(objects: Any) -> None:
    logging.getLogger("test").warning("%d of %s", 2, "many", extra={"fields": {"cost": 7, "operation": None}})
    (line,) = objects()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert line == {"level": "warning", "logger": "test", "message": "2 of many", "cost": 7, "operation": None}


def test_in_json_an_address_is_masked_wherever_it_is(objects: Any, written: io.StringIO) -> None:
    fields = {"who": ADDRESS, "inner": [{"of": f"<{ADDRESS}>\nnext"}], "unusual": {ADDRESS}}
    try:
        _fail()
    except RuntimeError:
        logging.getLogger("test").exception("first\n%s", ADDRESS, extra={"fields": fields})
    (line,) = objects()
    assert (line["message"], line["who"]) == ("first\n***@***", "***@***")
    assert (line["inner"], line["unusual"]) == ([{"of": "<***@***>\nnext"}], "{'***@***'}")
    first, *_, last = line["traceback"].splitlines()
    assert (first, last) == ("Traceback (most recent call last):", "RuntimeError: row of ***@***")
    assert ADDRESS not in written.getvalue()


def test_in_json_half_a_character_is_replaced_and_the_line_is_written(objects: Any) -> None:
    # Past the logger: pytest would take it too, and cannot tell it to its other process.
    logging.getLogger("test").handlers[0].handle(logging.makeLogRecord({"msg": "broken \ud800"}))
    assert [line["message"] for line in objects()] == ["broken ?"]


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("reviews")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.mark.usefixtures("_logging_as_it_was")
def test_ours_are_written_from_the_level_that_is_set_and_those_of_libraries_from_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # configure_logging closes what it replaces: the handlers of pytest are put aside first.
    logging.getLogger().handlers[:] = []
    configure_logging("info", "text")
    logging.getLogger("reviews.part").debug("one")
    logging.getLogger("reviews.part").info("two of %s", ADDRESS)
    logging.getLogger("library").info("three")
    logging.getLogger("library").warning("four")
    lines = [line.split(" ", 2)[2] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["INFO reviews.part: two of ***@***", "WARNING library: four"]


@pytest.mark.usefixtures("_logging_as_it_was")
def test_lines_are_objects_where_json_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().handlers[:] = []
    configure_logging("info", "json")
    logging.getLogger("reviews").info("to %s", ADDRESS)
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["logger"], line["message"]) == ("info", "reviews", "to ***@***")


class RefusedError(Exception):
    """As a driver raises it."""

    detail = "Failing row contains (1, what a shopper\nwrote)."

    def __str__(self) -> str:
        return f"a row is refused\nDETAIL:  {self.detail}"


@pytest.mark.parametrize("formatter", [MaskingFormatter("%(message)s"), JsonFormatter()])
@pytest.mark.parametrize(
    "error", [RefusedError(), ValueError("invalid input for query argument $1: 'what a shopper\nwrote' (expected int)")]
)
def test_values_that_an_error_or_its_cause_quotes_are_not_written(
    formatter: logging.Formatter, error: Exception
) -> None:
    try:
        try:
            raise error  # noqa: TRY301 - that is the case
        except Exception as cause:
            raise RuntimeError(f"wrapped: {cause}") from cause
    except RuntimeError as raised:
        told = (RuntimeError, raised, raised.__traceback__)
        text = formatter.format(logging.LogRecord("reviews", logging.ERROR, "", 0, "failed", (), told))
    assert "shopper" not in text
    assert text.count("***") == 2
