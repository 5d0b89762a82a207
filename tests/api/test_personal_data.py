"""What is kept of a person is small (C4, IDN-02): no address, no user agent, no page, no reference in clear, anywhere."""

import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select

from consent_service.storage.payloads import unpack
from consent_service.storage.sql_batch import decode_reply
from consent_service.storage.tables import metadata
from consent_service.stores import read_database
from tests.api.test_log_lines import AGENT, CANARIES, use_everything
from tests.support.service import Running, running, submission

KEY_NAME = "canary-name"
"""The operator's own word for a key is kept: it is no visitor's."""
ADDRESS = re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}(:[0-9a-f]{0,4}){5,7}\b", re.IGNORECASE)


def everything_stored(connection: Connection) -> str:
    """Give all that stands in all tables of visitors as text, what is compressed opened."""
    texts: list[str] = []
    for table in metadata.sorted_tables:
        if table.name in {"policies", "api_keys"}:
            continue
        for row in connection.execute(select(table)).mappings():
            texts += [_text(value, OPENERS.get(name, bytes)) for name, value in row.items()]
    return "\n".join(texts)


OPENERS: dict[str, Callable[[bytes], bytes]] = {"payload": unpack, "reply": lambda kept: decode_reply(kept).body}
"""How what is compressed is opened, by the column's name."""


def _text(value: object, opened: Callable[[bytes], bytes]) -> str:
    return opened(value).decode("latin-1") if isinstance(value, bytes) else str(value)


def bytes_of_files(directory: Path) -> str:
    """Give the bytes of the database file and of what lies beside it."""
    return b"".join(path.read_bytes() for path in directory.glob("consent.db*")).decode("latin-1")


async def use_as_a_visitor(service: Running) -> None:
    """Go through the planes, and leave a visitor behind who was not erased."""
    await use_everything(service)
    seen = {"User-Agent": AGENT, "X-Forwarded-For": "198.51.100.77", "Referer": "https://shop.example/a?x=canary-query"}
    async with service.browser(**seen) as browser, service.shop() as shop:
        browser.headers.update(seen | {"Idempotency-Key": "6f1c1a52-7d0f-4f8e-9d43-0c4b7c0e9f10"})
        visitor = (await browser.put("/v1/consent?x=canary-query", json=submission())).json()["visitor_id"]
        await shop.put(f"/v1/visitors/{visitor}/account", json={"account_ref": "canary-reference"})


async def test_the_database_holds_no_address_agent_page_or_reference(tmp_path: Path) -> None:
    """C4, IDN-02: every table, every column, and the bytes of the files."""
    async with running(tmp_path) as service:
        await use_as_a_visitor(service)
        stored = await read_database(service.services.store, everything_stored)
        files = bytes_of_files(tmp_path)
    canaries = [canary for canary in CANARIES if canary != KEY_NAME]
    assert '"event_type":"given"' in stored
    assert [canary for canary in canaries if canary in stored or canary in files] == []
    assert ADDRESS.search(stored) is None


async def test_metrics_name_no_visitor(tmp_path: Path) -> None:
    """C4: labels are bounded."""
    async with running(tmp_path, metrics_public=True) as service:
        made = await use_everything(service)
        async with service.client() as reader:
            shown = (await reader.get("/metrics")).text
    assert [canary for canary in (*CANARIES, *made) if canary in shown] == []
