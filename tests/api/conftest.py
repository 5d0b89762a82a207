"""The service under test and those who speak to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.service import Running, memory_store, running, submission


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service on a store in memory."""
    async with running(tmp_path, memory_store(tmp_path)) as started:
        yield started


@pytest.fixture(params=["memory", "sqlite"])
async def any_service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service on a store in memory, then on SQLite."""
    store = {"memory": memory_store(tmp_path), "sqlite": None}[request.param]
    async with running(tmp_path, store) as started:
        yield started


@pytest.fixture
async def two_sites(service: Running) -> Running:
    """Give a service with the sites `default` and `other`."""
    await service.publish(site="other", origins=["https://other.example"])
    return service


@pytest.fixture
async def browser(service: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Open a page of the shop in a fresh browser."""
    async with service.browser() as client:
        yield client


@pytest.fixture
async def shop(service: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Connect the shop's server, with a key of every scope."""
    async with service.shop() as client:
        yield client


@pytest.fixture
async def visitor(browser: httpx.AsyncClient) -> str:
    """Mint a visitor who accepted everything in `browser`; gives the id."""
    answer = await browser.put("/v1/consent", json=submission())
    found: str = answer.json()["visitor_id"]
    return found
