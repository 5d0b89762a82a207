"""What happened here: the cookie jar, what was kept out and why, and what the third party saw."""

from dataclasses import dataclass

import httpx
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from consent_client import CATEGORIES, Answer
from examples.storefront.opening import open_page
from examples.storefront.pages import Page

router = APIRouter()
_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Held:
    """A cookie that the browser sent."""

    name: str
    category: str | None
    answer: Answer


@router.get("/jar")
async def jar(request: Request) -> Response:
    """Show it."""
    page = await open_page(request)
    return page.show(
        "jar.html",
        held=[held(page, name) for name in sorted(request.cookies, key=str.lower)],
        kept_out=[(attempt, category_of(page, attempt.name)) for attempt in page.visit.kept_out()],
        seen=await seen_by_third_party(page),
        answers=[(category, page.consent[category]) for category in CATEGORIES],
        signals=page.consent.visit.signals,
    )


def held(page: Page, name: str) -> Held:
    """Describe a cookie of the jar."""
    return Held(name, category_of(page, name), page.consent[name])


def category_of(page: Page, name: str) -> str | None:
    """Give the category that the policy registers a name under; None where it registers none."""
    entries = page.consent.table.find(name) if page.consent.table is not None else ()
    return entries[0].category if entries else None


async def seen_by_third_party(page: Page) -> list[dict[str, str]] | None:
    """Ask the third party, from server to server: showing what it knows must not tell it more. None: no answer."""
    client: httpx.AsyncClient = page.request.app.state.third_party
    try:
        answer = await client.get(f"/seen/{page.visit.reference}", timeout=_PATIENCE_SECONDS)
        seen: list[dict[str, str]] = answer.json()["seen"]
    except (httpx.HTTPError, ValueError, KeyError):
        return None
    return seen


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Give the audit's counts: the shop's proof of what the middleware kept from leaking."""
    text: str = request.app.state.audit.prometheus()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")
