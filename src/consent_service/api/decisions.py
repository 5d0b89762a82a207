"""The storefront's questions: may I, for this visitor? (contract §5)."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from consent_service.api.answers import PRIVATE
from consent_service.api.deps import Deciding, Served, header_expression, header_region, header_signals
from consent_service.api.documented import KEY_ERRORS, errors
from consent_service.api.schemas.consent import VisitorId
from consent_service.api.schemas.decisions import (
    AnyDecisionRequest,
    DecisionList,
    DecisionLists,
    DecisionRequest,
    DecisionRequests,
    VisitorDecisions,
)
from consent_service.api.services import Services
from consent_service.api.strict_route import StrictRoute
from consent_service.domain.decision import Decision
from consent_service.domain.errors import NotFound
from consent_service.domain.outputs.formats import FORMATS
from consent_service.domain.outputs.gpp.output import gpp
from consent_service.domain.outputs.state import output_state
from consent_service.domain.regions import parse_region
from consent_service.domain.signals import Signals
from consent_service.domain.vocabulary import Category, Dnt
from consent_service.service.asking import Asking
from consent_service.service.decisions import Question
from consent_service.service.presenting import decision_item, decisions_body
from consent_service.service.sites import Site

Format = Literal["google", "uet", "clarity", "meta", "shopify", "wordpress", "gpp"]

router = APIRouter(tags=["storefront"], route_class=StrictRoute)

Region = Annotated[str | None, Query(max_length=16, description="ISO 3166, such as FR or US-CA; unknown is strictest.")]


@router.get(
    "/v1/visitors/{visitor_id}/decisions",
    response_model=None,
    responses={200: {"model": VisitorDecisions}, **errors(*KEY_ERRORS, 404)},
)
async def read_decisions(
    request: Request, services: Served, key: Deciding, visitor_id: Annotated[VisitorId, Path()], region: Region = None
) -> Response:
    """Decide all eight categories; an unknown visitor is answered like a new one. Scope `decide`.

    Forward the browser's `DNT` and `Sec-GPC` fields as they came.
    """
    site = services.sites.get(key.site)
    where = parse_region(region) if region is not None else header_region(request, services)
    version = site.current(services.clock())
    asking = Asking(site, visitor_id, header_signals(request), header_expression(request, version).protective, where)
    state, degraded = await services.decisions.categories(asking, version)
    return _json(decisions_body(visitor_id, state, degraded=degraded))


@router.get(
    "/v1/visitors/{visitor_id}/outputs/{format}",
    response_model=None,
    responses={
        200: {
            "description": "The platform's own members.",
            "content": {"application/json": {"schema": {"type": "object"}, "example": {"ad_storage": "denied"}}},
        },
        **errors(*KEY_ERRORS, 404),
    },
)
async def read_output(
    request: Request,
    services: Served,
    key: Deciding,
    visitor_id: Annotated[VisitorId, Path()],
    format: Annotated[Format, Path(description="Whose vocabulary.")],  # noqa: A002 - the parameter's name in the contract
    region: Region = None,
) -> Response:
    """Give the decisions in a platform's own words (contract §5.1). Scope `decide`.

    `gpp` is answered where the site's policy has switched it on.
    """
    site = services.sites.get(key.site)
    version = site.current(services.clock())
    where = parse_region(region) if region is not None else header_region(request, services)
    asking = Asking(site, visitor_id, header_signals(request), header_expression(request, version).protective, where)
    state, _ = await services.decisions.categories(asking, version)
    found = output_state(state.situation, state.decisions)
    if format != "gpp":
        return _json(FORMATS[format](found))
    if not version.policy.gpp:
        raise NotFound("This site has not switched on GPP.")
    return _json(gpp(found, enabled=True))


@router.post(
    "/v1/decisions",
    response_model=None,
    responses={200: {"model": DecisionList | DecisionLists}, **errors(400, 413, 415, *KEY_ERRORS, 404)},
)
async def decide(request: Request, services: Served, key: Deciding, body: AnyDecisionRequest) -> Response:
    """Decide trackers by name and categories, for one visitor or up to 1,000. Scope `decide`."""
    site = services.sites.get(key.site)
    return await answer_decisions(services, site, body, request_asking(request, services, site))


def request_asking(request: Request, services: Services, site: Site) -> Asking:
    """Give what the header of a batch says about whoever is asked about."""
    version = site.current(services.clock())
    expression = header_expression(request, version).protective
    return Asking(site, None, header_signals(request), expression, header_region(request, services))


async def answer_decisions(
    services: Services, site: Site, body: DecisionRequest | DecisionRequests, seen: Asking
) -> Response:
    """Answer what was asked about one visitor or several, with what the request's header says."""
    version = site.current(services.clock())
    questions = [_question(item, seen) for item in _items(body)]
    return _written(body, await services.decisions.many(questions, version))


def answer_without_store(
    services: Services, site: Site, body: DecisionRequest | DecisionRequests, seen: Asking
) -> Response:
    """Answer the same after the store did not."""
    version = site.current(services.clock())
    questions = [_question(item, seen) for item in _items(body)]
    return _written(body, services.decisions.without_store(questions, version))


def _items(body: DecisionRequest | DecisionRequests) -> list[DecisionRequest]:
    return [body] if isinstance(body, DecisionRequest) else body.requests


def _written(body: DecisionRequest | DecisionRequests, answers: list[tuple[list[Decision], bool]]) -> Response:
    if isinstance(body, DecisionRequest):
        return _json(_listed(*answers[0]))
    pairs = zip(_items(body), answers, strict=True)
    results = [{"visitor_id": item.visitor_id, **_listed(*answer)} for item, answer in pairs]
    degraded = any(degraded for _, degraded in answers)
    return _json({"results": results, **_degraded(degraded)})


def _question(item: DecisionRequest, seen: Asking) -> Question:
    signals = seen.signals.joined(Signals(Dnt(item.dnt) if item.dnt else None, bool(item.gpc)))
    where = parse_region(item.region) if item.region is not None else seen.region
    asking = seen._replace(visitor_id=item.visitor_id, signals=signals, region=where)
    return Question(asking, tuple(item.trackers), tuple(map(Category, item.categories)))


def _listed(decisions: list[Decision], degraded: bool) -> dict[str, Any]:
    return {"decisions": [decision_item(decision) for decision in decisions], **_degraded(degraded)}


def _degraded(degraded: bool) -> dict[str, Any]:
    return {"degraded": True} if degraded else {}


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), 200, PRIVATE, "application/json")
