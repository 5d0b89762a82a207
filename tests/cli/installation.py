"""An installation on disk, as its operator sees it: settings, commands and what they print."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from click.testing import CliRunner, Result

from consent_service.cli import root
from tests.support.service import ADDRESS, Running, running

Use = Callable[[Running], Awaitable[None]]


@dataclass(frozen=True)
class Installation:
    """One directory with a SQLite file and keys."""

    directory: Path

    @property
    def database(self) -> Path:
        """Give the SQLite file."""
        return self.directory / "consent.db"

    @property
    def settings(self) -> dict[str, str]:
        """Give the settings as environment variables."""
        return {
            "CONSENT_DATABASE_URL": f"sqlite:///{self.database}",
            "CONSENT_KEYS_DIR": str(self.directory / "keys"),
            "CONSENT_PUBLIC_URL": ADDRESS,
        }

    def run(self, *arguments: str, **settings: str) -> Result:
        """Run a command; gives exit status and output."""
        found = CliRunner(env=self.settings | settings).invoke(root.cli, list(arguments))
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found

    def serve(self, use: Use, at: datetime | None = None) -> None:
        """Start the service, use it at a moment, and stop it."""

        async def work() -> None:
            async with running(self.directory) as service:
                service.clock.now = at or service.clock.now
                await use(service)

        asyncio.run(work())
