"""The link in every mail by which its reader withdraws without logging in (TRK-04; RFC 8058; CNIL 2026-042)."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent_service.domain.vocabulary import Scope
from tests.support.builders import document
from tests.support.service import STRANGER, Running, code, memory_store, running, submission

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
MAIL_PIXEL = "mail_open_individual"


async def link_to(shop: httpx.AsyncClient, visitor: str) -> str:
    """Ask as the shop's mailer for a visitor's link; gives its path."""
    answer = await shop.get(f"/v1/visitors/{visitor}/withdrawal-link")
    return urlsplit(answer.json()["url"]).path


async def reasons(shop: httpx.AsyncClient, visitor: str) -> tuple[str, str]:
    """Give the reasons for the pixel in mails and for statistics on the web."""
    asked = {"visitor_id": visitor, "region": "FR", "trackers": [MAIL_PIXEL], "categories": ["statistical"]}
    mail, web = (await shop.post("/v1/decisions", json=asked)).json()["decisions"]
    return mail["reason"], web["reason"]


async def revision(shop: httpx.AsyncClient, visitor: str) -> int:
    """Give the revision of the visitor's record."""
    found: int = (await shop.get(f"/v1/visitors/{visitor}/consent")).json()["revision"]
    return found


@pytest.fixture
async def reader(browser: httpx.AsyncClient, visitor: str) -> str:
    """Mint a visitor who accepted everything, in mails as well."""
    await browser.put("/v1/consent", json=submission(channel="email"))
    return visitor


@pytest.fixture
async def stranger(service: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Open a browser that has no cookie and comes from no page: a mail program, or a scanner of links."""
    async with service.browser(origin=None, Sec_Fetch_Site="cross-site") as client:
        yield client


@pytest.mark.parametrize("scope", [Scope.DECIDE, Scope.MANAGE])
async def test_the_shop_s_mailer_gets_a_link_and_the_header_fields(service: Running, scope: Scope) -> None:
    """TRK-04: for a decision's price, and alike for a visitor whom nobody knows."""
    async with service.shop(await service.key(scope)) as mailer:
        answer = await mailer.get(f"/v1/visitors/{STRANGER}/withdrawal-link")
    body = answer.json()

    assert answer.status_code == 200
    assert re.fullmatch(rf"https://consent\.example/withdraw/w1\.default\.{STRANGER}\.[\w-]{{43}}", body["url"])
    assert body["headers"] == {
        "List-Unsubscribe": f"<{body['url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_following_the_link_shows_a_page_and_changes_nothing(
    shop: httpx.AsyncClient, stranger: httpx.AsyncClient, reader: str, method: str
) -> None:
    """TRK-04: scanners of mails follow every link, some with HEAD."""
    before = await revision(shop, reader)
    answer = await stranger.request(method, await link_to(shop, reader), headers={"DNT": "1", "Sec-GPC": "1"})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert not {"set-cookie", "tk"} & set(answer.headers)
    assert (await revision(shop, reader), await reasons(shop, reader)) == (before, ("granted", "granted"))


async def test_the_page_runs_nothing_and_says_nothing_about_the_reader(
    shop: httpx.AsyncClient, stranger: httpx.AsyncClient, reader: str
) -> None:
    """TRK-04: one form, no script, no request to another host, not kept and not indexed."""
    page = await stranger.get(await link_to(shop, reader))
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))

    assert policy == {
        "default-src": "'none'", "style-src": "'self'", "img-src": "data:", "form-action": "'self'",
        "base-uri": "'none'", "frame-ancestors": "'none'",
    }  # fmt: skip
    assert page.text.count('<form method="post">') == 1
    assert not re.search(rf"<script|://|style=|{reader}", page.text)
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("private, no-store", "no-referrer")
    assert page.headers["x-robots-tag"] == "noindex"


@pytest.mark.parametrize("encoding", ["data", "files"])
async def test_one_click_in_a_mail_program_stops_tracking_in_mails(
    shop: httpx.AsyncClient, stranger: httpx.AsyncClient, reader: str, encoding: str
) -> None:
    """TRK-04, TRK-03: in either encoding of RFC 8058, without cookie, login or page; the web is another choice."""
    form = {"data": {"data": ONE_CLICK}, "files": {"files": {name: (None, value) for name, value in ONE_CLICK.items()}}}
    path = await link_to(shop, reader)
    first = await stranger.post(path, **form[encoding])
    second = await stranger.post(path, **form[encoding])

    assert [answer.status_code for answer in (first, second)] == [200, 200]
    assert [answer.headers.get("tk") for answer in (first, second)] == ["U", None]
    assert await reasons(shop, reader) == ("withdrawn", "granted")


async def test_the_reader_may_withdraw_everything_with_the_same_page(
    shop: httpx.AsyncClient, stranger: httpx.AsyncClient, reader: str
) -> None:
    """TRK-04, CON-06: the page's second button; recorded with how it was done."""
    answer = await stranger.post(await link_to(shop, reader), data={"withdraw": "everything"})
    history = (await shop.get(f"/v1/visitors/{reader}/history")).json()["events"]

    assert "has been withdrawn" in answer.text
    assert await reasons(shop, reader) == ("withdrawn", "withdrawn")
    assert (history[-1]["event_type"], history[-1]["method"]) == ("withdrawn", "withdraw_link")


async def test_where_the_mail_program_stands_is_not_where_the_reader_is(shop: httpx.AsyncClient, reader: str) -> None:
    """TRK-04, REG-09: the place on record stays."""
    await shop.put(f"/v1/visitors/{reader}/consent?region=FR", json=submission(method="api"))
    await shop.post(await link_to(shop, reader), data=ONE_CLICK)
    history = (await shop.get(f"/v1/visitors/{reader}/history")).json()["events"]

    assert [event["region"] for event in history[-2:]] == ["FR", "FR"]


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t[:-1] + "!", lambda t: t.replace("w1.", "w2."), lambda t: t.swapcase()]
)
async def test_a_link_that_is_not_genuine_leads_nowhere(
    shop: httpx.AsyncClient, stranger: httpx.AsyncClient, reader: str, change: object
) -> None:
    """TRK-04: signed; a guessed or damaged one shows nothing and withdraws nothing."""
    assert callable(change)
    path = "/withdraw/" + change((await link_to(shop, reader)).removeprefix("/withdraw/"))
    shown, posted = await stranger.get(path), await stranger.post(path, data=ONE_CLICK)

    assert [(answer.status_code, code(answer)) for answer in (shown, posted)] == [(404, "not-found")] * 2
    assert await reasons(shop, reader) == ("granted", "granted")


async def test_a_link_withdraws_for_its_own_visitor_and_site_alone(
    two_sites: Running, shop: httpx.AsyncClient, stranger: httpx.AsyncClient, reader: str
) -> None:
    """TRK-04: another id or another site needs another signature."""
    path = await link_to(shop, reader)
    forged = [path.replace(reader, STRANGER), path.replace("w1.default.", "w1.other.")]
    async with two_sites.shop(await two_sites.key(Scope.DECIDE, "other")) as other:
        foreign = await link_to(other, reader)
    answers = [await stranger.post(one, data=ONE_CLICK) for one in (*forged, foreign)]

    assert [answer.status_code for answer in answers] == [404, 404, 200]
    assert await reasons(shop, reader) == ("granted", "granted")


async def test_an_erased_reader_s_link_is_answered_like_any_other(
    shop: httpx.AsyncClient, stranger: httpx.AsyncClient, reader: str
) -> None:
    """TRK-04: nothing is left to withdraw, and nobody learns so."""
    path = await link_to(shop, reader)
    await shop.delete(f"/v1/visitors/{reader}")
    answer = await stranger.post(path, data=ONE_CLICK)

    assert (answer.status_code, "tk" in answer.headers) == (200, False)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"", 422),
        ("application/x-www-form-urlencoded", b"withdraw=nothing", 422),
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=Two-Clicks", 422),
        ("multipart/form-data", b"List-Unsubscribe=One-Click", 422),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--", 422),
        ("application/json", b'{"withdraw": "email"}', 415),
        ("", b"withdraw=email", 415),
        ("application/x-www-form-urlencoded", b"a" * 20_000, 413),
    ],
)
async def test_a_form_that_says_nothing_is_refused(
    shop: httpx.AsyncClient, stranger: httpx.AsyncClient, reader: str, content_type: str, body: bytes, status: int
) -> None:
    """TRK-04: a problem, never an error of ours."""
    path = await link_to(shop, reader)
    answer = await stranger.post(path, content=body, headers={"Content-Type": content_type})

    assert answer.status_code == status
    assert await reasons(shop, reader) == ("granted", "granted")


@given(kind=st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]), body=st.binary())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_no_form_whatever_is_an_error_of_ours(service: Running, kind: str, body: bytes) -> None:
    """TRK-04."""
    path = urlsplit(service.services.withdrawal_links.url("default", STRANGER)).path
    async with service.client() as client:
        answer = await client.post(path, content=b"--x\r\n" + body, headers={"Content-Type": kind})

    assert answer.status_code in {200, 422}


@pytest.mark.parametrize(
    ("asked", "header", "language", "word"),
    [
        ("de", "fr", "de", "Einwilligung widerrufen"),
        (None, "fr-CA, en;q=0.5", "fr", "Retirer votre consentement"),
        (None, "sv", "en", "Withdraw your consent"),
        ("ar", None, "ar", 'dir="rtl"'),
    ],
)
async def test_the_page_speaks_the_policy_s_languages(
    tmp_path: Path, asked: str | None, header: str | None, language: str, word: str
) -> None:
    """TRK-04: our words, or the policy's own."""
    tags = ["en", "de", "fr", "ar"]
    every = {"languages": {"default": "en", "available": tags}, "texts": texts(tags)}
    async with running(tmp_path, memory_store(tmp_path), translated(every, tags)) as service, service.client() as page:
        path = urlsplit(service.services.withdrawal_links.url("default", STRANGER)).path
        query = {} if asked is None else {"lang": asked}
        answer = await page.get(path, params=query, headers={} if header is None else {"Accept-Language": header})

    assert answer.headers["content-language"] == language
    assert word in answer.text


async def test_the_policy_s_own_words_stand_before_ours(tmp_path: Path) -> None:
    """TRK-04: and what they hold is text, never markup."""
    own = document()
    own["texts"]["en"] |= {"withdraw_page_title": "Stop <b>now</b> & here"}
    own["controller"]["name"] = "<Shop>"
    async with running(tmp_path, memory_store(tmp_path), own) as service, service.client() as page:
        answer = await page.get(urlsplit(service.services.withdrawal_links.url("default", STRANGER)).path)

    assert "<h1>Stop &lt;b&gt;now&lt;/b&gt; &amp; here</h1>" in answer.text
    assert "&lt;Shop&gt;" in answer.text


def texts(tags: list[str]) -> dict[str, object]:
    """Give the notice's texts in several languages."""
    return {tag: document()["texts"]["en"] for tag in tags}


def translated(members: dict[str, object], tags: list[str]) -> dict[str, object]:
    """Give the shop's policy with every text in several languages."""
    policy = document(**members)
    for entry in (*policy["categories"].values(), *policy["trackers"]):
        for name in {"title", "description", "purpose"} & entry.keys():
            entry[name] = dict.fromkeys(tags, entry[name]["en"])
    return policy
