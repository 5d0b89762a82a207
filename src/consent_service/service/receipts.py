"""Receipts of a visitor's newest choice: Kantara v1.1, DPV (ISO/IEC TS 27560) and a signed JWS."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from consent_service.domain.decision import Situation, lapse
from consent_service.domain.errors import NotFound
from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.evidence.leaf import format_time, leaf_bytes, leaf_hash
from consent_service.domain.moments import parse_moment
from consent_service.domain.policy import Policy
from consent_service.domain.receipts.source import (
    CategoryState,
    Controller,
    Lapse,
    ReceiptEvent,
    ReceiptSource,
    Recipient,
)
from consent_service.domain.retention import EVIDENCE_MONTHS
from consent_service.domain.vocabulary import CATEGORIES, Category, Channel, Choice, Dnt, EventType, Method, Reason
from consent_service.ports import Clock, LoggedEvent, Store
from consent_service.service.sites import Site, Version
from consent_service.service.tokens import Tokens

_CHOOSING = frozenset({"given", "renewed", "refused", "changed", "withdrawn", "imported"})
_LAPSES = {Reason.EXPIRED: Lapse.EXPIRED, Reason.POLICY_CHANGED: Lapse.POLICY_CHANGED}
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """A visitor's newest choice in the log, and what was granted before it."""

    logged: LoggedEvent
    payload: dict[str, Any]
    granted_before: frozenset[str]


@dataclass(frozen=True, slots=True)
class Receipts:
    """The use cases."""

    store: Store
    address: str
    tokens: Tokens
    clock: Clock

    async def newest_choice(self, site: str, visitor_id: str) -> Chosen:
        """Find the newest event in which the visitor chose; raises NotFound where there is none."""
        chosen: Chosen | None = None
        said: dict[str, dict[str, bool]] = {}
        after = -1
        while True:
            page = await self.store.log.visitor_events(site, visitor_id, after, _PAGE)
            for event in page:
                payload = orjson.loads(event.payload or b"{}")
                if payload.get("event_type") in _CHOOSING:
                    before, now = said.get(payload["channel"], {}), payload["choices"] or {}
                    # A signal such as ADPC speaks of single categories; what was said of the others still stands.
                    said[payload["channel"]] = payload["choices"] = before | now
                    chosen = Chosen(event, payload, frozenset(name for name in now if before.get(name)))
            if len(page) < _PAGE:
                break
            after = page[-1].seq
        if chosen is None:
            raise NotFound("This visitor has made no choice that a receipt could be given for.")
        return chosen

    def source(self, site: Site, chosen: Chosen, situation: Situation | None = None) -> ReceiptSource:
        """Gather what a receipt says, from the event and the policy that it was given under.

        With the visitor's situation it says as well which grants have lapsed since (EVD-07).
        """
        lapsed = {} if situation is None else _lapsed(situation, Channel(chosen.payload["channel"]))
        payload = chosen.payload
        version = site.by_name[payload["policy_version"]]
        policy = version.policy
        locale = payload["locale"] if payload["locale"] in policy.texts else policy.default_language
        months = policy.lifetime(payload["region"]).months + EVIDENCE_MONTHS
        return ReceiptSource(
            site=site.slug,
            controller=_controller(policy),
            policy_version=policy.version,
            policy_url=policy.urls["privacy_policy"],
            policy_sha256=version.stored.sha256,
            notice_sha256=notice_sha256(policy, locale),
            locale=locale,
            region=payload["region"],
            visitor=payload["visitor_id"],
            event=_event(chosen),
            categories=tuple(_category(version, category, chosen, locale, lapsed) for category in CATEGORIES),
            dnt=Dnt(payload["dnt"]) if payload["dnt"] else None,
            gpc=payload["gpc"],
            sale_share_opt_out=payload["gpc"],
            retention=f"P{months}M",
            withdrawal_url=policy.urls["cookie_settings"],
            cookie_settings_url=policy.urls["cookie_settings"],
            public_key_id=self.tokens.key(self.clock()).kid,
        )

    def jws(self, claims: dict[str, object], chosen: Chosen) -> str:
        """Give a receipt that verifies offline: the claims of the state without an end, bound to the log."""
        event = _event(chosen)
        bound = {"jti": event.receipt_id, "seq": event.seq, "leaf_hash": event.leaf_hash}
        return self.tokens.sign(claims | bound, self.clock())


def notice_sha256(policy: Policy, language: str) -> str:
    """Give the hash of the notice's texts in one language: SHA-256 of their canonical JSON (EVD-03)."""
    return sha256(canonical_json(dict(policy.texts[language]))).hexdigest()


def _controller(policy: Policy) -> Controller:
    c = policy.controller
    return Controller(name=c.name, address=c.address, email=c.email, phone=c.phone, url=c.url)


def _event(chosen: Chosen) -> ReceiptEvent:
    event, payload = chosen.logged, chosen.payload
    leaf = leaf_bytes(event.site, event.seq, format_time(event.time), event.pseudonym, event.commitment)
    return ReceiptEvent(
        event_id=payload["event_id"],
        receipt_id=payload["receipt_id"],
        seq=event.seq,
        leaf_hash=b64encode(leaf_hash(leaf)).decode(),
        event_type=EventType(payload["event_type"]),
        event_time=event.time,
        method=Method(payload["method"]),
        channel=Channel(payload["channel"]),
    )


def _choice(said: bool | None) -> Choice | None:
    if said is None:
        return None
    return Choice.GRANTED if said else Choice.DENIED


def _lapsed(situation: Situation, channel: Channel) -> dict[Category, Lapse]:
    found: dict[Category, Lapse] = {}
    for category in CATEGORIES:
        choice = situation.choice(category, channel)
        why = lapse(situation, category, choice) if choice and choice.choice is Choice.GRANTED else None
        if why is not None:
            found[category] = _LAPSES[why]
    return found


def _category(
    version: Version, category: Category, chosen: Chosen, locale: str, lapsed: Mapping[Category, Lapse]
) -> CategoryState:
    policy, payload = version.policy, chosen.payload
    entry = policy.categories[category]
    trackers = [t for t in policy.trackers if t.category is category]
    keys = dict.fromkeys(t.provider for t in trackers if t.third_party or t.sells_or_shares)
    decided_at = parse_moment(payload.get("decided_at") or payload["event_time"])
    return CategoryState(
        category=category,
        title=entry.title[locale],
        purpose=entry.description[locale],
        choice=_choice(payload["choices"].get(category.value)),
        granted_before=category.value in chosen.granted_before,
        lapse=lapsed.get(category),
        expires_at=policy.lifetime(payload["region"]).after(decided_at),
        recipients=tuple(
            Recipient(policy.providers[key].name, policy.providers[key].country, policy.providers[key].privacy_policy)
            for key in keys
        ),
        trackers=len(trackers),
    )
