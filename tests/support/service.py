"""A running service for tests: the small shop's policy on a store in memory or on SQLite, with a clock that is moved by hand."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from asgi_lifespan import LifespanManager
from pydantic import SecretStr
from starlette.types import ASGIApp

from consent_service.api.services import Services
from consent_service.config import Settings
from consent_service.domain.vocabulary import Scope
from consent_service.main import create_app
from consent_service.ports import Store
from consent_service.service.identity import Identity
from consent_service.storage.batch_state import Secrets
from consent_service.storage.keyring import Keyring
from consent_service.storage.memory import MemoryStore
from consent_service.storage.migrate import upgrade
from consent_service.storage.postgres import PostgresStore
from tests.support.builders import NOW, VERSION, document

ADDRESS = "https://consent.example"
ORIGIN = "https://shop.example"
BOOTSTRAP = "bootstrap-0123456789-0123456789"
CLIENT = ("203.0.113.9", 40_000)
STRANGER = "ZZZZZZZZZZZZZZZZZZZZZA"
"""A visitor id that the service never minted."""


@dataclass
class MovableClock:
    """A clock that stands still until a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def forward(self, distance: timedelta) -> None:
        """Move on."""
        self.now += distance


@dataclass
class Running:
    """A service that has started, and ways to speak to it."""

    app: ASGIApp
    services: Services
    clock: MovableClock
    address: str = ADDRESS
    keys: dict[tuple[str, Scope], str] = field(default_factory=dict)

    def client(
        self, headers: Mapping[str, str] | None = None, client: tuple[str, int] = CLIENT, address: str | None = None
    ) -> httpx.AsyncClient:
        """Make a caller with a cookie jar of its own."""
        transport = httpx.ASGITransport(self.app, client=client)
        return httpx.AsyncClient(transport=transport, base_url=address or self.address, headers=dict(headers or {}))

    def browser(self, origin: str | None = ORIGIN, **headers: str) -> httpx.AsyncClient:
        """Make a page of the shop in a visitor's browser."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client(named | ({"Origin": origin} if origin else {}))

    def shop(self, key: str = BOOTSTRAP) -> httpx.AsyncClient:
        """Make one of the shop's servers."""
        return self.client({"Authorization": f"Bearer {key}"})

    async def key(self, scope: Scope, site: str = "default") -> str:
        """Make a key of a site, once."""
        if (site, scope) not in self.keys:
            _, self.keys[site, scope] = await self.services.keys.create(site, scope, "test")
        return self.keys[site, scope]

    async def publish(self, **members: object) -> None:
        """Publish another version of the shop's policy, or one of another site."""
        await self.services.publisher.publish(document(**members))


@asynccontextmanager
async def running(
    directory: Path, store: Store | None = None, policy: Mapping[str, object] | None = None, **settings: Any
) -> AsyncIterator[Running]:
    """Run the service on the shop's policy; without a store on SQLite in `directory`."""
    file = directory / "policy.json"
    file.write_text(json.dumps(policy or document()), "utf-8")
    chosen: dict[str, Any] = {
        "database_url": f"sqlite:///{directory / 'consent.db'}",
        "policy": file,
        "keys_dir": directory / "keys",
        "public_url": ADDRESS,
        "bootstrap_key": SecretStr(BOOTSTRAP),
    }
    if store is None:
        upgrade(chosen["database_url"])
    clock = MovableClock()
    parts = {name: settings.pop(name) for name in ("board", "tracer_provider") if name in settings}
    app = create_app(Settings(**chosen | settings), clock=clock, store=store, **parts)
    async with LifespanManager(app) as manager:
        services: Services = manager._state["services"]
        services.limits._seconds = lambda: 0.0  # a window that never ends by itself
        yield Running(manager.app, services, clock)


def memory_store(directory: Path) -> MemoryStore:
    """Make an empty store in memory that uses the keys of `directory`."""
    identity = Identity(Keyring(directory / "keys").mac)
    return MemoryStore(Secrets(identity.pseudonym, lambda: secrets.token_bytes(32)))


async def postgres_store(directory: Path, url: str) -> PostgresStore:
    """Make a store on a PostgreSQL database, brought up to date first, that uses the keys of `directory`."""
    await asyncio.to_thread(upgrade, url)
    identity = Identity(Keyring(directory / "keys").mac)
    return PostgresStore(url, Secrets(identity.pseudonym, lambda: secrets.token_bytes(32)))


def submission(action: str = "accept_all", **members: object) -> dict[str, object]:
    """Give the body of a visitor's answer."""
    return {"action": action, "policy_version": VERSION, "locale": "en", "method": "banner"} | members


def choices(*granted: str) -> dict[str, bool]:
    """Answer all eight categories, these with yes."""
    names = document()["categories"]
    return {name: name in {*granted, "strictly_necessary"} for name in names}


def code(response: httpx.Response) -> str:
    """Give the stable code of a problem."""
    found: str = response.json()["code"]
    return found
