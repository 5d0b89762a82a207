"""The operations plane: webhook endpoints and what they were not told (docs/webhooks.md)."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from consent_service.api.deps import Administering, Served
from consent_service.api.documented import KEY_ERRORS, errors
from consent_service.api.services import Services
from consent_service.api.strict_route import StrictRoute
from consent_service.domain.errors import InvalidInput
from consent_service.domain.webhooks import Endpoint
from consent_service.ports import ApiKey, Backlog
from consent_service.service.presenting import moment

router = APIRouter(tags=["operations"], route_class=StrictRoute)

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)
_LARGEST = 2**53 - 1
_REPLAYED_AT_ONCE = 100_000
"""Entries that one request goes through; it answers where to go on."""
EndpointId = Annotated[str, Path(alias="webhook_id", pattern=r"^[A-Za-z0-9-]{1,64}$")]


class NewWebhook(BaseModel):
    """An address that is told of the site's consent changes."""

    model_config = _STRICT

    url: Annotated[
        str, Field(max_length=2_000, pattern=r"^https?://[!-~]+$", examples=["https://shop.example/hooks/consent"])
    ]


class WebhookEntry(BaseModel):
    """An endpoint, and what it has not been told yet."""

    id: str
    site: str
    url: str
    created_at: datetime
    waiting: int = Field(description="Messages on their way, failed ones that will be tried again included.")
    oldest_waiting_at: datetime | None
    dead: int = Field(description="Messages that were given up after a day.")


class CreatedWebhook(WebhookEntry):
    """A fresh endpoint with its secret, shown this once."""

    secret: str = Field(description="`whsec_…` (Standard Webhooks): what the receiver checks signatures with.")


class WebhookList(BaseModel):
    """The endpoints of a site."""

    webhooks: list[WebhookEntry]


class DeadLetterEntry(BaseModel):
    """An event that the endpoint was not told, and why."""

    visitor_id: str
    seq: int
    created_at: datetime
    attempts: int
    error: str


class DeadLetterList(BaseModel):
    """What was given up, oldest first."""

    dead_letters: list[DeadLetterEntry]


class ReplayOrder(BaseModel):
    """What to tell again: the dead letters, or everything in the log behind a place; exactly one of the two."""

    model_config = _STRICT

    dead: bool = False
    after: Annotated[int, Field(ge=-1, le=_LARGEST, description="-1: from the start of the log.")] | None = None


class Replayed(BaseModel):
    """What was queued."""

    queued: int
    next_after: int | None = Field(description="Where to go on with another request; null when that was all.")


@router.post(
    "/v1/webhooks",
    status_code=201,
    response_model=None,
    responses={201: {"model": CreatedWebhook}, **errors(400, 404, 409, 413, 415, *KEY_ERRORS, 503)},
)
async def create_webhook(services: Served, key: Administering, body: NewWebhook) -> Response:
    """Add a webhook endpoint; its secret is shown this once. Scope `admin`."""
    endpoint, secret = await services.webhooks.add(key.site, body.url)
    shown = _entry(endpoint, Backlog()) | {"secret": secret}
    return Response(orjson.dumps(shown), 201, media_type="application/json")


@router.get("/v1/webhooks", response_model=None, responses={200: {"model": WebhookList}, **errors(*KEY_ERRORS, 503)})
async def list_webhooks(services: Served, key: Administering) -> Response:
    """List the site's webhook endpoints with what waits for each. Scope `admin`."""
    found = await services.webhooks.list(key.site)
    return _json({"webhooks": [_entry(endpoint, backlog) for endpoint, backlog in found]})


@router.delete(
    "/v1/webhooks/{webhook_id}", status_code=204, response_model=None, responses=errors(*KEY_ERRORS, 404, 503)
)
async def remove_webhook(services: Served, key: Administering, webhook_id: EndpointId) -> Response:
    """Remove a webhook endpoint and all that it was not told. Scope `admin`."""
    await services.webhooks.remove(key.site, webhook_id)
    return Response(status_code=204)


@router.get(
    "/v1/webhooks/{webhook_id}/dead-letters",
    response_model=None,
    responses={200: {"model": DeadLetterList}, **errors(*KEY_ERRORS, 404, 503)},
)
async def list_dead_letters(
    services: Served,
    key: Administering,
    webhook_id: EndpointId,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Response:
    """List the messages to a webhook endpoint that were given up. Scope `admin`."""
    letters = await services.webhooks.dead(await _endpoint(services, key, webhook_id), limit)
    members = ("visitor_id", "seq", "attempts", "error")
    shown = [{m: getattr(x, m) for m in members} | {"created_at": moment(x.created_at)} for x in letters]
    return _json({"dead_letters": shown})


@router.post(
    "/v1/webhooks/{webhook_id}/replay",
    response_model=None,
    responses={200: {"model": Replayed}, **errors(400, 404, 413, 415, *KEY_ERRORS, 503)},
)
async def replay_webhook(
    services: Served, key: Administering, webhook_id: EndpointId, body: Annotated[ReplayOrder, Body()]
) -> Response:
    """Tell a webhook endpoint again what was given up, or what the log holds from a place on. Scope `admin`."""
    endpoint = await _endpoint(services, key, webhook_id)
    if body.dead is (body.after is not None):
        raise InvalidInput("Either `dead` is true or `after` says where to begin.")
    if body.after is None:
        done = await services.webhooks.revive(endpoint)
    else:
        done = await services.webhooks.replay(endpoint, body.after, _REPLAYED_AT_ONCE)
    return _json({"queued": done.queued, "next_after": done.next_after})


async def _endpoint(services: Services, key: ApiKey, webhook_id: str) -> Endpoint:
    return await services.webhooks.get(key.site, webhook_id)


def _entry(endpoint: Endpoint, backlog: Backlog) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "site": endpoint.site,
        "url": endpoint.url,
        "created_at": moment(endpoint.created_at),
        "waiting": backlog.waiting,
        "oldest_waiting_at": moment(backlog.oldest) if backlog.oldest else None,
        "dead": backlog.dead,
    }


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
