"""Who may see the dashboard: a bearer key with scope `audit` or `admin`, or a session that such a key has opened.

A session is a cookie that scripts cannot read and that no other site's request carries (SameSite=Strict). A form is
taken only from a page of ours, and once logged in only with the session's own token.
"""

import hmac
from urllib.parse import parse_qs, urlsplit

from fastapi import Request, Response

from consent_service.api.callers import client_bucket
from consent_service.api.deps import KeyGuard
from consent_service.api.services import Services
from consent_service.domain.errors import Forbidden, Unauthenticated
from consent_service.service.staff_sessions import LIFE, STAFF, StaffSession

COOKIE = "consent_staff"
HOME = "/ops"
_MOST_BYTES = 4096
_GUARD = KeyGuard(*STAFF)


async def staff(request: Request, services: Services) -> StaffSession | None:
    """Give who asks; None where nobody is logged in. A key that is presented itself must be one that may."""
    if "authorization" in request.headers:
        return services.staff.of(await _GUARD.admit(request))
    return services.staff.find(request.cookies.get(COOKIE, ""))


async def log_in(request: Request, services: Services) -> str:
    """Give the cookie value of a new session for the key in the form; raises Unauthenticated and Limited."""
    services.limits.browser_write(client_bucket(request, services.http.trusted_proxies), None, refusal=False)
    presented = (await form(request)).get("key", "").strip()
    key = await services.sites.key(presented)
    if key is None or not key.scopes & STAFF:
        raise Unauthenticated("This is no living key with the scope audit or admin.")
    return services.staff.open(key)


def check_form_token(session: StaffSession, token: str) -> None:
    """Refuse a form that was not made for this session."""
    if not hmac.compare_digest(token.encode(), session.form_token.encode()):
        raise Forbidden("The form is not from this session; load the page anew.")


async def form(request: Request) -> dict[str, str]:
    """Read a small form that one of our own pages has sent; raises Forbidden for any other."""
    if not _same_origin(request):
        raise Forbidden("A form is taken from this service's own pages only.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise Forbidden("The form is too large.")
    fields = parse_qs(body.decode("latin-1"), max_num_fields=8)
    return {name: values[0] for name, values in fields.items()}


def _same_origin(request: Request) -> bool:
    """Tell whether a request comes from a page of this very origin (Fetch Metadata; else Origin and Host)."""
    told = request.headers.get("sec-fetch-site")
    if told is not None:
        return told == "same-origin"
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "nowhere")


def keep(response: Response, services: Services, value: str) -> Response:
    """Set the session's cookie, or remove it for the empty value."""
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(LIFE.total_seconds()) if value else 0,
        path=HOME,
        secure=services.http.secure_cookies,
        httponly=True,
        samesite="strict",
    )
    return response
