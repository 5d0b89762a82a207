"""How an answer about one visitor looks on the wire: ETag, cookies, Tk, Vary, never cached."""

from dataclasses import dataclass

from starlette.responses import Response

from consent_service.api.deps import STATE_COOKIE, VISITOR_COOKIE
from consent_service.api.services import Services
from consent_service.domain.state import ConsentState
from consent_service.service.consents import Answer

VISITOR_COOKIE_SECONDS = 33_696_000
"""390 days: within the CNIL's 13 months and within browsers' 400 days (IDN-03)."""

PRIVATE = {"Cache-Control": "private, no-store", "Vary": "DNT, Sec-GPC"}
BROWSER_PRIVATE = {"Cache-Control": "private, no-store", "Vary": "DNT, Sec-GPC, Origin, Cookie"}


@dataclass(frozen=True, slots=True)
class VisitorCookies:
    """Sets the two cookies of contract §3."""

    services: Services

    def set(self, response: Response, site: str, visitor_id: str, state: ConsentState) -> None:
        """Set the proof of possession and the signed state; the latter lives as long as the consent."""
        secure = self.services.http.secure_cookies
        proof = self.services.identity.visitor_cookie(site, visitor_id)
        response.set_cookie(
            VISITOR_COOKIE,
            proof,
            max_age=VISITOR_COOKIE_SECONDS,
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax",
        )
        self.refresh(response, state)

    def refresh(self, response: Response, state: ConsentState) -> None:
        """Set the signed state alone."""
        expires_at = state.expires_at
        left = int((expires_at - state.situation.now).total_seconds()) if expires_at else 0
        if left <= 0:
            return
        value = self.services.tokens.consent_state(state)
        secure = self.services.http.secure_cookies
        response.set_cookie(STATE_COOKIE, value, max_age=left, path="/", secure=secure, httponly=False, samesite="lax")


def etag(state: ConsentState) -> str:
    """Give the revision as an entity tag."""
    record = state.situation.record
    return f'"{record.revision if record else 0}"'


def written(answer: Answer, headers: dict[str, str]) -> Response:
    """Answer a write; `Tk: U` where it changed the tracking status (TSR-10)."""
    response = Response(answer.reply.body, answer.reply.status, headers, "application/json")
    response.headers["ETag"] = etag(answer.state)
    if answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    elif answer.changed:
        response.headers["Tk"] = "U"
    return response
