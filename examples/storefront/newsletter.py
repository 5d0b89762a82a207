"""The newsletter: subscribing, the mail, its pixels, and the service's link by which its reader withdraws.

A subscriber is a visitor of the channel `email`: what was chosen on the web says nothing about mails (TRK-02, TRK-03).
"""

import hmac
from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256

from fastapi import APIRouter, Request
from starlette.responses import Response

from consent_client import CATEGORIES, AsyncConsentClient, ConsentError, Decisions
from examples.storefront.forms import read_form
from examples.storefront.opening import open_page
from examples.storefront.pages import Page

router = APIRouter()
_PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_MOST_LETTERS = 2_000
IN_MAILS = ("mail_security", "mail_open_rate", "mail_open_individual", "newsletter_link")
"""What a mail of this shop may hold, by the names of the policy."""


@dataclass(slots=True)
class Letters:
    """The subscribers of this process: by session the visitor id, and by visitor id how often a mail was opened."""

    subscribers: dict[str, str] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)

    def subscribe(self, visit_reference: str, visitor_id: str) -> None:
        """Add a subscriber; the oldest makes room."""
        self.subscribers[visit_reference] = visitor_id
        if len(self.subscribers) > _MOST_LETTERS:
            self.opened.pop(self.subscribers.pop(next(iter(self.subscribers))), None)


@router.post("/newsletter")
async def subscribe(request: Request) -> Response:
    """Subscribe; whether openings may be measured is a choice of its own."""
    form = await read_form(request)
    page = await open_page(request)
    client: AsyncConsentClient = request.app.state.client
    try:
        visitor_id = page.consent.local.visitor_id or await client.new_visitor()
        await choose(client, visitor_id, page.lang, measured=form.get("measure") == "yes")
    except ConsentError:
        # Without an answer the mail goes out all the same, and nothing in it measures.
        return page.go("/newsletter/mail")
    letters: Letters = request.app.state.letters
    letters.subscribe(page.visit.reference, visitor_id)
    return page.go("/newsletter/mail")


async def choose(client: AsyncConsentClient, visitor_id: str, lang: str, *, measured: bool) -> None:
    """Record what a subscriber says about mails."""
    granted = {"strictly_necessary", *(["advertising"] if measured else [])}
    choices = {category: category in granted for category in CATEGORIES}
    await client.record(visitor_id, "custom", choices, locale=lang, channel="email")


@router.get("/newsletter/mail")
async def preview(request: Request) -> Response:
    """Show the mail as it would be sent now."""
    page = await open_page(request)
    letters: Letters = request.app.state.letters
    visitor_id = letters.subscribers.get(page.visit.reference)
    if visitor_id is None:
        return page.show("mail.html", answers=None, none=page.words("mail_none"))
    client: AsyncConsentClient = request.app.state.client
    try:
        withdrawal = await client.withdrawal_link(visitor_id)
    except ConsentError:
        # A mail without the link may not be sent: a mailing would wait.
        return page.show("mail.html", answers=None, none=page.words("mail_later"))
    answers = await ask(request, visitor_id)
    return page.show(
        "mail.html",
        answers=answers,
        names=IN_MAILS,
        pixels=pixels(page, answers, visitor_id),
        link=link(page, answers),
        withdrawal=withdrawal,
        opens=letters.opened.get(visitor_id, 0),
    )


async def ask(request: Request, visitor_id: str) -> Decisions:
    """Ask what a mail may hold, as a mailing does for each thousand of its readers (`decide_many`)."""
    client: AsyncConsentClient = request.app.state.client
    [answers] = await client.decide_many([{"visitor_id": visitor_id, "trackers": IN_MAILS}])
    return answers


def pixels(page: Page, answers: Decisions, visitor_id: str) -> list[str]:
    """Give the addresses of the pixels that the mail may hold."""
    token = sign(page.settings.secret, visitor_id)
    named = {"mail_open_individual": f"/newsletter/opened/{token}.gif", "mail_open_rate": "/newsletter/rate.gif"}
    return [address for name, address in named.items() if answers.allows(name)]


def link(page: Page, answers: Decisions) -> str:
    """Give the mail's link to the shop, which tells who follows it only where that is allowed."""
    return (
        f"/products/lantern?from={page.visit.reference}" if answers.allows("newsletter_link") else "/products/lantern"
    )


@router.get("/newsletter/opened/{token}.gif")
async def opened(request: Request, token: str) -> Response:
    """Count an opening; mails lie in mailboxes for long, so what was allowed when it was sent is asked again."""
    visitor_id = read_signed(request.app.state.settings.secret, token)
    if visitor_id is not None and (await ask(request, visitor_id)).allows("mail_open_individual"):
        letters: Letters = request.app.state.letters
        letters.opened[visitor_id] = letters.opened.get(visitor_id, 0) + 1
    return Response(_PIXEL, media_type="image/gif", headers={"Cache-Control": "no-store"})


@router.get("/newsletter/rate.gif")
async def rate() -> Response:
    """Answer the pixel that only counts how many there were."""
    return Response(_PIXEL, media_type="image/gif", headers={"Cache-Control": "no-store"})


def sign(secret: bytes, visitor_id: str) -> str:
    """Write a visitor id so that nobody but the shop can have written it."""
    return f"{visitor_id}.{hmac.new(secret, visitor_id.encode(), sha256).hexdigest()[:32]}"


def read_signed(secret: bytes, token: str) -> str | None:
    """Give the visitor id of a token that the shop signed, else None."""
    visitor_id, _, _ = token.partition(".")
    right = hmac.compare_digest(sign(secret, visitor_id).encode(), token.encode())
    return visitor_id if right else None
