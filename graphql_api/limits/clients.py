"""Who asks: the address by which a client is counted."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# What one subscriber of IPv6 has: counted by single addresses, he would never reach a limit.
_SUBSCRIBER_BITS = 64


class Clients:
    """Tells clients apart. ``trusted`` are the networks whose ``X-Forwarded-For`` is believed: proxies, the edge."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        # Bounded: whoever may write addresses into the header may write many.
        self._believed = lru_cache(maxsize=1024)(self._is_trusted)

    def of(self, peer: str | None, forwarded_for: bytes | None) -> str:
        """The client behind ``peer``, the other end of the connection: an IPv4 address or an IPv6 network of /64.

        Of ``forwarded_for`` the last address counts that no trusted proxy has: those before it are the client's words.
        """
        client = peer or "unknown"
        if forwarded_for and self._believed(client):
            for hop in reversed(forwarded_for.decode("latin-1").split(",")):
                address = _address(hop.strip())
                if address is None:
                    break
                client = hop.strip()
                if not self._believed(client):
                    break
        return _counted(client)

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _counted(text: str) -> str:
    address = _address(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), _SUBSCRIBER_BITS), strict=False))
    return str(address) if address is not None else text
