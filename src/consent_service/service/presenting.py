"""From states and decisions to the JSON objects of the contract (§4 and §5)."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from consent_service.domain.decision import Decision
from consent_service.domain.policy import Tracker
from consent_service.domain.record import CategoryChoice
from consent_service.domain.state import ConsentState
from consent_service.domain.vocabulary import CATEGORIES
from consent_service.ports import LogEntry

OPT_OUT_HONORED: Mapping[str, object] = {
    "source": "gpc",
    "honored": True,
    "display_text": "Opt-Out Request Honored",
    "toggle": "opted_out",
}
"""What the page must show when GPC was processed (11 CCR 7025(c)(6), SIG-19)."""


SYNCED: Mapping[str, str] = {"notice": "synced"}
"""What a device is told once after a login has brought it the choices of other devices (CNIL 2025-131, IDN-06)."""


@lru_cache(1_024)  # the moments of one answer are few, and each is written up to sixteen times
def moment(value: datetime | None) -> str | None:
    """Write a moment as RFC 3339 in UTC, to the second."""
    return None if value is None else value.astimezone(UTC).isoformat()[:19] + "Z"


def consent_body(site: str, state: ConsentState) -> dict[str, object]:
    """Give a visitor's consent as every read answers it."""
    s = state.situation
    record = s.record
    said = [state.choice(category) for category in CATEGORIES]
    return {
        "visitor_id": record.visitor_id if record else None,
        "site": site,
        "revision": record.revision if record else 0,
        "policy_version": s.rules.policy.version,
        "regime": s.regime.value,
        "region": s.region,
        "dnt": s.dnt.value if s.dnt else None,
        "gpc": s.gpc,
        "sale_share_opt_out": s.sale_share_opt_out,
        "prompt": state.prompt,
        "categories": {
            d.category.value: _category(d, choice)
            for d, choice in zip(state.decisions, said, strict=True)
            if d.category
        },
        "opt_out_signal": OPT_OUT_HONORED if s.gpc_effective else None,
        "expires_at": moment(min((choice.expires_at for choice in said if choice is not None), default=None)),
        "re_prompt_not_before": moment(record.re_prompt_not_before) if record else None,
        "updated_at": moment(record.updated_at) if record and record.revision else None,
        **(SYNCED if record and record.notice_due else {}),
    }


def written_body(site: str, state: ConsentState, entries: Sequence[LogEntry], cleanup: object) -> dict[str, object]:
    """Give a visitor's consent as every write answers it: with the receipt and what must leave the device."""
    return consent_body(site, state) | {"receipt": receipt(entries[-1]) if entries else None, "cleanup": cleanup}


def cleanup_list(cleanup: Sequence[Tracker]) -> list[dict[str, object]]:
    """Name what must leave the device."""
    return [{"name": t.name, "kind": t.kind.value, "domain": t.domain, "path": t.path} for t in cleanup]


def receipt(entry: LogEntry) -> dict[str, object]:
    """Give the short receipt that comes with a write."""
    return {"id": entry.receipt_id, "seq": entry.seq, "leaf_hash": b64encode(entry.leaf_hash).decode()}


def decisions_body(visitor_id: str, state: ConsentState, *, degraded: bool) -> dict[str, object]:
    """Give the decisions for all categories, as the storefront asks for them."""
    s = state.situation
    return {
        "visitor_id": visitor_id,
        "policy_version": s.rules.policy.version,
        "regime": s.regime.value,
        "dnt": s.dnt.value if s.dnt else None,
        "gpc": s.gpc,
        "sale_share_opt_out": s.sale_share_opt_out,
        "prompt": state.prompt,
        "degraded": degraded,
        "categories": {
            d.category.value: {"allow": d.allow, "reason": d.reason.value} for d in state.decisions if d.category
        },
    }


def decision_item(decision: Decision) -> dict[str, object]:
    """Give one decision of a list, about a tracker or about a category."""
    # Categories and reasons are text already; asking each for its value would cost as much as writing the answer.
    item: dict[str, object] = {} if decision.tracker is None else {"tracker": decision.tracker}
    item |= {"category": decision.category, "allow": decision.allow, "reason": decision.reason}
    if decision.max_age is not None:
        item["max_age"] = decision.max_age
    return item


def _category(decision: Decision, choice: CategoryChoice | None) -> dict[str, object]:
    return {
        "choice": choice.choice.value if choice else None,
        "allow": decision.allow,
        "reason": decision.reason.value,
        "decided_at": moment(choice.decided_at) if choice else None,
        "expires_at": moment(choice.expires_at) if choice else None,
    }
