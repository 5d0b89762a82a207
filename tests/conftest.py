"""What all tests share: a real PostgreSQL and a real Chromium, each started when a test asks for it."""

import os

import pytest
from hypothesis import HealthCheck, settings

from consent_service.service import decisions
from consent_service.storage import reader
from tests.support.chromium import chromium, chromium_context, chromium_page
from tests.support.postgres import postgres_database, postgres_server, postgres_url

__all__ = ["chromium", "chromium_context", "chromium_page", "postgres_database", "postgres_server", "postgres_url"]

# No deadlines: tests state no timings, and test machines are shared. In CI a change meets the same examples each time.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("local", _PATIENT)
settings.register_profile("ci", _PATIENT, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(autouse=True)
def _patient_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy test machine take longer for a lookup than a visitor would wait; tests of the limit set their own."""
    monkeypatch.setattr(reader, "READ_SECONDS", 20.0)
    monkeypatch.setattr(decisions, "ANSWER_SECONDS", 20.0)
