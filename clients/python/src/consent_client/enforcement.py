"""Enforcement: what every middleware does, as flows over plain values.

`settle` finds out what a request's visitor allows before the page is made; `enforce` goes through what the response
would set. Each asks the service at most once, and only where the signed state does not settle it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from consent_client.audit import Audit
from consent_client.consent import Consent, Visit
from consent_client.core import Core, MemoryKey
from consent_client.decisions import Question
from consent_client.exchange import Flow
from consent_client.setcookie import SetCookie, expiring_lines, parse_cookies, parse_set_cookie
from consent_client.signals import Headers, read_signals, text_pairs
from consent_client.vocabulary import CATEGORIES, NOBODY, STATE_COOKIE, VISITOR_COOKIE

VECTOR_HEADER = "Consent-Vector"

_OWN_COOKIES = frozenset({VISITOR_COOKIE, STATE_COOKIE})
"""What keeps the choice itself needs no consent (CNIL guidelines: tracers that keep the choice)."""

_REGION = re.compile(r"[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?")
_NOBODY_FOR = 10.0
_MOST_EXPIRED = 20


@dataclass(frozen=True, slots=True)
class Enforced:
    """What becomes of a response's cookies."""

    lines: list[str | None]
    """For each Set-Cookie field what goes out in its place; None where it is removed."""
    expiring: list[str]
    """Fields that delete what the browser may not keep."""

    def outgoing(self) -> list[str]:
        """Give every Set-Cookie field that goes out."""
        return [*(line for line in self.lines if line is not None), *self.expiring]


@dataclass(slots=True)
class Enforcer:
    """How one middleware enforces.

    `report_only` counts and changes nothing. `always_ask` never decides by the signed state, so that a withdrawal
    counts with the next request and not when the token ends. `trust_vector` makes full-page caches key on the
    `Consent-Vector` that they put into the request.
    """

    core: Core
    report_only: bool = False
    always_ask: bool = False
    region_header: str | None = None
    trust_vector: bool = False
    audit: Audit = field(default_factory=Audit)

    def visit(self, headers: Headers) -> Visit:
        """Read what a request shows of its visitor."""
        pairs = list(text_pairs(headers))
        fields = {name: value for name, value in pairs if name != "cookie"}
        return Visit(
            cookies=parse_cookies(value for name, value in pairs if name == "cookie"),
            signals=read_signals(pairs),
            region=_read_region(fields.get(self.region_header.lower())) if self.region_header else None,
            host=fields.get("host"),
            vector=fields.get(VECTOR_HEADER.lower()),
        )

    def settle(self, visit: Visit) -> Flow[Consent]:
        """Find out what the visitor allows."""
        local = yield from self.core.local(visit.state_cookie, visit.signals)
        consent = Consent(visit, local, local.table)
        told = local.state is not None and not self.always_ask and not local.signals_unrecorded
        if not told or next(local.open_names(), None) is not None:
            yield from self._ask(consent, ())
        return consent

    def enforce(self, consent: Consent, lines: Sequence[str]) -> Flow[Enforced]:
        """Judge a response's Set-Cookie fields, and find what the browser holds and may not keep."""
        now = self.core.wall()
        cookies = [parse_set_cookie(line, now) for line in lines]
        questions = [cookie.name for cookie in cookies if self._in_doubt(consent, cookie)]
        if questions:
            yield from self._ask(consent, questions)
        passed = [self._pass(consent, cookie) for cookie in cookies]
        setting = {cookie.name for cookie, line in zip(cookies, passed, strict=True) if line is not None}
        return Enforced(passed, self._expire(consent, setting))

    def page_headers(self, consent: Consent, vary: Iterable[str], *, touched: bool) -> list[tuple[str, str]]:
        """Give Vary and the vector for a page that depends on consent; nothing for one that does not."""
        if not consent.consulted and (self.report_only or not touched):
            return []
        vector = consent.current_vector()
        # A vector that the browser could have written itself counts only where it says the same as the decisions.
        keyed = self.trust_vector and consent.visit.vector == vector
        present = [name.strip() for value in vary for name in value.split(",") if name.strip()]
        wanted = [VECTOR_HEADER if keyed else "Cookie", "DNT", "Sec-GPC"]
        known = {name.lower() for name in present}
        names = [*present, *(name for name in wanted if name.lower() not in known)]
        return [("Vary", "*" if "*" in known else ", ".join(names)), (VECTOR_HEADER, vector)]

    def _in_doubt(self, consent: Consent, cookie: SetCookie) -> bool:
        if consent.away or cookie.deletes or cookie.name in _OWN_COOKIES:
            return False
        answer = consent.answer(cookie.name)
        if consent.asked is None and answer.allow:
            return answer.max_age is not None and cookie.outlives(answer.max_age)
        return answer.reason == "unavailable"

    def _ask(self, consent: Consent, names: Sequence[str]) -> Flow[None]:
        """Ask the service about everything a page of the site may hold, and remember it as long as the state holds."""
        visit, local = consent.visit, consent.local
        key, until = self._memory(consent)
        known = self.core.answered.get(key) if key is not None else None
        # Without a table the names themselves are asked, and what is remembered does not hold them.
        if known is not None and (consent.table is not None or not names) and self.core.wall() < known[0]:
            consent.asked = known[1]
            return
        registered = consent.table.page_names() if consent.table is not None else ()
        everything = tuple(dict.fromkeys((*CATEGORIES, *registered, *(names if consent.table is None else ()))))
        question = Question(consent.visitor_id or NOBODY, everything, visit.region, *visit.signals)
        answers = yield from self.core.decide(question)
        consent.away = answers.degraded
        if not answers.degraded:
            consent.asked = answers
            if key is not None and consent.table is not None:
                self.core.answered.put(key, (until, answers))
        elif self.always_ask or local.state is None:
            consent.asked = answers

    def _memory(self, consent: Consent) -> tuple[MemoryKey | None, float]:
        """Give under which key, and until when, the service's answers may be used again."""
        visit, local = consent.visit, consent.local
        if self.always_ask:
            return None, 0.0
        if local.state is not None and visit.state_cookie is not None:
            return (visit.state_cookie, visit.signals, visit.region), local.expires_at
        # Whoever has no id yet is answered like everybody else without one.
        nobody = consent.visitor_id is None
        return (("", visit.signals, visit.region) if nobody else None), self.core.wall() + _NOBODY_FOR

    def _pass(self, consent: Consent, cookie: SetCookie) -> str | None:
        if cookie.deletes or cookie.name in _OWN_COOKIES:
            return cookie.line
        answer = consent.answer(cookie.name)
        if not answer.allow:
            self._count("removed", "would_remove", cookie.name, answer.reason)
            return cookie.line if self.report_only else None
        if not cookie.outlives(answer.max_age):
            return cookie.line
        self._count("shortened", "would_shorten", cookie.name, answer.reason)
        return cookie.line if self.report_only else cookie.capped(answer.max_age)

    def _expire(self, consent: Consent, setting: set[str]) -> list[str]:
        """Delete what the browser sent and may not keep; an outage is no reason to, nor is a name nobody registered."""
        lines: list[str] = []
        expired = 0
        for name in consent.visit.cookies:
            entries = consent.table.find(name) if consent.table is not None else ()
            entries = tuple(entry for entry in entries if entry.kind == "cookie" and not entry.third_party)
            answer = consent.answer(name)
            ours = name in _OWN_COOKIES or name in setting
            if ours or not entries or answer.allow or answer.reason == "unavailable" or expired == _MOST_EXPIRED:
                continue
            expired += 1
            self._count("expired", "would_expire", name, answer.reason)
            for entry in entries:
                lines += expiring_lines(name, entry.path, entry.domain, consent.visit.host)
        return [] if self.report_only else list(dict.fromkeys(lines))

    def _count(self, done: str, would: str, name: str, reason: str) -> None:
        self.audit.count(would if self.report_only else done, name, reason)


def _read_region(text: str | None) -> str | None:
    """Read a region code; anything else is the unknown region, which gets the strictest rules."""
    return text.strip().upper() if text and _REGION.fullmatch(text.strip()) else None
