"""The dashboard's pages. Everything is read; the only things that change are one's own log-in and log-out."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse

from consent_service import __version__
from consent_service.api.deps import Served
from consent_service.api.ops.access import HOME, check_form_token, form, keep, log_in, staff
from consent_service.api.ops.overview import PRESETS, SHOWN, WEEK, Period, number, overview, percent, row_share
from consent_service.api.services import Services
from consent_service.domain.errors import Forbidden, StoreUnavailable, Unauthenticated
from consent_service.domain.policy_changes import differences
from consent_service.domain.vocabulary import CATEGORIES, Channel, Scope
from consent_service.service.banner import duration_text
from consent_service.service.report_tables import answers_csv, report_csv
from consent_service.service.reports import Asked, GroupBy
from consent_service.service.staff_sessions import StaffSession
from consent_service.service.trackers import tracker_csv

router = APIRouter(prefix=HOME, include_in_schema=False)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-store",
}
_USUAL_DAYS = 30
_MOST_DAYS = 400
_CHECKPOINTS = 12
_VERSIONS = 12
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"percent": percent, "number": number, "duration": duration_text}
_TEMPLATES.globals |= {"version": __version__, "row_share": row_share}


@router.get("")
async def show_overview(request: Request, services: Served) -> Response:
    """Show consents over time, by policy version and by region."""

    async def context(session: StaffSession) -> dict[str, Any]:
        period = _period(request, services)
        return {
            "view": await overview(services.reports, session.key.site, period),
            "categories": SHOWN,
            "presets": [(days, period.last - timedelta(days=days - 1)) for days in PRESETS],
        }

    return await _page(request, services, "overview", context)


@router.get("/evidence")
async def show_evidence(request: Request, services: Served) -> Response:
    """Show recent checkpoints and whether the log still has their roots."""

    async def context(session: StaffSession) -> dict[str, Any]:
        return {"review": await services.checkpoint_review.review(session.key.site, _CHECKPOINTS)}

    return await _page(request, services, "evidence", context)


@router.get("/trackers")
async def show_trackers(request: Request, services: Served) -> Response:
    """Show the register of trackers in force."""

    async def context(session: StaffSession) -> dict[str, Any]:
        policy = services.sites.get(session.key.site).current(services.clock()).policy
        groups = [(c, [t for t in policy.trackers if t.category is c]) for c in CATEGORIES]
        return {"policy": policy, "groups": groups}

    return await _page(request, services, "trackers", context)


@router.get("/policies")
async def show_policies(request: Request, services: Served) -> Response:
    """Show the policy versions and what each changed."""

    async def context(session: StaffSession) -> dict[str, Any]:
        site = services.sites.get(session.key.site)
        now = services.clock()
        pairs = list(zip((None, *site.versions), site.versions, strict=False))[::-1]
        versions = [
            (version, differences(before.policy, version.policy) if before else None)
            for before, version in pairs[:_VERSIONS]
        ]
        return {"versions": versions, "current": site.current(now), "now": now, "more": max(0, len(pairs) - _VERSIONS)}

    return await _page(request, services, "policies", context)


@router.get("/keys")
async def show_keys(request: Request, services: Served) -> Response:
    """Show the living keys, without the keys, to who may make them."""

    async def context(session: StaffSession) -> dict[str, Any]:
        if Scope.ADMIN not in session.key.scopes:
            raise Forbidden("The list of keys needs a key with the scope admin.")
        return {"keys": await services.keys.list(session.key.site)}

    return await _page(request, services, "keys", context)


@router.get("/consent-rates.csv")
async def rates_csv(request: Request, services: Served) -> Response:
    """Give the figures of a chart as CSV."""
    session = await staff(request, services)
    if session is None:
        raise Unauthenticated
    period = _period(request, services)
    wanted = request.query_params.get("group_by", "day")
    group_by: GroupBy = next((g for g in _GROUPS if g == wanted), "day")
    step = WEEK if request.query_params.get("step") == str(WEEK) else 1
    asked = Asked(session.key.site, period.first, period.last, group_by, period.channel, step)
    report = await services.reports.consent_rates(asked)
    if wanted == "answers":
        return _csv(answers_csv(report), f"answers-{asked.first}-{asked.last}")
    return _csv(report_csv(report), f"consent-rates-{asked.first}-{asked.last}-by-{group_by}")


@router.get("/trackers.csv")
async def trackers_csv(request: Request, services: Served) -> Response:
    """Give the register of trackers as CSV."""
    session = await staff(request, services)
    if session is None:
        raise Unauthenticated
    policy = services.sites.get(session.key.site).current(services.clock()).policy
    return _csv(tracker_csv(policy), f"trackers-{policy.version}")


@router.get("/login")
async def show_login(request: Request) -> Response:
    """Ask for a key."""
    return _html("login", {"message": "", "session": None})


@router.post("/login")
async def submit_login(request: Request, services: Served) -> Response:
    """Open a session for a key."""
    try:
        value = await log_in(request, services)
    except Unauthenticated as error:
        return _html("login", {"message": error.detail, "session": None}, status=401)
    return keep(RedirectResponse(HOME, 303, _HEADERS), services, value)


@router.post("/logout")
async def submit_logout(request: Request, services: Served) -> Response:
    """End the session in this browser."""
    session = await staff(request, services)
    token = (await form(request)).get("token", "")
    if session is not None:
        check_form_token(session, token)
    return keep(RedirectResponse(f"{HOME}/login", 303, _HEADERS), services, "")


_GROUPS: tuple[GroupBy, ...] = ("day", "category", "policy_version", "region")


async def _page(request: Request, services: Services, template: str, context: Any) -> Response:
    session = await staff(request, services)
    if session is None:
        return RedirectResponse(f"{HOME}/login", 303, _HEADERS)
    shared = {"session": session, "page": template, "is_admin": Scope.ADMIN in session.key.scopes}
    try:
        return _html(template, shared | await context(session))
    except StoreUnavailable:
        return _html("unavailable", shared, status=503)


def _html(template: str, context: dict[str, Any], status: int = 200) -> Response:
    return HTMLResponse(_TEMPLATES.get_template(f"{template}.html").render(context), status, _HEADERS)


def _csv(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "private, no-store"}
    return Response(text, 200, headers, "text/csv")


def _period(request: Request, services: Services) -> Period:
    """Read the days to show; what cannot be meant is the usual thirty."""
    asked = request.query_params
    last = _day(asked.get("to")) or services.clock().date()
    first = _day(asked.get("from")) or last - timedelta(days=_USUAL_DAYS - 1)
    if not timedelta() <= last - first < timedelta(days=_MOST_DAYS):
        first = last - timedelta(days=_USUAL_DAYS - 1)
    channel = Channel.EMAIL if asked.get("channel") == Channel.EMAIL.value else Channel.WEB
    return Period(first, last, channel)


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found > _EARLIEST else None


_EARLIEST = date(1970, 1, 1) + timedelta(days=_MOST_DAYS)
