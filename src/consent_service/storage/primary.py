"""Finds the PostgreSQL that may be written to among the hosts that a URL names (`postgresql://one,two:5433/consent`).

A standby is never used, not even where its host is the only one named: what it answers may be out of date, and a
decision must not be. All hosts are tried side by side, so one that has vanished does not delay finding its successor.
"""

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg

Connection = Any
"""The driver's connection; it brings no types of its own."""

_CHOSEN_HERE = "target_session_attrs"


def addresses(url: str) -> tuple[str, ...]:
    """Give the URL of each host, in the order named."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] != _CHOSEN_HERE])
    tail = f"{parts.path}?{query}" if query else parts.path
    return tuple(f"postgresql://{login}{at}{host}{tail}" for host in hosts.split(","))


async def connect_to_primary(url: str, *, seconds: float, **options: Any) -> Connection:
    """Connect to the primary within so many seconds; `options` are the driver's own.

    Raises the driver's errors, OSError and TimeoutError; where only standbys answer, ConnectionError.
    """
    async with asyncio.timeout(seconds):
        tries = [asyncio.create_task(_connect(address, options)) for address in addresses(url)]
        try:
            return await _first(tries)
        finally:
            for late in tries:
                late.cancel()


async def _first(tries: "list[asyncio.Task[Connection]]") -> Connection:
    failed: BaseException | None = None
    waiting = set(tries)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        chosen = [one for one in done if one.exception() is None]
        for spare in chosen[1:]:
            spare.result().terminate()
        if chosen:
            return chosen[0].result()
        failed = done.pop().exception()
    raise failed or ConnectionError("the URL names no host")


async def _connect(address: str, options: dict[str, Any]) -> Connection:
    try:
        return await asyncpg.connect(address, target_session_attrs="primary", **options)
    except asyncpg.TargetServerAttributeNotMatched as error:
        raise ConnectionError("only a standby answers there, and a standby is never asked") from error
