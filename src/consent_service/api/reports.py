"""Reports over HTTP (contract §6): JSON, or CSV by `format` or `Accept`."""

import re
from datetime import date, timedelta
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, Field

from consent_service.api.deps import Auditing, Served
from consent_service.api.documented import KEY_ERRORS, errors
from consent_service.domain.errors import Fault, InvalidInput
from consent_service.domain.vocabulary import Channel
from consent_service.service.report_tables import report_csv, report_json
from consent_service.service.reports import Asked, GroupBy

router = APIRouter(tags=["operations"])

USUAL_DAYS = 30
"""What is reported where no first day is named."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(text: object) -> date:
    """Read a day; nothing else that a date may be made of, such as seconds since 1970."""
    if isinstance(text, str) and _DAY.fullmatch(text):
        return date.fromisoformat(text)
    raise ValueError("a day such as 2026-11-22 is expected")


Day = Annotated[date, BeforeValidator(_day)]


class Rates(BaseModel):
    """What was said about one category; null is withheld because it speaks of too few."""

    granted: int | None
    denied: int | None
    withdrawn: int | None
    rate: float | None


class Figures(BaseModel):
    """What was counted; null is withheld because it speaks of too few."""

    answers: int | None
    accepted_all: int | None
    refused_all: int | None
    chosen: int | None
    withdrawals: int | None
    dnt: int | None
    gpc: int | None
    asked_again: int | None
    refused_again: int | None
    dismissals: int | None
    signals: int | None
    opt_outs: int | None
    opt_ins: int | None
    imports: int | None
    dnt_share: float | None
    gpc_share: float | None
    refused_again_share: float | None
    categories: dict[str, Rates]


class ConsentRates(BaseModel):
    """A report. A row bears the name of its group: `day`, `category`, `policy_version` or `region` (null: unknown)."""

    site: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    group_by: str
    channel: str
    smallest_count: int
    total: Figures
    rows: list[dict[str, object]]


@router.get(
    "/v1/reports/consent-rates",
    response_model=None,
    responses={
        200: {
            "description": "The report.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
            "model": ConsentRates,
        },
        **errors(*KEY_ERRORS, 404, 503),
    },
)
async def consent_rates(
    request: Request,
    services: Served,
    key: Auditing,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
    group_by: Annotated[GroupBy, Query()] = "day",
    channel: Annotated[Channel, Query()] = Channel.WEB,
    format: Annotated[Literal["json", "csv"] | None, Query()] = None,  # noqa: A002 - as in the contract's other exports
) -> Response:
    """Report consents of the days `from` to `to` (UTC, both included; the last 30 where absent), small counts withheld.

    Reads counters that are kept as events are written; they name nobody, and an erasure leaves them. A number below
    `smallest_count` is null, and so is what would give it away. Scope `audit` or `admin`.
    """
    services.sites.get(key.site)
    last = last or services.clock().date()
    asked = Asked(key.site, first or _before(last), last, group_by, channel)
    if asked.first > asked.last:
        raise InvalidInput("The report would end before it begins.", (Fault("/query/from", "day", "lies behind `to`"),))
    report = await services.reports.consent_rates(asked)
    headers = {"Cache-Control": "private, no-store", "Vary": "Accept"}
    if format == "csv" or (format is None and "text/csv" in request.headers.get("accept", "")):
        name = f"consent-rates-{asked.first}-{asked.last}-by-{group_by}.csv"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return Response(report_csv(report), 200, headers, "text/csv")
    return Response(orjson.dumps(report_json(report)), 200, headers, "application/json")


def _before(last: date) -> date:
    return max(last, date.min + timedelta(days=USUAL_DAYS)) - timedelta(days=USUAL_DAYS - 1)
