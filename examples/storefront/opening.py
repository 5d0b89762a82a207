"""Opening a page: who asks, and does the service know that they are signed in."""

import logging

from starlette.requests import Request

from consent_client import AsyncConsentClient, ConsentError
from examples.storefront.catalogue import PRODUCTS
from examples.storefront.cookies import read_cart
from examples.storefront.pages import Page
from examples.storefront.visits import Visits
from examples.storefront.words import language_of

_log = logging.getLogger("storefront")


async def open_page(request: Request) -> Page:
    """Find out who asks for a page."""
    visits: Visits = request.app.state.visits
    visit = visits.find(request.cookies.get("session"))
    request.state.visit = visit
    page = Page(
        request=request,
        settings=request.app.state.settings,
        visit=visit,
        consent=request.state.consent,
        lang=language_of(request.cookies.get("lang"), request.headers.get("accept-language", "")),
        cart=read_cart(request.cookies.get("cart"), PRODUCTS),
    )
    await keep_linked(page)
    return page


async def keep_linked(page: Page) -> None:
    """Tell the service which account a visitor uses, once: whoever logs in may make a first choice only later.

    Only a visitor whom the signed state names is linked, for nothing may be written under an id that anybody could
    have put into a cookie. Where the service does not answer, the next page tries again.
    """
    visitor_id = page.consent.local.visitor_id
    if page.visit.account is None or visitor_id is None or page.visit.linked == visitor_id:
        return
    client: AsyncConsentClient = page.request.app.state.client
    try:
        await client.link_account(visitor_id, page.visit.account)
        page.visit.linked = visitor_id
    except ConsentError as error:
        _log.warning("the service was not told of a log-in: %s", error)
