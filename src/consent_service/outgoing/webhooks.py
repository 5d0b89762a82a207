"""Posts webhooks. What that takes is loaded with the first one: a tenth of the memory, for those who have endpoints."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consent_service.outgoing.public_addresses import PublicPoster


class Poster:
    """Posts one message at a time, over connections that are kept."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network] = (), *, loopback: bool = False) -> None:
        """Allow public addresses, those in `networks`, and the machine's own where `loopback` says so."""
        self._networks = networks
        self._loopback = loopback
        self._poster: PublicPoster | None = None

    async def __call__(self, url: str, fields: Mapping[str, str], body: bytes) -> None:
        """Post a body; anything but an answer 2xx raises DeliveryFailed."""
        if self._poster is None:
            from consent_service.outgoing.public_addresses import PublicPoster  # noqa: PLC0415 - see above

            self._poster = PublicPoster(self._networks, loopback=self._loopback)
        await self._poster(url, fields, body)

    async def close(self) -> None:
        """Close all connections."""
        if self._poster is not None:
            await self._poster.close()
