"""The cookies of this shop. It sets all of them without asking: what may not get out is stopped by the middleware."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie; its category and its purpose stand in the policy, not here."""

    name: str
    days: int | None
    """How long it would like to stay; None for the session."""
    value: Callable[[], str] = lambda: secrets.token_hex(8)
    http_only: bool = False


TRACKING = (
    Cookie("_ga", 730, lambda: f"GA1.1.{secrets.randbelow(10**10)}"),
    Cookie("_ga_LANTERN01", 730, lambda: f"GS2.1.{secrets.randbelow(10**10)}"),
    Cookie("_shopify_y", 365),
    Cookie("returning_visitor", 365, http_only=True),
    Cookie("localization", 14, lambda: "EU"),
    Cookie("_fbp", 90, lambda: f"fb.0.{secrets.randbelow(10**10)}"),
    Cookie("_gcl_au", 90, lambda: f"1.1.{secrets.randbelow(10**10)}"),
    # Somebody's experiment that nobody told the policy of. It never gets out, whatever the visitor says.
    Cookie("checkout_experiment", 30),
)


def set_tracking(response: Response, present: Mapping[str, str]) -> None:
    """Set every tracking cookie that the browser does not have yet, as a shop without a conscience would."""
    for cookie in TRACKING:
        if cookie.name not in present:
            response.set_cookie(
                cookie.name,
                cookie.value(),
                max_age=None if cookie.days is None else cookie.days * _DAY,
                httponly=cookie.http_only,
                samesite="lax",
            )


def read_cart(text: str | None, known: Mapping[str, object]) -> dict[str, int]:
    """Read the cart's cookie, `slug.count` joined by hyphens; what is not a product of ours is left out."""
    cart: dict[str, int] = {}
    for part in (text or "").split("-"):
        slug, _, count = part.partition(".")
        if slug in known and count.isdecimal() and 0 < int(count[:3]) <= 99:  # noqa: PLR2004 - two digits
            cart[slug] = int(count[:3])
    return cart


def write_cart(cart: Mapping[str, int]) -> str:
    """Write the cart's cookie."""
    return "-".join(f"{slug}.{count}" for slug, count in cart.items())
