"""What anybody may read: life signs, version and the standards' well-known resources (contract §2, §7)."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response

from consent_service import __version__
from consent_service.api.deps import VISITOR_COOKIE, Served, header_region, header_signals
from consent_service.api.documented import errors
from consent_service.api.origins import page_of
from consent_service.api.services import Services
from consent_service.domain.errors import ConsentError, NotFound, StoreUnavailable
from consent_service.domain.policy import Policy
from consent_service.domain.vocabulary import TRACKING_CATEGORIES, DntMode, Reason
from consent_service.service.asking import Asking

router = APIRouter(tags=["public"])

STATUS_TYPE = "application/tracking-status+json"
_TRACKING_STATUS = {
    "description": "The tracking status (W3C TPE §6.3).",
    "content": {STATUS_TYPE: {"schema": {"type": "object", "required": ["tracking"]}}},
}


@router.get("/livez")
async def livez() -> dict[str, str]:
    """Tell that the process is alive."""
    return {"status": "ok"}


@router.get("/readyz", response_model=None, responses={200: {"description": "Ready"}, **errors(503)})
async def readyz(services: Served) -> Response:
    """Tell whether this process takes work: 503 while it drains or the store is away."""
    if services.health.draining:
        raise StoreUnavailable("This process is shutting down; ask another one.")
    await services.store.ping()
    return _json({"status": "ready"})


@router.get("/version")
async def version() -> dict[str, str]:
    """Give the name and version of the software."""
    return {"name": "consent-service", "version": __version__}


@router.get("/.well-known/jwks.json", response_model=None, responses={200: {"description": "A JWKS (RFC 7517)."}})
async def jwks(services: Served) -> Response:
    """Give every key that signs or ever signed."""
    headers = {"Cache-Control": f"public, max-age={services.http.jwks_max_age}", "Access-Control-Allow-Origin": "*"}
    body = orjson.dumps(services.published_keys.jwks())
    return Response(body, 200, headers, "application/json")


@router.get("/.well-known/gpc.json", response_model=None, responses={200: {"description": "GPC support resource."}})
async def gpc(services: Served) -> Response:
    """Say that Global Privacy Control is honoured (SIG-22)."""
    return _json({"gpc": True, "lastUpdate": services.http.gpc_last_update}, "public, max-age=3600")


@router.get(
    "/.well-known/security.txt",
    response_class=Response,
    responses={
        200: {"description": "RFC 9116.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **errors(404),
    },
)
async def security_txt(request: Request, services: Served) -> Response:
    """Say whom to tell about a weakness (RFC 9116)."""
    contact = services.http.security_contact
    if not contact:
        contact = f"mailto:{_policy(request, services).controller.email}"
    expires = services.clock().replace(microsecond=0)
    expires = expires.replace(year=expires.year + 1, day=min(expires.day, 28))
    text = f"Contact: {contact}\nExpires: {expires.strftime('%Y-%m-%dT%H:%M:%SZ')}\nPreferred-Languages: en\n"
    return Response(text, 200, {"Cache-Control": "public, max-age=3600"}, "text/plain")


@router.get(
    "/.well-known/dnt-policy.txt",
    response_class=Response,
    responses={
        200: {"description": "The EFF's DNT policy.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **errors(404),
    },
)
async def dnt_policy(services: Served) -> Response:
    """Give the EFF's DNT policy, byte for byte, where the operator has promised to keep it (TSR-14)."""
    if services.http.dnt_policy is None:
        raise NotFound
    return Response(services.http.dnt_policy, 200, {"Cache-Control": "public, max-age=3600"}, "text/plain")


@router.get("/.well-known/dnt/", response_class=Response, responses={200: _TRACKING_STATUS, **errors(404)})
async def tracking_status(request: Request, services: Served) -> Response:
    """Give the tracking status (W3C TPE §6.3), `C` for one who has consented; leaves no trace (TSR-05, TSR-06)."""
    status = tracking_status_of(_policy(request, services))
    return _status(status | {"tracking": "C"} if await _consented(request, services) else status)


@router.get(
    "/.well-known/dnt/{status_id}",
    response_class=Response,
    responses={200: _TRACKING_STATUS, **errors(404, 422)},
)
async def tracking_status_by_id(
    request: Request, services: Served, status_id: Annotated[str, Path(max_length=64)]
) -> Response:
    """Give the tracking status of a policy version, whose name is the status-id (case-sensitive, TSR-08)."""
    page = page_of(request, services)
    found = page.site.by_name.get(status_id)
    if found is None:
        raise NotFound
    return _status(tracking_status_of(found.policy))


def tracking_status_of(policy: Policy) -> dict[str, Any]:
    """Say what the site does: `D` where it disregards the signal, else `P`, potential consent, with its `config`."""
    return {
        "tracking": "D" if policy.dnt is DntMode.RECORD else "P",
        "controller": [policy.controller.url],
        "policy": policy.urls["privacy_policy"],
        "config": policy.urls["cookie_settings"],
    }


async def _consented(request: Request, services: Services) -> bool:
    """Tell whether the visitor's cookie speaks of a grant that overrides the signal (SIG-08)."""
    site = page_of(request, services).site
    visitor_id = services.identity.read_visitor_cookie(site.slug, request.cookies.get(VISITOR_COOKIE, ""))
    try:
        record = await services.consents.record(site.slug, visitor_id)
    except StoreUnavailable:
        return False
    asking = Asking(site, visitor_id, header_signals(request), region=header_region(request, services))
    state = services.consents.state(asking, site.current(services.clock()), record)
    return any(d.reason is Reason.GRANTED and d.category in TRACKING_CATEGORIES for d in state.decisions)


def _policy(request: Request, services: Services) -> Policy:
    try:
        return page_of(request, services).site.current(services.clock()).policy
    except ConsentError:
        raise NotFound("This host serves no site.") from None


def _status(body: dict[str, Any]) -> Response:
    headers = {"Cache-Control": "private, no-store", "Vary": "DNT"}
    return Response(orjson.dumps(body), 200, headers, STATUS_TYPE)


def _json(body: dict[str, Any], caching: str = "no-store") -> Response:
    return Response(orjson.dumps(body), 200, {"Cache-Control": caching}, "application/json")
