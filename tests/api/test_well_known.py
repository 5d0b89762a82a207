"""The standards' own resources (contract §7; rules.md §5.2, SIG-22)."""

import re
from collections.abc import AsyncIterator
from datetime import date
from hashlib import sha1
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from consent_service import config
from consent_service.config import Settings
from consent_service.domain.errors import PolicyInvalid
from consent_service.domain.policy_document import read_policy
from tests.support.builders import document
from tests.support.service import ADDRESS, ORIGIN, Running, choices, memory_store, running, submission

STATUS = "/.well-known/dnt/"


@pytest.fixture
async def recording(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Open a page of a shop that only records DNT."""
    policy = document(signals={"dnt": "record"})
    async with running(tmp_path, memory_store(tmp_path), policy) as service, service.browser() as page:
        yield page


async def test_gpc_support_is_declared(browser: httpx.AsyncClient) -> None:
    """SIG-22."""
    answer = await browser.get("/.well-known/gpc.json")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["gpc"] is True
    assert date.fromisoformat(answer.json()["lastUpdate"]).year >= 2026


async def test_the_tracking_status_says_who_tracks_and_where_to_object(browser: httpx.AsyncClient) -> None:
    """TSR-01 to TSR-03."""
    answer = await browser.get(STATUS)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/tracking-status+json"
    assert answer.json() == {
        "tracking": "P",
        "controller": ["https://shop.example"],
        "policy": "https://shop.example/privacy",
        "config": "https://shop.example/choices",
    }


@pytest.mark.parametrize("mode", ["record", "respect", "strict"])
@pytest.mark.parametrize("path", [STATUS, STATUS + "v1"])
@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
async def test_whatever_the_policy_says_the_status_is_a_legal_one(
    tmp_path: Path, mode: str, path: str, action: str
) -> None:
    """TSR-02, TSR-03, TSR-07, TSR-09: never `?` or `G`, so that no other answer owes a `Tk`; `config` is always there."""
    policy = document(signals={"dnt": mode})
    async with running(tmp_path, memory_store(tmp_path), policy) as service, service.browser() as page:
        await page.put("/v1/consent", json=submission(action))
        answer = await page.get(path, headers={"DNT": "1"})

    assert re.fullmatch("[PCD]", answer.json()["tracking"])
    assert answer.json()["config"] == "https://shop.example/choices"
    assert "tk" not in answer.headers


@pytest.mark.parametrize("missing", ["privacy_policy", "cookie_settings"])
def test_a_policy_that_could_not_say_where_it_is_described_is_refused(missing: str) -> None:
    """TSR-03, TSR-04: before it is published, whatever its mode."""
    urls = {name: url for name, url in document()["urls"].items() if name != missing}
    with pytest.raises(PolicyInvalid) as refused:
        read_policy(document(urls=urls, signals={"dnt": "record"}))

    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [(f"/urls/{missing}", "missing")]


async def test_a_shop_that_disregards_the_signal_says_so(recording: httpx.AsyncClient) -> None:
    """TSR-04: with the policy that describes it."""
    body = (await recording.get(STATUS)).json()

    assert (body["tracking"], body["policy"]) == ("D", "https://shop.example/privacy")


async def test_a_visitor_who_consented_is_told_so(browser: httpx.AsyncClient) -> None:
    """SIG-08: `C` with `config`, because an explicit choice overrides the signal."""
    written = await browser.put("/v1/consent", json=submission(), headers={"DNT": "1"})
    consented = await browser.get(STATUS, headers={"DNT": "1"})
    await browser.delete("/v1/consent")
    withdrawn = await browser.get(STATUS)

    assert written.headers["tk"] == "U"
    assert (consented.json()["tracking"], "config" in consented.json()) == ("C", True)
    assert withdrawn.json()["tracking"] == "P"


async def test_a_visitor_who_granted_nothing_that_tracks_is_not_told_otherwise(browser: httpx.AsyncClient) -> None:
    await browser.put("/v1/consent", json=submission("custom", choices=choices("functionality", "technical")))

    assert (await browser.get(STATUS)).json()["tracking"] == "P"


@pytest.mark.parametrize(("status_id", "status"), [("v1", 200), ("V1", 404), ("v9", 404), ("v1/x", 404)])
async def test_a_status_id_is_a_version_case_and_all(browser: httpx.AsyncClient, status_id: str, status: int) -> None:
    """TSR-08, TSR-09."""
    answer = await browser.get(STATUS + status_id)

    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    assert answer.json().get("tracking") in {"P", None}


@pytest.mark.parametrize("path", [STATUS, STATUS + "v1", STATUS + "v9", "/.well-known/dnt"])
async def test_a_status_request_leaves_no_trace(
    service: Running, browser: httpx.AsyncClient, visitor: str, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """TSR-05, TSR-06: no cookie on any hop, no event, no log line."""
    caplog.clear()
    answer = await browser.get(path, headers={"DNT": "1", "Sec-GPC": "1"}, follow_redirects=True)

    assert [hop for hop in (*answer.history, answer) if "set-cookie" in hop.headers] == []
    assert [record for record in caplog.records if record.name.startswith("consent_service")] == []
    assert (await service.services.store.log.head("default")).size == 1


async def test_the_status_may_not_be_kept_by_caches(browser: httpx.AsyncClient) -> None:
    answer = await browser.get(STATUS)

    assert (answer.headers["cache-control"], answer.headers["vary"]) == ("private, no-store", "DNT")


async def test_a_shop_that_promises_the_eff_s_policy_serves_it_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TSR-14: a stand-in for the EFF's text, which is not ours to copy."""
    promised = b"A promise.\r\n\xc2\xa7 1\n"
    monkeypatch.setattr(config, "DNT_POLICY_SHA1", sha1(promised, usedforsecurity=False).hexdigest())
    (tmp_path / "dnt-policy.txt").write_bytes(promised)
    async with running(tmp_path, memory_store(tmp_path), dnt_policy=tmp_path / "dnt-policy.txt") as service:
        async with service.browser() as page:
            answer = await page.get("/.well-known/dnt-policy.txt")

    assert (answer.status_code, answer.content) == (200, promised)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("text", "address", "fault"),
    [
        (b"Another promise.\n", ADDRESS, "not the EFF's DNT policy"),
        (None, ADDRESS, "cannot be read"),
        (b"A promise.\n", "http://shop.example", "over https"),
    ],
)
def test_no_other_text_passes_for_the_eff_s_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes | None, address: str, fault: str
) -> None:
    """TSR-14: refused before the service starts; so is a promise that is not made over https."""
    eff = config.DNT_POLICY_SHA1
    monkeypatch.setattr(config, "DNT_POLICY_SHA1", sha1(b"A promise.\n", usedforsecurity=False).hexdigest())
    file = tmp_path / "dnt-policy.txt"
    file.write_bytes(text or b"")
    with pytest.raises(ValidationError, match=fault):
        Settings(dnt_policy=file if text else tmp_path / "absent", public_url=address)

    assert eff == "a18e8dba6848d3fc241b03b88291cb75a3cfec3b"


@pytest.mark.parametrize("path", ["/.well-known/dnt-policy.txt", "/.well-known/other"])
async def test_no_promise_is_made_that_nobody_gave(browser: httpx.AsyncClient, path: str) -> None:
    """TSR-14: a legal promise is off by default."""
    assert (await browser.get(path)).status_code == 404


async def test_whom_to_tell_about_a_weakness(tmp_path: Path) -> None:
    """RFC 9116."""
    async with running(tmp_path, memory_store(tmp_path)) as usual, usual.browser() as page:
        default = await page.get("/.well-known/security.txt")
    contact = "https://shop.example/security"
    async with running(tmp_path, memory_store(tmp_path), security_contact=contact) as named, named.browser() as page:
        chosen = await page.get("/.well-known/security.txt")

    assert default.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Contact: mailto:privacy@shop.example\n" in default.text
    assert f"Contact: {contact}\n" in chosen.text
    assert re.search(r"^Expires: 2027-11-24T09:00:00Z$", default.text, re.MULTILINE)


async def test_well_known_resources_follow_the_page_they_are_asked_from(two_sites: Running) -> None:
    async with two_sites.browser(ORIGIN) as page, two_sites.browser(None) as stranger:
        known, unknown = await page.get(STATUS), await stranger.get(STATUS)

    assert (known.status_code, unknown.status_code) == (200, 404)
