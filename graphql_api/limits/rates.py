"""How often one client may ask for what costs more than a read of a known document."""

from __future__ import annotations

from collections import OrderedDict

BURST_SECONDS = 5
"""A client that was quiet may ask for so many seconds' worth at once: a page that opens asks for several things."""
MOST_CLIENTS = 65_536
"""Clients that are remembered, some 10 MB. Beyond it the one that asked longest ago is forgotten."""


class Rate:
    """At most ``per_second`` by each client, and ``BURST_SECONDS`` times as many at once; 0: as many as it likes.

    The generic cell rate algorithm: one number a client, the time at which it would have used up nothing. Source: ITU-T
    I.371, annex A.
    """

    def __init__(self, per_second: float) -> None:
        self._interval_s = 1 / per_second if per_second else 0.0
        self._burst_s = max(0.0, BURST_SECONDS - self._interval_s)
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, client: str, now_s: float) -> float:
        """0 where ``client`` may go on, and it counts; else the seconds after which it may, and it does not count."""
        if not self._interval_s:
            return 0.0
        free_at = max(self._free_at.get(client, now_s), now_s)
        wait_s = free_at - now_s - self._burst_s
        if wait_s > 0:
            return wait_s
        self._free_at[client] = free_at + self._interval_s
        self._free_at.move_to_end(client)
        if len(self._free_at) > MOST_CLIENTS:
            self._free_at.popitem(last=False)
        return 0.0
