"""Who is at the other end of a connection, through proxies that are trusted and no others."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

UNKNOWN = "unknown"


def peer_trusted(connection: HTTPConnection, trusted: Sequence[Network]) -> bool:
    """Tell whether the connection comes from a trusted proxy, whose headers about the visitor are believed."""
    peer = _address(connection.client.host) if connection.client else None
    return peer is not None and any(peer in network for network in trusted)


def client_bucket(connection: HTTPConnection, trusted: Sequence[Network]) -> str:
    """Name the client for counting its requests, and for nothing else: IPv4 address or IPv6 /64 network.

    Walks X-Forwarded-For from the right over trusted proxies; the first other address is the client.
    """
    if connection.client is None:
        return UNKNOWN
    hops = [connection.client.host]
    for field in reversed(connection.headers.getlist("x-forwarded-for")):
        hops += [hop.strip() for hop in reversed(field.split(","))]
    address: Address | None = None
    for hop in hops:
        parsed = _address(hop)
        if parsed is None:
            break
        address = parsed
        if not any(parsed in network for network in trusted):
            break
    if address is None:
        return UNKNOWN
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


def is_loopback(connection: HTTPConnection) -> bool:
    """Tell whether the caller is on this machine."""
    peer = _address(connection.client.host) if connection.client else None
    return peer is not None and peer.is_loopback


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
