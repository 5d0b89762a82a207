"""The storefront's calls about one visitor, with a `manage` key (contract §5)."""

from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import APIRouter, Body, Depends, Path, Request, Response

from consent_service.api.answers import PRIVATE, etag, written
from consent_service.api.decisions import Region
from consent_service.api.deps import (
    Managing,
    Served,
    client_key,
    header_expression,
    header_region,
    header_signals,
    if_match,
)
from consent_service.api.documented import KEY_ERRORS, errors
from consent_service.api.schemas.consent import Consent, ConsentSubmission, VisitorId, WrittenConsent
from consent_service.api.schemas.manage import (
    AccountLink,
    AgeBandBody,
    Nothing,
    ObjectionsBody,
    RestrictionBody,
    VisitorMinted,
)
from consent_service.api.services import Services
from consent_service.api.strict_route import StrictRoute
from consent_service.domain.record import AccountState
from consent_service.domain.regions import parse_region
from consent_service.domain.transitions import accounts, choices, rights
from consent_service.domain.vocabulary import AgeBand, Category
from consent_service.ports import ApiKey
from consent_service.service.asking import Asking
from consent_service.service.presenting import consent_body
from consent_service.service.sites import Version
from consent_service.service.writing import Move

router = APIRouter(tags=["storefront"], route_class=StrictRoute)

_READ = {200: {"model": Consent}, **errors(*KEY_ERRORS, 404, 503)}
_WRITE = {200: {"model": WrittenConsent}, **errors(400, 409, 412, 413, 415, *KEY_ERRORS, 404, 503)}


@dataclass(frozen=True, slots=True)
class Managed:
    """One request about one visitor."""

    services: Services
    asking: Asking
    version: Version

    async def change(self, move: Move, account: str | None = None, *, refuses: bool = False) -> Response:
        """Carry out a change and answer with the consent."""
        answer = await self.services.consents.change(self.asking, self.version, move, account, refuses=refuses)
        return written(answer, PRIVATE)


async def managed(
    request: Request, services: Served, key: Managing, visitor_id: Annotated[VisitorId, Path()], region: Region = None
) -> Managed:
    """Tell the site by the key, the visitor by the path, and the circumstances by the headers."""
    asking = await _asking(request, services, key, region)
    asking = asking._replace(visitor_id=visitor_id)
    return Managed(services, asking, asking.site.current(services.clock()))


async def _asking(request: Request, services: Services, key: ApiKey, region: str | None) -> Asking:
    site = services.sites.get(key.site)
    return Asking(
        site=site,
        visitor_id=None,
        signals=header_signals(request),
        expression=header_expression(request, site.current(services.clock())),
        region=parse_region(region) if region is not None else header_region(request, services),
        if_match=if_match(request),
        client_key=await client_key(request),
    )


ManagedVisitor = Annotated[Managed, Depends(managed)]


@router.post(
    "/v1/visitors",
    status_code=201,
    response_model=None,
    responses={201: {"model": VisitorMinted}, **errors(409, *KEY_ERRORS, 404, 503)},
)
async def mint_visitor(request: Request, services: Served, key: Managing) -> Response:
    """Mint a visitor who has said nothing yet. Scope `manage`."""
    asking = await _asking(request, services, key, None)
    answer = await services.consents.mint(asking, asking.site.current(services.clock()))
    body = orjson.dumps({"visitor_id": answer.visitor_id})
    replayed = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return Response(body, 201, PRIVATE | {"ETag": etag(answer.state)} | replayed, "application/json")


@router.get("/v1/visitors/{visitor_id}/consent", response_model=None, responses=_READ)
async def read_visitor_consent(managed: ManagedVisitor) -> Response:
    """Give a visitor's consent. Scope `manage`."""
    state = await managed.services.consents.known(managed.asking, managed.version)
    body = orjson.dumps(consent_body(managed.asking.site.slug, state))
    return Response(body, 200, PRIVATE | {"ETag": etag(state)}, "application/json")


@router.put("/v1/visitors/{visitor_id}/consent", response_model=None, responses=_WRITE)
async def write_visitor_consent(managed: ManagedVisitor, body: ConsentSubmission) -> Response:
    """Store what a visitor said elsewhere, such as in the shop's app or an import. Scope `manage`."""
    services, asking = managed.services, managed.asking
    version = await services.sites.version_for_consent(asking.site, body.policy_version, services.clock())
    signals = asking.signals.joined(body.signals)
    asking = asking._replace(signals=signals, method=body.how, locale=body.locale)
    submission = body.submission()
    return await Managed(services, asking, version).change(
        lambda record, _, ctx: choices.submit(record, submission, ctx), refuses=body.refuses
    )


@router.delete("/v1/visitors/{visitor_id}/consent", response_model=None, responses=_WRITE)
async def withdraw_visitor_consent(managed: ManagedVisitor) -> Response:
    """Withdraw everything on every channel. Scope `manage`."""
    return await managed.change(lambda record, _, ctx: choices.withdraw(record, ctx), refuses=True)


@router.put("/v1/visitors/{visitor_id}/account", response_model=None, responses=_WRITE)
async def log_in(managed: ManagedVisitor, body: AccountLink) -> Response:
    """Link the visitor to a customer's account. Scope `manage`."""
    account = managed.services.identity.account(managed.asking.site.slug, body.account_ref)
    return await managed.change(
        lambda record, found, ctx: accounts.link(record, found or AccountState(account), ctx), account
    )


@router.delete("/v1/visitors/{visitor_id}/account", response_model=None, responses=_WRITE)
async def log_out(managed: ManagedVisitor) -> Response:
    """Unlink the visitor from the account; the browser's own choices count again. Scope `manage`."""
    return await managed.change(lambda record, _, ctx: accounts.unlink(record, ctx))


@router.post("/v1/visitors/{visitor_id}/opt-out", response_model=None, responses=_WRITE)
async def opt_out(managed: ManagedVisitor, body: Annotated[Nothing | None, Body()] = None) -> Response:
    """Opt the visitor out of sale and sharing (11 CCR 7026). Scope `manage`."""
    return await managed.change(lambda record, _, ctx: rights.opt_out(record, ctx))


@router.delete("/v1/visitors/{visitor_id}/opt-out", response_model=None, responses=_WRITE)
async def opt_in(managed: ManagedVisitor) -> Response:
    """Opt the visitor in to sale and sharing again. Scope `manage`."""
    return await managed.change(lambda record, _, ctx: rights.opt_in(record, ctx))


@router.put("/v1/visitors/{visitor_id}/age-band", response_model=None, responses=_WRITE)
async def set_age_band(managed: ManagedVisitor, body: AgeBandBody) -> Response:
    """Note the visitor's age band. Scope `manage`."""
    band = AgeBand(body.age_band)
    return await managed.change(lambda record, _, ctx: rights.set_age_band(record, band, ctx))


@router.put("/v1/visitors/{visitor_id}/restriction", response_model=None, responses=_WRITE)
async def set_restriction(managed: ManagedVisitor, body: RestrictionBody) -> Response:
    """Restrict processing or lift the restriction (GDPR Art. 18). Scope `manage`."""
    restricted = body.restricted
    return await managed.change(lambda record, _, ctx: rights.set_restriction(record, restricted, ctx))


@router.put("/v1/visitors/{visitor_id}/objections", response_model=None, responses=_WRITE)
async def set_objections(managed: ManagedVisitor, body: ObjectionsBody) -> Response:
    """Set the whole list of categories objected to (GDPR Art. 21). Scope `manage`."""
    categories = frozenset(map(Category, body.categories))
    return await managed.change(lambda record, _, ctx: rights.set_objections(record, categories, ctx))
