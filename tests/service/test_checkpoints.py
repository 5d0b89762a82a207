"""Checkpoints are published where there is news, in every place that was asked for, and stay verifiable."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from consent_service.domain.evidence.checkpoint import VerifierKey, parse_checkpoint, verify_checkpoint
from consent_service.domain.vocabulary import Scope
from consent_service.outgoing.checkpoints import poster
from consent_service.ports import StoredCheckpoint
from consent_service.service.checkpoints import Checkpoints
from tests.support.service import Running, memory_store, running, submission


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service."""
    async with running(tmp_path, memory_store(tmp_path)) as started:
        yield started


@pytest.fixture
def checkpoints(service: Running) -> Checkpoints:
    """Give a publisher that publishes all news at once when it is told to."""
    return Checkpoints(service.services.evidence, service.services.store.log, service.services.sites, seconds=0)


async def accept(service: Running, visitors: int = 1) -> None:
    """Let new visitors accept everything."""
    for _ in range(visitors):
        async with service.browser() as browser:
            await browser.put("/v1/consent", json=submission())


async def test_there_is_one_checkpoint_for_news_and_none_without(service: Running, checkpoints: Checkpoints) -> None:
    assert await checkpoints.publish_news() == []
    await accept(service)
    assert [found.size for found in await checkpoints.publish_news()] == [1]
    assert await checkpoints.publish_news() == []
    assert [found.size for found in await service.services.store.log.checkpoints("default")] == [1]


async def test_many_events_are_covered_at_once(service: Running, checkpoints: Checkpoints) -> None:
    patient = replace(checkpoints, seconds=3600, events=3)
    await accept(service)
    assert [found.size for found in await patient.publish_news()] == [1]
    await accept(service, 2)
    assert await patient.publish_news() == []
    await accept(service)
    assert [found.size for found in await patient.publish_news()] == [4]


async def test_a_process_that_starts_anew_knows_what_was_published(service: Running, checkpoints: Checkpoints) -> None:
    await accept(service)
    await checkpoints.publish_news()
    assert await replace(checkpoints, standings={}, _untold={}).publish_news() == []


async def test_a_checkpoint_goes_to_the_log_output_and_to_the_directory(
    service: Running, checkpoints: Checkpoints, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A log can be cut off unseen only in view of an older checkpoint, so each is kept outside the database."""
    caplog.set_level(logging.INFO)
    await accept(service)
    (found,) = await replace(checkpoints, directory=tmp_path / "outside").publish_news()
    file = tmp_path / "outside" / "default" / "000000000001.checkpoint"
    assert file.read_text("utf-8") == found.note
    assert " ".join(found.note.split("\n")) in caplog.text
    assert [path.name for path in file.parent.iterdir()] == [file.name]


async def test_what_a_place_did_not_take_is_published_again(
    service: Running, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    blocked = tmp_path / "outside"
    blocked.write_text("no directory", "utf-8")
    publisher = replace(checkpoints, directory=blocked)
    await accept(service)
    with pytest.raises(OSError, match="outside"):
        await publisher.publish_news()
    blocked.unlink()
    assert [found.size for found in await publisher.publish_news()] == [1]


async def test_news_are_published_by_themselves_after_the_time_that_was_set(
    service: Running, checkpoints: Checkpoints
) -> None:
    sent: asyncio.Queue[StoredCheckpoint] = asyncio.Queue()
    await accept(service)
    watching = asyncio.create_task(replace(checkpoints, seconds=0.01, send=sent.put).watch())
    assert (await sent.get()).size == 1
    watching.cancel()


class Webhook(BaseHTTPRequestHandler):
    """Takes a checkpoint, and refuses the second."""

    taken: list[str]

    def do_POST(self) -> None:
        """Take one."""
        self.taken.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204 if len(self.taken) == 1 else 500)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


async def test_a_webhook_gets_the_note_and_its_failure_stops_nothing(
    service: Running, checkpoints: Checkpoints, caplog: pytest.LogCaptureFixture
) -> None:
    Webhook.taken = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    Thread(target=server.serve_forever, daemon=True).start()
    publisher = replace(checkpoints, send=poster(f"http://127.0.0.1:{server.server_port}/"))
    await accept(service)
    (first,) = await publisher.publish_news()
    await accept(service)
    (second,) = await publisher.publish_news()
    await asyncio.to_thread(server.shutdown)
    server.server_close()
    assert Webhook.taken == [first.note, second.note]
    assert "a checkpoint could not be posted" in caplog.text


async def test_every_key_that_ever_signed_a_checkpoint_is_published(service: Running) -> None:
    """Contract §6.1: the key of an old checkpoint is found in the JWKS after a rotation."""
    await accept(service)
    async with service.client({"Authorization": f"Bearer {await service.key(Scope.AUDIT)}"}) as auditor:
        old = (await auditor.get("/v1/evidence/checkpoint")).text
        keys = (await auditor.get("/.well-known/jwks.json")).json()["keys"]
    vkeys = [VerifierKey.parse(key["vkey"]) for key in keys if "vkey" in key]
    assert verify_checkpoint(old, vkeys, lambda *_: True) == parse_checkpoint(old).checkpoint
