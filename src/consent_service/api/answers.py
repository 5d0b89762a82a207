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
        proof = self.services.identity.visitor_cookie(site, visitor_id)
        self._put(response, VISITOR_COOKIE, proof, VISITOR_COOKIE_SECONDS)
        self.refresh(response, state)

    def refresh(self, response: Response, state: ConsentState) -> None:
        """Set the signed state alone."""
        expires_at = state.expires_at
        left = int((expires_at - state.situation.now).total_seconds()) if expires_at else 0
        if left <= 0:
            return
        self._put(response, STATE_COOKIE, self.services.tokens.consent_state(state), left)

    def remove(self, response: Response) -> None:
        """Take both cookies back."""
        for name in (VISITOR_COOKIE, STATE_COOKIE):
            self._put(response, name, "", 0)

    def _put(self, response: Response, name: str, value: str, seconds: int) -> None:
        # The framework's own method writes `SameSite` in small letters, which is not how the contract spells it.
        attributes = ["HttpOnly"] if name == VISITOR_COOKIE else []
        if self.services.http.secure_cookies:
            attributes.append("Secure")
        parts = (f"{name}={value}", *attributes, "SameSite=Lax", "Path=/", f"Max-Age={seconds}")
        response.headers.append("Set-Cookie", "; ".join(parts))


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
