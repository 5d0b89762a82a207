"""A visitor's events, oldest first, in pages."""

import orjson

from consent_service.domain.errors import NotFound
from consent_service.ports import LoggedEvent, Store

PAGE = 100
MEMBERS = (
    "event_id",
    "event_type",
    "event_time",
    "channel",
    "method",
    "policy_version",
    "locale",
    "choices",
    "dnt",
    "gpc",
    "region",
    "regime",
    "receipt_id",
)


async def history_page(store: Store, site: str, visitor_id: str, after: int, limit: int) -> dict[str, object]:
    """Give one page; raises NotFound for a visitor who is unknown or erased."""
    if await store.visitors.get(site, visitor_id) is None:
        raise NotFound
    found = await store.log.visitor_events(site, visitor_id, after, limit + 1)
    page: dict[str, object] = {"events": [history_item(event) for event in found[:limit]]}
    if len(found) > limit:
        page["next"] = found[limit - 1].seq
    return page


def history_item(event: LoggedEvent) -> dict[str, object]:
    """Give one event as the history shows it."""
    payload = orjson.loads(event.payload or b"{}")
    return {"seq": event.seq, **{name: payload.get(name) for name in MEMBERS}}
