"""The tree of errors. Each carries the data its reader needs; foreign exceptions are translated where they enter."""

from __future__ import annotations


class ReviewsError(Exception):
    """Anything this project raises on purpose."""


class OperatorError(ReviewsError):
    """Something the person at the terminal can put right: one sentence that says what is wrong and what to do."""


class SettingError(OperatorError):
    """An environment variable holds a value that cannot be used."""

    def __init__(self, variable: str, value: str, expected: str) -> None:
        super().__init__(f"{variable}={value!r} cannot be used: expected {expected}.")
        self.variable = variable


class DatabaseUnavailableError(OperatorError):
    """The database cannot be reached, or is not at the revision this build needs."""


class StateError(OperatorError):
    """The state folder cannot be used as it is."""


class ClientError(ReviewsError):
    """Something the GraphQL client can put right. ``code`` goes out as ``extensions.code``."""

    code = "BAD_REQUEST"


class BadUserInputError(ClientError):
    """An argument's value is out of its range or of the wrong form."""

    code = "BAD_USER_INPUT"


class GoneError(ClientError):
    """A thing that an answer was about went away while the answer was made."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, what: str) -> None:
        super().__init__(f"The {what} was removed while the answer was made: ask again.")


class ServiceUnavailableError(ClientError):
    """The database is away or too busy; the same request may succeed later."""

    code = "SERVICE_UNAVAILABLE"


class OverloadedError(ReviewsError):
    """More is asked for at a time than this process does, and than may wait for it."""


class StatementTimeoutError(ClientError):
    """PostgreSQL ended a statement that took too long."""

    code = "TIMEOUT"
