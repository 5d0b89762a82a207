"""Every error is a problem document that tells the caller what to do and echoes nothing (contract §8, SVC-07)."""

import re
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from consent_service.domain.record_text import StoredVisitor
from consent_service.ports import VisitorReader
from tests.support.broken_store import SwitchedStore
from tests.support.service import Running, memory_store, running, submission

MEMBERS = {"type", "title", "status", "detail", "instance", "code"}
CANARY = "canary-7f3a9"


def check_problem(answer: httpx.Response, status: int, code: str) -> None:
    """Check all that a problem must be."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) >= MEMBERS
    assert set(body) - MEMBERS <= {"missing", "errors"}
    assert (body["status"], body["code"], body["type"]) == (status, code, f"/problems/{code}")
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["instance"])
    assert CANARY not in answer.text


BIG = b'{"action": "' + b"x" * 17_000 + b'"}'
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status", "code"),
    [
        ("GET", f"/v1/{CANARY}", b"", {}, 404, "not-found"),
        ("GET", f"/static/{CANARY}.js", b"", {}, 404, "not-found"),
        ("GET", f"/docs/assets/{CANARY}", b"", {}, 404, "not-found"),
        ("GET", f"/.well-known/dnt/{CANARY}", b"", {}, 404, "not-found"),
        ("POST", "/v1/consent", b"", {}, 405, "method-not-allowed"),
        ("PATCH", "/v1/consent", b"", {}, 405, "method-not-allowed"),
        ("TRACE", "/v1/consent", b"", {}, 405, "method-not-allowed"),
        ("PUT", "/livez", b"", {}, 405, "method-not-allowed"),
        ("PUT", "/v1/consent", f'{{"{CANARY}": '.encode(), JSON, 400, "malformed-json"),
        ("PUT", "/v1/consent", f'{{"action": "{CANARY}"}}'.encode(), JSON, 422, "validation-failed"),
        ("PUT", "/v1/consent", b"", JSON, 422, "validation-failed"),
        ("PUT", "/v1/consent", CANARY.encode(), {"Content-Type": CANARY}, 415, "unsupported-media-type"),
        ("PUT", "/v1/consent", BIG, JSON, 413, "body-too-large"),
        ("PUT", "/v1/consent", b"{}", JSON | {"Origin": f"https://{CANARY}.example"}, 403, "origin-not-allowed"),
        ("GET", "/v1/keys", b"", {"Authorization": f"Bearer {CANARY}"}, 401, "unauthenticated"),
        ("GET", f"/v1/consent/history?limit={CANARY}", b"", {}, 422, "validation-failed"),
        ("GET", f"/v1/banner?lang={CANARY * 30}", b"", {}, 422, "validation-failed"),
        ("DELETE", "/v1/consent", b"", {"Idempotency-Key": f"{CANARY} {CANARY}"}, 422, "invalid-input"),
    ],
)
async def test_an_error_is_a_problem_and_echoes_nothing(
    service: Running, method: str, path: str, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """SVC-07: of the framework's own errors too."""
    async with service.client() as client:
        check_problem(await client.request(method, path, content=content, headers=headers), status, code)


async def test_a_refused_method_names_those_that_there_are(service: Running) -> None:
    """RFC 9110 §10.2.1."""
    async with service.client() as client:
        answer = await client.post("/v1/consent")

    assert answer.headers["allow"] == "DELETE, GET, HEAD, PUT"


async def test_the_caller_cannot_choose_the_id_of_a_request(service: Running) -> None:
    async with service.client({"X-Request-ID": CANARY}) as client:
        check_problem(await client.get("/nowhere"), 404, "not-found")


class _BrokenReader:
    """A reader with a fault of its own."""

    async def get(self, site: str, visitor_id: str) -> StoredVisitor | None:
        """Fail."""
        self._fail()

    async def get_many(self, site: str, visitor_ids: object) -> dict[str, StoredVisitor]:
        """Fail."""
        self._fail()

    def _fail(self) -> NoReturn:
        raise RuntimeError(f"SELECT {CANARY} FROM visitors")


class _FaultyStore(SwitchedStore):
    """A store whose reader has a fault."""

    @property
    def visitors(self) -> VisitorReader:
        """Reads nothing."""
        return _BrokenReader()


async def test_a_fault_of_ours_is_a_problem_that_tells_nothing_of_the_inside(tmp_path: Path) -> None:
    """No stack, no SQL, no driver's words."""
    async with running(tmp_path, memory_store(tmp_path)) as good, good.browser() as page:
        await page.put("/v1/consent", json=submission())
        cookie = {"Cookie": f"consent_visitor={page.cookies['consent_visitor']}"}
    async with running(tmp_path, _FaultyStore(memory_store(tmp_path))) as service, service.browser() as page:
        read = await page.get("/v1/consent", headers=cookie)
        written = await page.put("/v1/consent", json=submission(), headers=cookie)

    check_problem(read, 500, "internal-error")
    check_problem(written, 500, "internal-error")
    assert "set-cookie" not in written.headers
    assert "tk" not in written.headers
