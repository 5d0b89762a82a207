"""Where a visitor is, is told by a trusted proxy and by nobody else (REG-09; contract §5)."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.support.service import STRANGER, Running, memory_store, running, submission

PROXY = ("192.0.2.7", 443)


@pytest.fixture
async def behind_proxy(tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service behind a proxy that names regions."""
    networks = (ip_network("192.0.2.0/24"),)
    store = memory_store(tmp_path)
    async with running(tmp_path, store, trusted_proxies=networks, region_header="X-Region") as started:
        yield started


@pytest.mark.parametrize(
    ("peer", "fields", "region"),
    [
        (PROXY, [("X-Region", "US-TX")], "US-TX"),
        (PROXY, [("X-Region", "us-tx")], "US-TX"),
        (PROXY, [], None),
        (PROXY, [("X-Region", "nowhere at all")], None),
        (PROXY, [("X-Region", "US-TX"), ("X-Region", "FR")], None),
        (("203.0.113.9", 443), [("X-Region", "US-TX")], None),
        (("::ffff:192.0.2.7", 443), [("X-Region", "US-TX")], "US-TX"),
        (("2001:db8::1", 443), [("X-Region", "US-TX")], None),
    ],
)
async def test_the_region_is_believed_from_a_trusted_proxy_only(
    behind_proxy: Running, peer: tuple[str, int], fields: list[tuple[str, str]], region: str | None
) -> None:
    """REG-09: fields that disagree leave it unknown, and unknown is the strictest."""
    async with behind_proxy.client(client=peer) as browser:
        body = (await browser.get("/v1/consent", headers=fields)).json()

    assert body["region"] == region
    assert body["regime"] == {"US-TX": "opt_out", None: "opt_in"}[region]


async def test_a_page_cannot_choose_its_region(behind_proxy: Running) -> None:
    async with behind_proxy.client(client=PROXY) as browser:
        asked = await browser.get("/v1/consent?region=US-TX", headers={"X-Region": "FR"})
        written = await browser.put("/v1/consent", json=submission(region="US-TX"), headers={"X-Region": "FR"})

    assert asked.json()["region"] == "FR"
    assert written.status_code == 422


async def test_without_the_setting_no_header_is_a_region(service: Running) -> None:
    async with service.client({"X-Region": "US-TX"}, PROXY) as browser:
        assert (await browser.get("/v1/consent")).json()["region"] is None


async def test_the_shop_names_the_region_of_its_visitor(behind_proxy: Running) -> None:
    """The member first, else the proxy's header."""
    key = {"Authorization": "Bearer bootstrap-0123456789-0123456789", "X-Region": "US-TX"}
    path = f"/v1/visitors/{STRANGER}/decisions"
    async with behind_proxy.client(key, PROXY) as shop:
        named = await shop.get(f"{path}?region=FR")
        unnamed = await shop.get(path)
        in_body = await shop.post("/v1/decisions", json={"region": "FR", "categories": ["statistical"]})
        by_header = await shop.post("/v1/decisions", json={"categories": ["statistical"]})

    assert (named.json()["regime"], unnamed.json()["regime"]) == ("opt_in", "opt_out")
    assert in_body.json()["decisions"][0]["reason"] == "no_record"
    assert by_header.json()["decisions"][0]["reason"] == "region_default"


async def test_the_banner_speaks_for_the_region(behind_proxy: Running) -> None:
    async with behind_proxy.client({"X-Region": "US-TX"}, PROXY) as browser:
        answer = await browser.get("/v1/banner?state=0")

    assert (answer.json()["regime"], answer.json()["region"]) == ("opt_out", "US-TX")
    assert "X-Region" in answer.headers["vary"]
