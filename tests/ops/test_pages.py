"""What the pages show: figures with their charts and tables, small counts withheld, nothing from elsewhere."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from consent_service.api.ops import charts
from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.vocabulary import Scope
from tests.ops.conftest import log_in
from tests.support.broken_store import SwitchedStore
from tests.support.builders import TRACKERS, entry
from tests.support.busy_shop import visit
from tests.support.service import Running, memory_store, running, submission

PAGES = ["/ops", "/ops/evidence", "/ops/trackers", "/ops/policies", "/ops/keys", "/ops/login"]
DAYS = "?from=2026-11-24&to=2026-11-25"


@pytest.fixture
async def busy(service: Running) -> Running:
    """Give a service with two days of visitors."""
    await visit(service, 2, 30)
    service.clock.forward(timedelta(days=-1))
    return service


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_no_script_and_asks_no_other_host(busy: Running, path: str) -> None:
    """Strict CSP, no inline script or style, and every link leads to this service."""
    async with log_in(busy, Scope.ADMIN) as staff:
        page = await staff.get(path)
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', page.text)
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert [a for a in addresses if not a.startswith(("/", "#", "data:,"))] == []
    assert re.search(r"<script|<style|\sstyle=|\son\w+=", page.text) is None
    assert page.headers["cache-control"] == "private, no-store"


async def test_the_style_sheet_asks_for_nothing_else(service: Running) -> None:
    async with service.client() as client:
        sheet = await client.get("/static/ops.css")
    assert sheet.status_code == 200
    assert re.search(r"url\(|@import", sheet.text) is None


async def test_the_overview_shows_rates_by_category_version_and_region(busy: Running) -> None:
    async with log_in(busy) as staff:
        text = (await staff.get(f"/ops{DAYS}")).text
    assert text.count('<svg class="spark"') == 7
    assert text.count('<svg class="chart"') == 4
    assert ">v1</th>" in text
    assert ">FR</th>" in text
    assert "Do Not Track" in text
    assert "Refused when asked again" in text


async def test_every_chart_is_named_described_and_followed_by_numbers(busy: Running) -> None:
    async with log_in(busy) as staff:
        text = (await staff.get(f"/ops{DAYS}")).text
    drawings = re.findall(r"<svg [^>]*>(.*?)</svg>", text, re.DOTALL)
    names = re.findall(r'id="([^"]*)"', text)
    assert all(re.match(r"<title[^>]*>[^<]+</title><desc[^>]*>[^<]+</desc>", drawing) for drawing in drawings)
    assert len(names) == len(set(names))
    assert text.count('class="csv"') == 5
    assert "The numbers, day by day" in text


async def test_small_counts_are_withheld_from_the_pages(service: Running, auditor: httpx.AsyncClient) -> None:
    """EVD-14."""
    async with service.browser() as browser:
        await browser.put("/v1/consent", json=submission())
    text = (await auditor.get("/ops")).text
    table = (await auditor.get("/ops/consent-rates.csv?group_by=answers")).text
    assert "<dt>Answers</dt><dd><strong>–</strong>" in text
    assert "100%" not in re.sub(r"<text.*?</text>", "", text)
    assert table.splitlines()[1].startswith("2026-11-24,,,")


async def test_few_answers_are_shown_by_week(busy: Running) -> None:
    async with log_in(busy) as staff:
        text = (await staff.get("/ops")).text
    assert "The numbers, week by week" in text
    assert "step=7" in text


@pytest.mark.parametrize("group", ["day", "category", "policy_version", "region", "answers"])
async def test_beside_each_chart_its_figures_come_as_csv(busy: Running, group: str) -> None:
    async with log_in(busy) as staff:
        answer = await staff.get(f"/ops/consent-rates.csv{DAYS}&group_by={group}")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert lines
    assert {line["answers"] for line in lines} != {""}


async def test_the_evidence_page_tells_that_the_log_has_its_roots(busy: Running) -> None:
    async with log_in(busy) as staff:
        text = (await staff.get("/ops/evidence")).text
    assert '<strong class="good">Sound</strong>' in text
    assert text.count("✓ genuine") == text.count("✓ the same") == 2


async def test_a_log_that_no_longer_has_a_checkpoints_root_is_told(tmp_path: Path) -> None:
    store = memory_store(tmp_path)
    async with running(tmp_path, store) as service:
        async with service.browser() as browser:
            await browser.put("/v1/consent", json=submission())
            await service.services.checkpoints.publish_news()
            store._leaves["default"][0] = replace(store._leaves["default"][0], commitment=b"x" * 32)
            await browser.delete("/v1/consent")
        async with log_in(service) as staff:
            text = (await staff.get("/ops/evidence")).text
    assert '<strong class="bad">Does not fit</strong>' in text
    assert "✗ differs" in text


async def test_a_checkpoint_that_nobody_signed_is_told(service: Running, auditor: httpx.AsyncClient) -> None:
    async with service.browser() as browser:
        await browser.put("/v1/consent", json=submission())
    (kept,) = await service.services.checkpoints.publish_news()
    forged = replace(kept, size=kept.size + 1, note=kept.note.replace("\n1\n", "\n2\n"))
    await service.services.store.log.add_checkpoint(forged)
    assert "✗ wrong" in (await auditor.get("/ops/evidence")).text


async def test_trackers_are_shown_with_what_they_are_for(auditor: httpx.AsyncClient) -> None:
    text = (await auditor.get("/ops/trackers")).text
    assert [t["name"] for t in TRACKERS if f"<code>{t['name']}</code>" not in text] == []
    assert "exempt in FR, GB" in text


async def test_a_policy_text_is_text_on_a_page(service: Running, auditor: httpx.AsyncClient) -> None:
    """Whatever a policy says is escaped."""
    evil = entry("evil", "script", "statistical", purpose={"en": "<script>alert(1)</script>"})
    service.clock.forward(timedelta(days=3))
    await service.publish(version="v2", effective_from="2026-11-29T00:00:00Z", trackers=[*TRACKERS, evil])
    service.clock.forward(timedelta(days=3))
    async with log_in(service) as staff:
        text = (await staff.get("/ops/trackers")).text
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)" in text


async def test_versions_come_with_what_they_changed(service: Running) -> None:
    await service.publish(
        version="v2",
        effective_from="2026-11-26T00:00:00Z",
        trackers=[*TRACKERS[1:], entry("replay", "script", "statistical")],
    )
    async with log_in(service) as staff:
        text = (await staff.get("/ops/policies")).text
    assert text.index("<code>v2</code>") < text.index("<code>v1</code>")
    assert "asks again: statistical" in text
    assert "<strong>tracker session</strong> removed" in text
    assert ">announced<" in text
    assert ">in force<" in text


async def test_while_the_store_is_away_a_page_says_so(tmp_path: Path) -> None:
    store = SwitchedStore(memory_store(tmp_path))
    async with running(tmp_path, store) as service, log_in(service) as staff:
        store.switch.all_off()
        store.store.counts.sums = _gone  # type: ignore[attr-defined,method-assign]
        answer = await staff.get("/ops")
    assert answer.status_code == 503
    assert "The store cannot be reached" in answer.text


async def test_no_page_holds_a_visitors_id(busy: Running) -> None:
    """EVD-14."""
    async with busy.browser() as browser:
        visitor = (await browser.put("/v1/consent", json=submission())).json()["visitor_id"]
    async with log_in(busy, Scope.ADMIN) as staff:
        texts = [(await staff.get(path)).text for path in PAGES]
    assert [text for text in texts if visitor in text] == []


@pytest.mark.parametrize(
    "query",
    ["from=x", "to=9999-99-99", "from=2026-12-01&to=2026-01-01", "from=0001-01-01", "channel=fax", "to=0001-01-02"],
)
async def test_days_that_cannot_be_meant_are_the_usual_ones(auditor: httpx.AsyncClient, query: str) -> None:
    assert (await auditor.get(f"/ops?{query}")).status_code == 200


def test_a_chart_leaves_a_gap_where_nothing_is_told() -> None:
    drawn = charts.spark("a", "title", "description", [0.1, 0.2, None, 0.4, 0.5])
    assert drawn.count('class="line"') == 2


@pytest.mark.parametrize("values", [[], [None], [0.5], [None, None], [0.0, 0.0]])
def test_a_chart_of_almost_nothing_is_still_one(values: list[float | None]) -> None:
    labels = [str(n) for n in range(len(values))]
    drawn = [
        charts.spark("a", "t", "d", values),
        charts.lines("b", "t", "d", labels, [charts.Line("x", "dnt", tuple(values))]),
        charts.columns("c", "t", "d", labels, [charts.Stack("x", "chosen", tuple(0 for _ in values))]),
    ]
    assert all("nan" not in one.lower() and one.endswith(("</svg>", "</div>")) for one in drawn)


@pytest.mark.parametrize(("value", "end"), [(3, 3), (57, 60), (99, 100), (101, 120), (1_650, 2_000), (0.11, 0.12)])
def test_a_scale_ends_at_a_round_number(value: float, end: float) -> None:
    assert charts._ceiling(value, 0.05) == pytest.approx(end)


async def _gone(_query: object) -> list[object]:
    raise StoreUnavailable
