"""The shop, put together: one middleware keeps whatever its pages try to set in line with the visitor's choices."""

import httpx
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from consent_client import AsyncConsentClient
from consent_client.asgi import ConsentMiddleware
from consent_client.audit import Audit
from examples.storefront import accounts, jar, newsletter, shopping
from examples.storefront.newsletter import Letters
from examples.storefront.pages import ROOM
from examples.storefront.settings import Settings
from examples.storefront.visits import Visits
from examples.storefront.witness import AroundConsent, WithinConsent


def create_app(settings: Settings) -> Starlette:
    """Make the shop. Files stand outside: they set no cookie, so nobody need be asked about them."""
    files = StaticFiles(directory=ROOM / "static")
    return Starlette(routes=[Mount("/static", files), Mount("/", create_pages(settings))])


def create_pages(settings: Settings) -> FastAPI:
    """Make the pages."""
    app = FastAPI(title="A demo shop", docs_url=None, redoc_url=None, openapi_url=None)
    client = AsyncConsentClient(settings.service, settings.key, timeout=settings.timeout)
    app.state.settings, app.state.client = settings, client
    app.state.visits, app.state.letters, app.state.audit = Visits(), Letters(), Audit()
    app.state.third_party = httpx.AsyncClient(base_url=settings.third_party)
    for part in (shopping, accounts, newsletter, jar):
        app.include_router(part.router)
    # The last one added is the outermost. Asking always, a choice made on another device counts with the next page;
    # a large shop would leave that out and decide by the signed state (docs/integrations/fastapi.md).
    app.add_middleware(WithinConsent)
    app.add_middleware(ConsentMiddleware, client=client, always_ask=True, audit=app.state.audit)
    app.add_middleware(AroundConsent)
    return app
