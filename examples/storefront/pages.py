"""Every page of the shop is made here: the visit, the visitor's consent, the template, and all the cookies."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from consent_client.consent import Consent
from consent_client.html import Markup
from examples.storefront.catalogue import PRODUCTS, format_price
from examples.storefront.cookies import set_tracking, write_cart
from examples.storefront.settings import Settings
from examples.storefront.visits import Attempt, Visit
from examples.storefront.words import CATEGORY_NAMES, LANGUAGES, REASONS, WORDS

ROOM = Path(__file__).parent
_CART_SECONDS = 14 * 86_400
_TEMPLATES = Environment(
    loader=FileSystemLoader(ROOM / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip


@dataclass(slots=True)
class Page:
    """One request for a page, and what the shop knows about whoever makes it."""

    request: Request
    settings: Settings
    visit: Visit
    consent: Consent
    lang: str
    cart: dict[str, int]

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render a page, and try to set everything."""
        given = {
            "page": self,
            "consent": self.consent,
            "lang": self.lang,
            "languages": LANGUAGES,
            "t": {name: texts[self.lang] for name, texts in WORDS.items()},
            "reasons": {name: texts[self.lang] for name, texts in REASONS.items()},
            "category_names": {name: texts[self.lang] for name, texts in CATEGORY_NAMES.items()},
            "products": PRODUCTS,
            "format_price": format_price,
            "service": self.settings.service,
            "third_party": self.settings.third_party,
            "path": self.request.url.path,
        }
        text = _TEMPLATES.get_template(template).render({**given, **values})
        response = HTMLResponse(text, status, headers=self._security())
        self._keep(response)
        set_tracking(response, self.request.cookies)
        return response

    def words(self, name: str) -> str:
        """Give a text in the visitor's language."""
        return WORDS[name][self.lang]

    def go(self, path: str) -> Response:
        """Send the browser on after a form."""
        response = RedirectResponse(path, 303)
        self._keep(response)
        return response

    def ask(self, address: str) -> str:
        """Give an address of the third party, with what it is told about the visit."""
        query = urlencode({"visit": self.visit.reference, "page": self.request.url.path})
        return f"{self.settings.third_party}{address}?{query}"

    def note(self, name: str, kind: str) -> bool:
        """Tell whether the page may hold something, and note what became of it."""
        answer = self.consent[name]
        outcome = "set" if answer.allow else "kept_out"
        self.visit.note(Attempt(name, kind, outcome, answer.reason, self.request.url.path))
        return answer.allow

    def pixel(self, name: str, address: str) -> Markup:
        """Write a pixel where the visitor allows it."""
        self.note(name, "pixel")
        return self.consent.pixel(name, self.ask(address))

    def _keep(self, response: Response) -> None:
        response.set_cookie("session", self.visit.visit_id, httponly=True, samesite="lax")
        cart = write_cart(self.cart)
        if cart != self.request.cookies.get("cart", ""):
            response.set_cookie("cart", cart, max_age=_CART_SECONDS if cart else 0, samesite="lax")

    def _security(self) -> dict[str, str]:
        service, third = self.settings.service, self.settings.third_party
        policy = (
            f"default-src 'self'; script-src 'self' {service} {third}; connect-src 'self' {service} {third}; "
            f"img-src 'self' {third}; frame-src {third}; base-uri 'none'; form-action 'self'; object-src 'none'; "
            "frame-ancestors 'none'"
        )
        return {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-cache",
        }
