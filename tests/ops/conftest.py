"""The dashboard under test, and staff who look at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from consent_service.domain.vocabulary import Scope
from tests.support.busy_shop import SETTINGS
from tests.support.service import Running, memory_store, running

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service on a store in memory."""
    async with running(tmp_path, memory_store(tmp_path), **SETTINGS) as started:
        yield started


@asynccontextmanager
async def log_in(
    service: Running, scope: Scope = Scope.AUDIT, site: str = "default"
) -> AsyncIterator[httpx.AsyncClient]:
    """Open the browser of one of the staff, logged in with a key of this scope."""
    async with service.client(SAME_ORIGIN) as client:
        answer = await client.post("/ops/login", data={"key": await service.key(scope, site)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/ops")
        yield client


@pytest.fixture
async def auditor(service: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Open the browser of an auditor who is logged in."""
    async with log_in(service) as client:
        yield client
