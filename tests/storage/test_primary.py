"""The primary is found among several hosts; a standby, whose answers may be old, is never asked."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from consent_service.domain.errors import StoreUnavailable
from consent_service.storage.batch_state import Secrets
from consent_service.storage.migrate import upgrade
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.primary import addresses
from tests.storage.changes import answering, visitor
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer
from tests.support.tcp_proxy import Fault, TcpProxy, proxying


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://u:p%40ss@one,two:5433/db",
            ("postgresql://u:p%40ss@one/db", "postgresql://u:p%40ss@two:5433/db"),
        ),
        ("postgresql://[::1]:5433,two/db", ("postgresql://[::1]:5433/db", "postgresql://two/db")),
        ("postgresql+asyncpg://one/db", ("postgresql://one/db",)),
        ("postgresql://one/db?sslmode=require&target_session_attrs=any", ("postgresql://one/db?sslmode=require",)),
    ],
)
def test_a_url_may_name_several_hosts(url: str, expected: tuple[str, ...]) -> None:
    assert addresses(url) == expected


@pytest.fixture
def standby(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """Run a standby with the data that the primary has now."""
    upgrade(postgres_server.url)
    postgres_server.stop()
    other = PostgresServer()
    try:
        shutil.copytree(postgres_server.data, other.data)
        (other.data / "standby.signal").touch()
        for path in (other.data, *other.data.rglob("*")):
            other.account.take(path)
        other.start()
        postgres_server.start()
        yield other
    finally:
        other.remove()


@pytest.fixture
async def unreachable() -> AsyncIterator[TcpProxy]:
    """Give a host whose packets go nowhere."""
    async with proxying(lambda: ("127.0.0.1", 1)) as proxy:
        proxy.fault = Fault.BLACK_HOLE
        yield proxy


def hosts(*ports: int) -> str:
    return f"postgresql://postgres@{','.join(f'127.0.0.1:{port}' for port in ports)}/postgres"


def port(server: PostgresServer) -> int:
    return urlsplit(server.url).port or 0


async def test_a_standby_alone_is_no_store(
    postgres_server: PostgresServer, standby: PostgresServer, made_with: Secrets
) -> None:
    store = PostgresStore(hosts(port(standby)), made_with)
    await store.start()
    try:
        with pytest.raises(StoreUnavailable):
            await store.ping()
        with pytest.raises(StoreUnavailable):
            await store.visitors.get("default", visitor(1))
        with pytest.raises(StoreUnavailable):
            await store.writer.submit(answering(visitor(1)))
    finally:
        await store.stop()


async def test_the_primary_is_found_behind_hosts_that_are_down_silent_or_standbys(
    postgres_server: PostgresServer, standby: PostgresServer, unreachable: TcpProxy, made_with: Secrets, tmp_path: Path
) -> None:
    url = hosts(unreachable.port, free_port(), port(standby), port(postgres_server))
    assert await asyncio.to_thread(upgrade, url)
    store = PostgresStore(url, made_with)
    await store.start()
    try:
        await store.writer.submit(answering(visitor(1)))
        assert await store.visitors.get("default", visitor(1))
    finally:
        await store.stop()
