"""Signing in and out, and telling the service of it."""

import logging

from fastapi import APIRouter, Request
from starlette.responses import Response

from consent_client import AsyncConsentClient, ConsentError
from examples.storefront.forms import read_form
from examples.storefront.opening import keep_linked, open_page

router = APIRouter()
_log = logging.getLogger("storefront")
_LONGEST = 100


@router.get("/login")
async def login_page(request: Request) -> Response:
    """Show the form."""
    return (await open_page(request)).show("login.html")


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Log in under any name: this is a demonstration."""
    form = await read_form(request)
    page = await open_page(request)
    name = form.get("name", "")[:_LONGEST].lower()
    if not name:
        return page.go("/login")
    # A new session id, so that nobody who knew the old one is logged in as well.
    page.visit = request.state.visit = request.app.state.visits.renew(page.visit)
    page.visit.account, page.visit.linked = name, None
    await keep_linked(page)
    return page.go("/")


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """Log out; the device's own choices hold again."""
    await read_form(request)
    page = await open_page(request)
    if page.visit.linked is not None:
        client: AsyncConsentClient = request.app.state.client
        try:
            await client.unlink_account(page.visit.linked)
        except ConsentError as error:
            _log.warning("the service was not told of a log-out: %s", error)
    page.visit.account = page.visit.linked = None
    return page.go("/")
