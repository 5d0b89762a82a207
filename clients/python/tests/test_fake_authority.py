"""The pytest plugin: a fake authority that answers as the service does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consent_client.testing import reasons
from consent_client.testing.authority import FakeAuthority
from consent_client.testing.facts import Facts, all_facts

SHOP_TEST = """
def test_analytics_waits_for_consent(consent_authority):
    client = consent_authority.client()
    visitor = consent_authority.visitor_who_granted("analytical_performance")
    cookies = consent_authority.cookies(visitor)
    assert client.from_state(cookies["consent_state"]).allows("_ga")
    visitor.refuse("analytical_performance")
    assert client.decide(visitor.visitor_id, ["_ga"])["_ga"].reason == "withdrawn"
"""


def test_the_recorded_table_is_what_the_services_rules_say() -> None:
    recorded = (Path(reasons.__file__).parent / "recorded.json").read_text("utf-8")
    assert recorded == reasons.record(), "run python -m consent_client.testing.reasons"


def test_both_sources_answer_every_combination_alike() -> None:
    assert [f for f in all_facts() if reasons.recorded_reason(f) != reasons.service_reason(f)] == []


@pytest.mark.parametrize("missing", [False, True])
def test_the_services_rules_are_used_where_they_are_installed(monkeypatch: pytest.MonkeyPatch, missing: bool) -> None:
    assert reasons.reasons() is reasons.service_reason
    monkeypatch.setattr(reasons, "find_spec", lambda _: None)
    assert reasons.reasons() is reasons.recorded_reason
    assert reasons.reasons()(Facts(choice="granted", separate_missing=missing)) == (
        "separate_consent" if missing else "granted"
    )


def test_a_shop_tests_its_pages_with_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(SHOP_TEST, "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "consent_client.testing.plugin",
        ".",
    ]
    paths = os.pathsep.join(path for path in sys.path if path)
    # Named by hand, so that it is the same plugin whether the package is installed or only lies on the path.
    environment = {**os.environ, "PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr


def test_a_wrong_key_is_told_apart(authority: FakeAuthority) -> None:
    client = authority.client()
    authority.key = "another"
    assert client.decide(authority.visitor_who_granted().visitor_id, ["_ga"]).degraded
