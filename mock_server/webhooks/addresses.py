"""Which hosts are this machine, and which addresses no name may lead to."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

IpAddress: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"


def ip_of(text: str) -> IpAddress | None:
    """The address that a text is, IPv4 where it is mapped into IPv6 (RFC 4291 §2.5.5.2); None for a name.

    Only the four decimal numbers of RFC 3986 §3.2.2 are an IPv4 address: other notations (``0177.1``, ``2130706433``)
    mean different hosts to different programs.
    """
    try:
        found = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def is_loopback_name(host: str) -> bool:
    """Whether a host is this machine by its looks: a loopback address, or localhost and what is below it (RFC 6761)."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = ip_of(name)
    return address is not None and address.is_loopback


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    found = ip_of(address)
    return found is not None and found.is_loopback


def is_nobodys(address: str) -> bool:
    """Whether no name should lead to an address: link-local (cloud metadata among it), unspecified, multicast."""
    found = ip_of(address)
    return found is None or found.is_link_local or found.is_unspecified or found.is_multicast
