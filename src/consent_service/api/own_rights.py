"""Restriction and objection by the visitor's own cookie (GDPR Art. 18, 21); a `manage` key may do the same."""

from fastapi import APIRouter, Depends, Request, Response

from consent_service.api.answers import BROWSER_PRIVATE, VisitorCookies, written
from consent_service.api.browser import Visit, Visiting
from consent_service.api.deps import client_key, visitor_scheme
from consent_service.api.documented import WRITE_ERRORS, errors
from consent_service.api.schemas.consent import WrittenConsent
from consent_service.api.schemas.manage import ObjectionsBody, RestrictionBody
from consent_service.api.strict_route import StrictRoute
from consent_service.domain.transitions import rights
from consent_service.domain.vocabulary import Category, Method
from consent_service.service.writing import Move

router = APIRouter(tags=["browser"], route_class=StrictRoute, dependencies=[Depends(visitor_scheme)])

_WRITE = {200: {"model": WrittenConsent}, **errors(*WRITE_ERRORS, 404)}


@router.put("/v1/consent/restriction", response_model=None, responses=_WRITE)
async def restrict_own(request: Request, visit: Visiting, body: RestrictionBody) -> Response:
    """Restrict the processing of the visitor's own data, or lift the restriction (GDPR Art. 18)."""
    restricted = body.restricted
    return await _change(
        request, visit, lambda record, _, ctx: rights.set_restriction(record, restricted, ctx), refusal=restricted
    )


@router.put("/v1/consent/objections", response_model=None, responses=_WRITE)
async def object_to(request: Request, visit: Visiting, body: ObjectionsBody) -> Response:
    """Set the whole list of categories that the visitor objects to (GDPR Art. 21)."""
    categories = frozenset(map(Category, body.categories))
    return await _change(
        request, visit, lambda record, _, ctx: rights.set_objections(record, categories, ctx), refusal=bool(categories)
    )


async def _change(request: Request, visit: Visit, move: Move, *, refusal: bool) -> Response:
    standing = visit.services.limits.browser_write(visit.address, visit.asking.visitor_id, refusal=refusal)
    asking = visit.asking._replace(method=Method.PREFERENCES, client_key=await client_key(request))
    answer = await visit.services.consents.change(asking, visit.version, move)
    response = written(answer, BROWSER_PRIVATE | standing.headers())
    VisitorCookies(visit.services).set(response, visit.site, answer.visitor_id, answer.state)
    return response
