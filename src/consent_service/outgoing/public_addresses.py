"""Posts to public addresses only: nobody's webhook reaches into the network the service stands in.

A name is resolved here, every address it has must be allowed, and the connection goes to exactly that address, so
that a name cannot be good when it is checked and bad when it is used. TLS still proves the name. No redirect is
followed, no proxy of the environment is used, and of the answer only the status is read.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpcore
import httpx

from consent_service.service.webhook_delivery import DeliveryFailed

SECONDS = 10.0
"""For all of one post: name, connection, TLS, request and the answer's head."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class PublicPoster:
    """Posts one message at a time, over connections that are kept."""

    def __init__(self, networks: Sequence[Network] = (), *, loopback: bool = False) -> None:
        """Allow public addresses, those in `networks`, and the machine's own where `loopback` says so."""
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=None,
            max_keepalive_connections=32,
            keepalive_expiry=30.0,
            network_backend=_Guarded(networks, loopback=loopback),
        )

    async def __call__(self, url: str, fields: Mapping[str, str], body: bytes) -> None:
        """Post a body; anything but an answer 2xx raises DeliveryFailed."""
        own = {"host": _authority(url), "user-agent": "consent-service", "content-length": str(len(body))}
        sent = [*own.items(), *fields.items()]
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._pool.stream("POST", url, headers=sent, content=body) as response,
            ):
                status = response.status
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise DeliveryFailed("timeout") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise DeliveryFailed(_in_a_word(error)) from error
        if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110 §15.3
            raise DeliveryFailed(f"status {status}")

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects where it is allowed."""

    def __init__(self, networks: Sequence[Network], *, loopback: bool) -> None:
        self._networks = networks
        self._loopback = loopback
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of the interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host, all of whose addresses are allowed."""
        addresses = await addresses_of(host, port)
        if not all(map(self._allowed, addresses)):
            raise httpcore.ConnectError("address not allowed")
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)

    def _allowed(self, text: str) -> bool:
        address = _plain(ip_address(text.partition("%")[0]))
        if any(address in network for network in self._networks):
            return True
        if address.is_loopback:
            return self._loopback
        return address.is_global and not address.is_multicast


async def addresses_of(host: str, port: int) -> list[str]:
    """Look a name up; raises OSError where it has no address."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _plain(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 one stands for, if it does (RFC 4291 §2.5.5.2, RFC 6052 §2.1, RFC 3056)."""
    if isinstance(address, IPv4Address):
        return address
    if address in IPv6Network("64:ff9b::/96"):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _authority(url: str) -> str:
    return httpx.URL(url).netloc.decode("ascii")


def _in_a_word(error: BaseException) -> str:
    if "not allowed" in str(error):
        return "address not allowed"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "certificate"
        cause = cause.__cause__ or cause.__context__
    return "connection"


@cache
def _tls() -> ssl.SSLContext:
    # As the other poster has it: the bundled authorities, or those that SSL_CERT_FILE names.
    return httpx.create_ssl_context()
