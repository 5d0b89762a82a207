"""From a visitor's click to the shop's receiver and back, over real sockets: the API, the commands, the documented check."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from consent_service.domain.vocabulary import Scope
from tests.support.receiver import Receiver, receiving
from tests.support.service import Running, code, memory_store, running, submission

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("consent-service")


@pytest.fixture(params=["memory", "sqlite"])
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service with its development setting, which lets webhooks reach loopback."""
    store = {"memory": memory_store(tmp_path), "sqlite": None}[request.param]
    async with running(tmp_path, store, dev=True) as started:
        yield started


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Receive webhooks."""
    async with receiving() as made:
        yield made


async def added(service: Running, receiver: Receiver) -> dict[str, Any]:
    """Add the receiver as an endpoint."""
    async with service.shop() as admin:
        answer = await admin.post("/v1/webhooks", json={"url": receiver.url})
    assert answer.status_code == 201
    found: dict[str, Any] = answer.json()
    return found


def holding(directory: Path, text: bytes) -> list[Path]:
    """List the files that hold a text."""
    return [path for path in directory.rglob("*") if path.is_file() and text in path.read_bytes()]


def documented_check() -> Any:
    """Give the function that docs/webhooks.md shows for checking a message."""
    page = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)  # noqa: S102 - the page's own code
    return names["verified"]


async def test_the_shop_hears_of_a_withdrawal_and_can_trust_it(service: Running, receiver: Receiver) -> None:
    """SVC-09, with the check as docs/webhooks.md gives it."""
    endpoint = await added(service, receiver)
    async with service.browser() as browser:
        visitor = (await browser.put("/v1/consent", json=submission())).json()["visitor_id"]
        granted = await receiver.next()
        await browser.delete("/v1/consent")
        withdrawn = await receiver.next()
    now = int(service.clock().timestamp())
    check = documented_check()
    event = check(endpoint["secret"], withdrawn.headers, withdrawn.body, now)

    assert granted.data["visitor_id"] == visitor
    assert (event["type"], event["data"]["revision"]) == ("consent.withdrawn", 2)
    assert withdrawn.target == "/hooks/consent?shop=1"
    with pytest.raises(ValueError, match="signature"):
        check(endpoint["secret"], withdrawn.headers, withdrawn.body.replace(b"false", b"true"), now)
    with pytest.raises(ValueError, match="signature"):
        check(endpoint["secret"], withdrawn.headers | {"webhook-id": "other"}, withdrawn.body, now)
    with pytest.raises(ValueError, match="old"):
        check(endpoint["secret"], withdrawn.headers, withdrawn.body, now + 301)


async def test_the_secret_is_shown_once_and_stored_nowhere(
    service: Running, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint = await added(service, receiver)
    async with service.shop() as admin:
        listed = await admin.get("/v1/webhooks")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", endpoint["secret"])
    assert endpoint["secret"] not in listed.text
    assert [entry["id"] for entry in listed.json()["webhooks"]] == [endpoint["id"]]
    assert holding(tmp_path, endpoint["secret"][6:].encode()) == []


async def test_an_endpoint_that_was_removed_hears_nothing_more(service: Running, receiver: Receiver) -> None:
    endpoint = await added(service, receiver)
    async with receiving() as second, service.shop() as admin, service.browser() as browser:
        await added(service, second)
        removed = await admin.delete(f"/v1/webhooks/{endpoint['id']}")
        again = await admin.delete(f"/v1/webhooks/{endpoint['id']}")
        await browser.put("/v1/consent", json=submission())
        await second.next()

    assert (removed.status_code, again.status_code) == (204, 404)
    assert receiver.received.empty()


async def test_the_log_is_told_again_on_request(service: Running, receiver: Receiver) -> None:
    endpoint = await added(service, receiver)
    async with service.browser() as browser, service.shop() as admin:
        await browser.put("/v1/consent", json=submission())
        first = await receiver.next()
        ordered = await admin.post(f"/v1/webhooks/{endpoint['id']}/replay", json={"after": -1})
        again = await receiver.next()

    assert ordered.json() == {"queued": 1, "next_after": None}
    assert again.headers["webhook-id"] == first.headers["webhook-id"]


@pytest.mark.parametrize("body", [{}, {"dead": False}, {"dead": True, "after": 3}, {"after": -2}, {"after": True}])
async def test_a_replay_says_what_it_is_to_tell(service: Running, receiver: Receiver, body: dict[str, object]) -> None:
    endpoint = await added(service, receiver)
    async with service.shop() as admin:
        answer = await admin.post(f"/v1/webhooks/{endpoint['id']}/replay", json=body)
    assert answer.status_code == 422


async def test_another_site_neither_sees_nor_touches_an_endpoint(service: Running, receiver: Receiver) -> None:
    """C3: what belongs to another site is not there."""
    await service.publish(site="other", origins=["https://other.example"])
    endpoint = await added(service, receiver)
    async with service.shop(await service.key(Scope.ADMIN, "other")) as stranger:
        path = f"/v1/webhooks/{endpoint['id']}"
        listed = await stranger.get("/v1/webhooks")
        answers = [
            await stranger.delete(path),
            await stranger.get(f"{path}/dead-letters"),
            await stranger.post(f"{path}/replay", json={"dead": True}),
        ]
    assert listed.json() == {"webhooks": []}
    assert [(answer.status_code, code(answer)) for answer in answers] == [(404, "not-found")] * 3


async def test_an_address_that_cannot_be_meant_is_refused_with_its_place(service: Running) -> None:
    async with service.shop() as admin:
        answer = await admin.post("/v1/webhooks", json={"url": "https://user:canary@crm.example/"})
    assert (answer.status_code, code(answer)) == (422, "invalid-input")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/url"]
    assert "canary" not in answer.text


async def test_an_endpoint_is_there_once(service: Running, receiver: Receiver) -> None:
    await added(service, receiver)
    async with service.shop() as admin:
        answer = await admin.post("/v1/webhooks", json={"url": receiver.url})
    assert (answer.status_code, code(answer)) == (409, "conflict")


def command(directory: Path, *words: str, status: int = 0) -> str:
    """Run a command of the program; gives what it printed."""
    settings = {
        "CONSENT_DATABASE_URL": f"sqlite:///{directory / 'consent.db'}",
        "CONSENT_KEYS_DIR": str(directory / "keys"),
        "CONSENT_BOOTSTRAP_KEY": "",
    }
    run = subprocess.run(
        [PROGRAM, "webhooks", *words], env=os.environ | settings, check=False, capture_output=True, text=True
    )
    assert run.returncode == status, run.stderr
    return run.stdout + run.stderr


async def test_the_commands_do_the_same_beside_a_serving_process(tmp_path: Path, receiver: Receiver) -> None:
    async with running(tmp_path, dev=True) as service, service.browser() as browser:
        identity, secret = command(tmp_path, "add", "https://crm.example/hooks").split()
        visitor = (await browser.put("/v1/consent", json=submission())).json()["visitor_id"]
        listed = command(tmp_path, "list")
        replayed = command(tmp_path, "replay", identity, "--after", "-1")
        dead = command(tmp_path, "dead", identity)
        removed = command(tmp_path, "remove", identity)

    assert secret.startswith("whsec_")
    assert f"{identity}  default  waiting 1  dead 0  https://crm.example/hooks" in listed
    assert replayed.strip().endswith("1 queued")
    assert (dead, removed) == ("", f"removed {identity}\n")
    assert visitor not in listed + replayed
    assert command(tmp_path, "list") == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "http://crm.example/"], "https address"),
        (["add", "https://crm.example/", "--site", "nobody"], "no such site"),
        (["remove", "nothing"], "no such endpoint"),
        (["dead", "nothing"], "no such endpoint"),
        (["replay", "nothing"], "--dead or --after"),
        (["replay", "nothing", "--dead"], "no such endpoint"),
    ],
)
async def test_a_command_that_fails_says_why_in_a_sentence(tmp_path: Path, words: list[str], sentence: str) -> None:
    async with running(tmp_path):
        said = command(tmp_path, *words, status=1)
    assert sentence in said
    assert "Traceback" not in said
