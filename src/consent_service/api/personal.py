"""What a person may have and have done: history, receipts, export, erasure; by the visitor and by the shop.

The two planes answer alike; they differ in how they know the visitor.
"""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from consent_service.api.answers import BROWSER_PRIVATE, PRIVATE, VisitorCookies, etag
from consent_service.api.browser import Visiting
from consent_service.api.decisions import Region
from consent_service.api.deps import (
    Managing,
    Served,
    header_expression,
    header_region,
    header_signals,
    visitor_scheme,
)
from consent_service.api.documented import KEY_ERRORS, Responses, errors
from consent_service.api.schemas.consent import VisitorId
from consent_service.api.schemas.manage import History
from consent_service.api.services import Services
from consent_service.api.strict_route import StrictRoute
from consent_service.domain.errors import NotFound
from consent_service.domain.receipts.dpv import dpv_receipt
from consent_service.domain.receipts.kantara import kantara_receipt
from consent_service.domain.regions import parse_region
from consent_service.service.asking import Asking
from consent_service.service.history import PAGE, history_page

visitor_router = APIRouter(tags=["browser"], route_class=StrictRoute, dependencies=[Depends(visitor_scheme)])
shop_router = APIRouter(tags=["storefront"], route_class=StrictRoute)

After = Annotated[int, Query(ge=-1, le=2**62, description="The last `seq` that is known already.")]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Format = Annotated[Literal["kantara", "dpv", "jws"], Query(description="Which receipt.")]
LogSize = Annotated[
    int | None, Query(ge=0, le=2**62, description="The size of the log that the proof is for; the newest if absent.")
]
VisitorPath = Annotated[VisitorId, Path()]

_OBJECT: dict[str, Any] = {"schema": {"type": "object"}}
_HISTORY: Responses = {200: {"model": History}}
_RECEIPT: Responses = {
    200: {
        "description": "The receipt of the newest choice.",
        "content": {
            "application/json": _OBJECT,
            "application/ld+json": _OBJECT,
            "application/jose": {"schema": {"type": "string"}},
        },
    }
}
_PROOF: Responses = {
    200: {
        "description": "The five answers, the entry of the log, and its inclusion proof (RFC 6962 §2.1.1).",
        "content": {"application/json": _OBJECT},
    }
}
_EXPORT: Responses = {200: {"description": "Everything that is held.", "content": {"application/json": _OBJECT}}}
_VISITOR_ERRORS = errors(403, 404, 422, 429, 503)
_SHOP_ERRORS = errors(*KEY_ERRORS, 404, 503)


async def asked_visitor(
    request: Request, services: Served, key: Managing, visitor_id: VisitorPath, region: Region = None
) -> Asking:
    """Tell the site by the key, the visitor by the path, and the circumstances by the headers."""
    where = parse_region(region) if region is not None else header_region(request, services)
    site = services.sites.get(key.site)
    expression = header_expression(request, site.current(services.clock()))
    return Asking(site, visitor_id, header_signals(request), expression, where)


AskedVisitor = Annotated[Asking, Depends(asked_visitor)]


@visitor_router.get("/v1/consent/history", response_model=None, responses=_HISTORY | _VISITOR_ERRORS)
async def own_history(visit: Visiting, after: After = -1, limit: Limit = PAGE) -> Response:
    """Give the visitor's own events, oldest first."""
    visit.services.limits.browser_read(visit.address)
    return await _history(visit.services, visit.asking, after, limit, BROWSER_PRIVATE)


@visitor_router.get("/v1/consent/receipt", response_model=None, responses=_RECEIPT | _VISITOR_ERRORS)
async def own_receipt(visit: Visiting, format: Format = "kantara") -> Response:  # noqa: A002 - the parameter's name in the contract
    """Give the receipt of the visitor's newest choice."""
    visit.services.limits.browser_read(visit.address)
    return await _receipt(visit.services, visit.asking, format, BROWSER_PRIVATE)


@visitor_router.get("/v1/consent/proof", response_model=None, responses=_PROOF | _VISITOR_ERRORS)
async def own_proof(visit: Visiting, size: LogSize = None) -> Response:
    """Prove the visitor's newest consent: who, when, what was shown, how, and whether it was withdrawn (EVD-11)."""
    visit.services.limits.browser_read(visit.address)
    return await _proof(visit.services, visit.asking, size, BROWSER_PRIVATE)


@visitor_router.get("/v1/consent/export", response_model=None, responses=_EXPORT | _VISITOR_ERRORS)
async def own_export(visit: Visiting) -> Response:
    """Give everything that is held about the visitor (GDPR Art. 15, 20)."""
    visit.services.limits.browser_read(visit.address)
    return await _export(visit.services, visit.asking, BROWSER_PRIVATE)


@visitor_router.delete("/v1/consent/data", status_code=204, response_model=None, responses=_VISITOR_ERRORS)
async def erase_own(visit: Visiting) -> Response:
    """Erase everything about the visitor but the proofs (GDPR Art. 17)."""
    visit.services.limits.browser_write(visit.address, visit.asking.visitor_id, refusal=True)
    await visit.services.rights.erase(visit.site, _known(visit.asking))
    response = Response(status_code=204, headers=BROWSER_PRIVATE | {"Tk": "U"})
    VisitorCookies(visit.services).remove(response)
    return response


@shop_router.get("/v1/visitors/{visitor_id}/history", response_model=None, responses=_HISTORY | _SHOP_ERRORS)
async def visitor_history(services: Served, asking: AskedVisitor, after: After = -1, limit: Limit = PAGE) -> Response:
    """Give a visitor's events, oldest first. Scope `manage`."""
    return await _history(services, asking, after, limit, PRIVATE)


@shop_router.get("/v1/visitors/{visitor_id}/receipt", response_model=None, responses=_RECEIPT | _SHOP_ERRORS)
async def visitor_receipt(
    services: Served,
    asking: AskedVisitor,
    format: Format = "kantara",  # noqa: A002 - as above
) -> Response:
    """Give the receipt of a visitor's newest choice. Scope `manage`."""
    return await _receipt(services, asking, format, PRIVATE)


@shop_router.get("/v1/visitors/{visitor_id}/proof", response_model=None, responses=_PROOF | _SHOP_ERRORS)
async def visitor_proof(services: Served, asking: AskedVisitor, size: LogSize = None) -> Response:
    """Prove a visitor's newest consent: who, when, what was shown, how, withdrawn or not (EVD-11). Scope `manage`."""
    return await _proof(services, asking, size, PRIVATE)


@shop_router.get("/v1/visitors/{visitor_id}/export", response_model=None, responses=_EXPORT | _SHOP_ERRORS)
async def export_visitor(services: Served, asking: AskedVisitor) -> Response:
    """Give everything that is held about a visitor. Scope `manage`."""
    return await _export(services, asking, PRIVATE)


@shop_router.delete("/v1/visitors/{visitor_id}", status_code=204, response_model=None, responses=_SHOP_ERRORS)
async def erase_visitor(services: Served, key: Managing, visitor_id: VisitorPath) -> Response:
    """Erase everything about a visitor but the proofs. Scope `manage`."""
    await services.rights.erase(key.site, visitor_id)
    return Response(status_code=204, headers=PRIVATE | {"Tk": "U"})


def _known(asking: Asking) -> str:
    if asking.visitor_id is None:
        raise NotFound
    return asking.visitor_id


async def _history(services: Services, asking: Asking, after: int, limit: int, headers: dict[str, str]) -> Response:
    state = await services.consents.known(asking, asking.site.current(services.clock()))
    page = await history_page(services.store, asking.site.slug, _known(asking), after, limit)
    return _json(page, headers | {"ETag": etag(state)})


async def _receipt(services: Services, asking: Asking, form: str, headers: dict[str, str]) -> Response:
    version = asking.site.current(services.clock())
    state = await services.consents.known(asking, version)
    headers = headers | {"ETag": etag(state)}
    chosen = await services.receipts.newest_choice(asking.site.slug, _known(asking))
    if form == "jws":
        token = services.receipts.jws(services.tokens.claims(state), chosen)
        return Response(token, 200, headers, "application/jose")
    source = services.receipts.source(asking.site, chosen, state.situation)
    if form == "dpv":
        return _json(dpv_receipt(source), headers, "application/ld+json")
    return _json(kantara_receipt(source), headers)


async def _proof(services: Services, asking: Asking, size: int | None, headers: dict[str, str]) -> Response:
    state = await services.consents.known(asking, asking.site.current(services.clock()))
    body = await services.proofs.of_consent(asking.site, _known(asking), size)
    return _json(body, headers | {"ETag": etag(state)})


async def _export(services: Services, asking: Asking, headers: dict[str, str]) -> Response:
    version = asking.site.current(services.clock())
    state = await services.consents.known(asking, version)
    body = await services.rights.export(asking, version)
    attached = {"Content-Disposition": 'attachment; filename="consent.json"', "ETag": etag(state)}
    return _json(body, headers | attached)


def _json(body: Any, headers: dict[str, str], media_type: str = "application/json") -> Response:
    return Response(orjson.dumps(body), 200, headers, media_type)
