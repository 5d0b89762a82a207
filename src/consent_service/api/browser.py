"""The browser plane: a banner reads and writes the consent of the visitor whose cookie it has (contract §4)."""

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from consent_service.api.answers import BROWSER_PRIVATE, VisitorCookies, etag, written
from consent_service.api.callers import client_bucket
from consent_service.api.deps import (
    VISITOR_COOKIE,
    Served,
    client_key,
    header_expression,
    header_region,
    header_signals,
    if_match,
    visitor_scheme,
)
from consent_service.api.documented import WRITE_ERRORS, errors
from consent_service.api.origins import page_of
from consent_service.api.schemas.banner import Banner
from consent_service.api.schemas.consent import Consent, ConsentSubmission, WrittenConsent
from consent_service.api.services import Services
from consent_service.api.signal_documents import signal_links
from consent_service.api.strict_route import StrictRoute
from consent_service.domain.signals import Signals
from consent_service.domain.transitions import choices
from consent_service.domain.vocabulary import Method
from consent_service.service.asking import Asking
from consent_service.service.banner import banner_body, best_language
from consent_service.service.consents import Answer
from consent_service.service.presenting import consent_body
from consent_service.service.sites import Version

router = APIRouter(tags=["browser"], route_class=StrictRoute, dependencies=[Depends(visitor_scheme)])


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of the browser plane."""

    services: Services
    asking: Asking
    version: Version
    address: str

    @property
    def site(self) -> str:
        """Give the site's slug."""
        return self.asking.site.slug


def visit(request: Request, services: Served) -> Visit:
    """Tell the site, the visitor and the signals of a request; a cookie that is not genuine counts as none."""
    page = page_of(request, services)
    cookie = request.cookies.get(VISITOR_COOKIE, "")
    version = page.site.current(services.clock())
    asking = Asking(
        site=page.site,
        visitor_id=services.identity.read_visitor_cookie(page.site.slug, cookie),
        signals=header_signals(request),
        expression=header_expression(request, version),
        region=header_region(request, services),
        if_match=if_match(request),
    )
    address = client_bucket(request, services.http.trusted_proxies)
    return Visit(services, asking, version, address)


Visiting = Annotated[Visit, Depends(visit)]


@router.head("/v1/consent", include_in_schema=False)
@router.get("/v1/consent", response_model=None, responses={200: {"model": Consent}, **errors(403, 404, 429, 503)})
async def read_consent(visit: Visiting) -> Response:
    """Give the visitor's consent; without a cookie that of an unknown visitor, and no cookie is set.

    `Link` points to what browsers read for signals such as ADPC. HEAD hears those signals as GET does.
    """
    visit.services.limits.browser_read(visit.address)
    state, notice = await visit.services.consents.look_here(visit.asking, visit.version)
    response = _json(consent_body(visit.site, state) | notice)
    response.headers["ETag"] = etag(state)
    response.headers["Link"] = signal_links(visit.services.http.address)
    if state.situation.record is not None:
        VisitorCookies(visit.services).refresh(response, state)
    return response


@router.put(
    "/v1/consent",
    response_model=None,
    responses={
        200: {"model": WrittenConsent},
        201: {"model": WrittenConsent, "description": "Stored, and the visitor was made."},
        **errors(*WRITE_ERRORS),
    },
)
async def write_consent(request: Request, visit: Visiting, body: ConsentSubmission) -> Response:
    """Store what the visitor said; the first write makes the visitor and sets the cookies."""
    services = visit.services
    standing = services.limits.browser_write(visit.address, visit.asking.visitor_id, refusal=body.refuses)
    version = await services.sites.version_for_consent(visit.asking.site, body.policy_version, services.clock())
    asking = await _writing(request, visit, body.signals, body.how, body.locale)
    submission = body.submission()
    answer = await services.consents.change_or_mint(
        asking, version, lambda record, _, ctx: choices.submit(record, submission, ctx), refuses=body.refuses
    )
    return _written(visit, answer, standing.headers())


@router.delete("/v1/consent", response_model=None, responses={200: {"model": WrittenConsent}, **errors(*WRITE_ERRORS)})
async def withdraw_consent(request: Request, visit: Visiting) -> Response:
    """Withdraw everything on every channel, with one call and no body (CON-06)."""
    standing = visit.services.limits.browser_write(visit.address, visit.asking.visitor_id, refusal=True)
    asking = await _writing(request, visit, Signals(), Method.PREFERENCES, None)
    answer = await visit.services.consents.change_or_mint(
        asking, visit.version, lambda record, _, ctx: choices.withdraw(record, ctx), refuses=True
    )
    if answer.reply.status == 201:  # noqa: PLR2004 - a stranger's refusal is kept like anybody's; the status says it is new
        return _written(visit, answer, standing.headers(), status=200)
    return _written(visit, answer, standing.headers())


@router.get("/v1/banner", response_model=None, responses={200: {"model": Banner}, **errors(403, 404, 422, 429, 503)})
async def read_banner(
    request: Request,
    visit: Visiting,
    lang: Annotated[str | None, Query(max_length=255, description="Preferred language, BCP 47.")] = None,
    state: Annotated[int, Query(ge=0, le=1, description="0 leaves the visitor's state out.")] = 1,
) -> Response:
    """Give everything a banner needs in one request; with `?state=0` it may be cached in public."""
    visit.services.limits.browser_read(visit.address)
    language = best_language(visit.version.policy, lang, request.headers.get("accept-language"))
    part = banner_body(visit.version, language, visit.asking.region)
    tag = f'"{visit.version.stored.sha256[:16]}-{language}-{visit.asking.region or ""}"'
    headers = {"ETag": tag, "Content-Language": language, "Link": signal_links(visit.services.http.address)}
    if state:
        headers |= BROWSER_PRIVATE
        consent, notice = await visit.services.consents.look_here(visit.asking, visit.version)
        part |= {"prompt": consent.prompt, "state": consent_body(visit.site, consent)} | notice
        response = Response(orjson.dumps(part), 200, headers, "application/json")
        if consent.situation.record is not None:
            VisitorCookies(visit.services).refresh(response, consent)
        return response
    headers |= {"Cache-Control": "public, max-age=300", "Vary": _public_vary(visit.services)}
    part |= {"prompt": None, "state": None}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(orjson.dumps(part), 200, headers, "application/json")


def _public_vary(services: Services) -> str:
    return ", ".join(filter(None, ("Accept-Language, Origin", services.http.region_header)))


async def _writing(request: Request, visit: Visit, seen: Signals, method: Method, locale: str | None) -> Asking:
    asking = visit.asking
    return Asking(
        site=asking.site,
        visitor_id=asking.visitor_id,
        signals=asking.signals.joined(seen),
        expression=asking.expression,
        region=asking.region,
        method=method,
        locale=locale,
        if_match=asking.if_match,
        client_key=await client_key(request),
    )


def _written(visit: Visit, answer: Answer, headers: dict[str, str], status: int | None = None) -> Response:
    response = written(answer, BROWSER_PRIVATE | headers)
    if status is not None:
        response.status_code = status
    VisitorCookies(visit.services).set(response, visit.site, answer.visitor_id, answer.state)
    return response


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), 200, BROWSER_PRIVATE, "application/json")
