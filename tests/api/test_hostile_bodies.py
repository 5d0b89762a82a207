"""Bodies that try to break a reader (C2): every answer is a 4xx problem, nothing is stored, the service serves on."""

import json

import httpx
import pytest

from tests.support.builders import document
from tests.support.service import STRANGER, Running, submission

JSON = {"Content-Type": "application/json"}
GOOD = json.dumps(submission())[:-1].encode()

UNFIT = {
    "NaN": GOOD + b', "gpc": NaN}',
    "infinity": GOOD + b', "gpc": -Infinity}',
    "1e999": GOOD + b', "gpc": 1e999}',
    "a lone surrogate": GOOD + b', "locale": "\\ud800"}',
    "a lone low surrogate": GOOD + b', "locale": "\\udc00 x"}',
    "a lone surrogate in a name": GOOD + b', "\\ud800": 1}',
    "NUL": GOOD + b', "locale": "e\\u0000n"}',
    "NUL in a name": GOOD + b', "loc\\u0000ale": "en"}',
    "a surrogate deep inside": GOOD + b', "x": [[["\\ud800"]]]}',
    "5,000 digits": GOOD + b', "gpc": ' + b"9" * 5_000 + b"}",
    "5,000 digits behind the point": GOOD + b', "gpc": 0.' + b"9" * 5_000 + b"}",
    "a name twice": GOOD + b', "action": "reject_all"}',
    "a name twice, once escaped": GOOD + b', "\\u0061ction": "reject_all"}',
    "a name twice inside": GOOD + b', "choices": {"technical": true, "technical": false}}',
    "zero for false": GOOD + b', "gpc": 0}',
    "a text for true": GOOD + b', "gpc": "yes"}',
    "an unknown member": GOOD + b', "isAdmin": true}',
    "__proto__": GOOD + b', "__proto__": {"gpc": true}}',
    "a huge text": GOOD + b', "locale": "' + b"x" * 15_000 + b'"}',
    "a list": b"[" + GOOD + b"}]",
    "a text": b'"accept_all"',
    "null": b"null",
    "true": b"true",
}
MALFORMED = {
    "100,000 brackets": b"[" * 100_000,
    "16,000 brackets": b"[" * 16_000,
    "16,000 braces": b'{"a":' * 3_200,
    "half a document": GOOD,
    "two documents": GOOD + b"} {}",
    "a comma at the end": GOOD + b",}",
    "a comment": GOOD + b"} // yes",
    "single quotes": b"{'action': 'accept_all'}",
    "invalid UTF-8": GOOD + b', "locale": "\xff\xfe"}',
    "an overlong NUL": GOOD + b', "locale": "\xc0\x80"}',
    "a surrogate as UTF-8": GOOD + b', "locale": "\xed\xa0\x80"}',
    "UTF-16": json.dumps(submission()).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD + b"}",
    "a raw control character": GOOD + b', "locale": "e\x01n"}',
    "spaces": b"   ",
    "NUL bytes": b"\x00" * 100,
}


def check(answer: httpx.Response, statuses: set[int]) -> None:
    """Check that the answer is a problem of the expected kind and short."""
    assert answer.status_code in statuses
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 20_000


@pytest.mark.parametrize("content", UNFIT.values(), ids=UNFIT.keys())
async def test_what_readers_would_not_agree_on_is_refused(
    service: Running, browser: httpx.AsyncClient, content: bytes
) -> None:
    answer = await browser.put("/v1/consent", content=content, headers=JSON)

    check(answer, {422})
    assert (await service.services.store.log.head("default")).size == 0


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_no_json_is_refused(service: Running, browser: httpx.AsyncClient, content: bytes) -> None:
    answer = await browser.put("/v1/consent", content=content, headers=JSON)

    check(answer, {400, 413})
    assert (await service.services.store.log.head("default")).size == 0


@pytest.mark.parametrize("content", [*UNFIT.values(), *MALFORMED.values()], ids=[*UNFIT.keys(), *MALFORMED.keys()])
@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/policies", "/v1/keys"])
async def test_the_same_holds_on_the_other_planes(shop: httpx.AsyncClient, path: str, content: bytes) -> None:
    check(await shop.post(path, content=content, headers=JSON), {400, 413, 422})


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_hostile_policy_member_is_refused(shop: httpx.AsyncClient, content: bytes) -> None:
    text = json.dumps(document(version="v2"))[:-1].encode()

    check(
        await shop.post("/v1/policies", content=text + b', "child_directed": ' + content + b"}", headers=JSON),
        {400, 422},
    )


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/visitors/{STRANGER}%00/decisions",
        "/v1/visitors/%ff%fe/decisions",
        f"/v1/visitors/{STRANGER}/decisions?region=" + "x" * 10_000,
        f"/v1/visitors/{STRANGER}/history?after=" + "9" * 5_000,
        f"/v1/visitors/{STRANGER}/history?limit=1e3",
        f"/v1/visitors/{STRANGER}/history?limit=NaN",
        f"/v1/visitors/{STRANGER}/receipt?format=xml",
        f"/v1/visitors/{STRANGER}/decisions%0d%0aSet-Cookie:x=1",
        "/v1/policies/" + "x" * 10_000,
        "/v1/policies/%00",
    ],
)
async def test_a_hostile_address_is_refused(shop: httpx.AsyncClient, path: str) -> None:
    check(await shop.get(path), {404, 422})


@pytest.mark.parametrize("name", ["DNT", "Sec-GPC", "If-Match", "Accept-Language", "Cookie", "X-Forwarded-For", "Host"])
@pytest.mark.parametrize("value", [b"\x80\xff", b"\xed\xa0\x80", b"," * 5_000, b'"' * 5_000, b"9" * 5_000])
async def test_a_hostile_field_never_breaks_a_read(service: Running, name: str, value: bytes) -> None:
    """SIG-03: an unreadable signal is no signal, never an error."""
    async with service.client() as client:
        answer = await client.get("/v1/consent", headers=[(name.encode(), value)])

    assert answer.status_code == 200
