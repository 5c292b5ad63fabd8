"""No log line holds an e-mail address, wherever it came from."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from graphql_api.telemetry import MaskingFormatter, configure_logging, masked

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
    configure_logging("info")
    logging.getLogger("reviews.part").debug("one")
    logging.getLogger("reviews.part").info("two of %s", ADDRESS)
    logging.getLogger("library").info("three")
    logging.getLogger("library").warning("four")
    lines = [line.split(" ", 2)[2] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["INFO reviews.part: two of ***@***", "WARNING library: four"]
