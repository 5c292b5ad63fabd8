"""An embedded PostgreSQL that ended by itself, after a kill or with its disk full, is started again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.errors import StateError

LOOK_S = 0.5
"""Seconds between two looks."""

LONGEST_PAUSE_S = 4.0
"""What does not start is tried again after a pause that doubles up to this: within 5 s of the disk having room."""


@contextmanager
def kept_up(server: EmbeddedPostgres, say: Callable[[str], None]) -> Iterator[None]:
    """Look after ``server``, which runs, for the time of the context. ``say`` takes a line for the person."""
    over = threading.Event()

    def keep() -> None:
        pause = LOOK_S
        while not over.wait(pause):
            if not server.has_ended():
                pause = LOOK_S
                continue
            try:
                if server.start_again():
                    say("PostgreSQL had ended and was started again.")
            except StateError as error:
                pause = min(pause * 2, LONGEST_PAUSE_S)
                say(f"{error} It is tried again in {pause:g} s.")

    keeping = threading.Thread(target=keep, name="PostgreSQL", daemon=True)
    keeping.start()
    try:
        yield
    finally:
        over.set()
        keeping.join()
