"""What all tests share: a real PostgreSQL, started when the first test asks for it."""

import pytest

from consent_service.storage import reader
from tests.support.postgres import postgres_database, postgres_server, postgres_url

__all__ = ["postgres_database", "postgres_server", "postgres_url"]


@pytest.fixture(autouse=True)
def _patient_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy test machine take longer for a lookup than a visitor would wait; tests of the limit set their own."""
    monkeypatch.setattr(reader, "READ_SECONDS", 20.0)
