"""The evidence log over HTTP, so that an auditor needs the contract's page on evidence only (contract §6.1)."""

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, BeforeValidator
from starlette.responses import StreamingResponse

from consent_service.api.deps import Auditing, Served
from consent_service.api.documented import KEY_ERRORS, Responses, errors
from consent_service.domain.errors import OutOfRange
from consent_service.domain.moments import parse_moment
from consent_service.domain.vocabulary import Category, Regime
from consent_service.service.exporting import COLUMNS, Row, Selection, csv_row, export_rows

router = APIRouter(tags=["operations"])


def _number(text: object) -> int:
    """Read an entry's number or a log's size; what is none is as far out of range as what is too large."""
    if isinstance(text, str) and _NUMBER.fullmatch(text):
        return int(text)
    raise OutOfRange("A whole number is expected.")


_NUMBER = re.compile(r"[0-9]{1,18}")
_Whole = Annotated[int, BeforeValidator(_number)]
Number = Annotated[_Whole, Query(json_schema_extra={"minimum": 0})]
# In a query every value is text, and a bare number would be read as seconds since 1970.
Moment = Annotated[datetime, BeforeValidator(parse_moment), Query()]
_ERRORS = errors(*KEY_ERRORS, 404, 503)
_STREAM: Responses = {
    200: {
        "description": "All entries, streamed.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}, "text/csv": {"schema": {"type": "string"}}},
    }
}


class InclusionProof(BaseModel):
    """RFC 6962 §2.1.1; hashes are base64, the leaf's sibling first."""

    seq: int
    size: int
    leaf_hash: str
    root_hash: str
    hashes: list[str]


class EvidenceEvent(BaseModel):
    """An entry; salt and payload are null once erased."""

    seq: int
    time: str
    leaf: str
    leaf_hash: str
    salt: str | None
    payload: dict[str, Any] | None


class EvidencePage(BaseModel):
    """Entries in order; `next_after` is null at the end."""

    events: list[EvidenceEvent]
    next_after: int | None


@router.get(
    "/v1/evidence/checkpoint",
    response_class=Response,
    responses={
        200: {"description": "A C2SP signed note.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **_ERRORS,
    },
)
async def checkpoint(services: Served, key: Auditing) -> Response:
    """Give a signed checkpoint that covers every event acknowledged before. Scope `audit`."""
    services.sites.get(key.site)
    found = await services.evidence.checkpoint(key.site)
    return Response(found.note, media_type="text/plain")


@router.get("/v1/evidence/events", response_model=None, responses={200: {"model": EvidencePage}, **_ERRORS})
async def events(
    services: Served,
    key: Auditing,
    after: Annotated[int, Query(ge=-1, le=2**62)] = -1,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Response:
    """Give entries in order, beginning behind `after`. Scope `audit`."""
    return _json(await services.evidence.events(key.site, after, limit))


@router.get("/v1/evidence/proof/inclusion", response_model=None, responses={200: {"model": InclusionProof}, **_ERRORS})
async def inclusion(services: Served, key: Auditing, seq: Number, size: Number | None = None) -> Response:
    """Prove that entry `seq` is in the log of `size` entries, the newest where it is absent. Scope `audit`."""
    return _json(await services.evidence.inclusion(key.site, seq, size))


@router.get(
    "/v1/evidence/proof/consistency",
    response_model=None,
    responses={
        200: {"description": "RFC 6962 §2.1.2", "content": {"application/json": {"schema": {"type": "object"}}}},
        **_ERRORS,
    },
)
async def consistency(
    services: Served,
    key: Auditing,
    old: Annotated[_Whole, Query(alias="from", json_schema_extra={"minimum": 0})],
    to: Number,
) -> Response:
    """Prove that the log of size `from` is the beginning of that of size `to`. Scope `audit`."""
    return _json(await services.evidence.consistency(key.site, old, to))


async def selected(
    begin: Annotated[Moment | None, Query(alias="from", description="Entries from this moment on.")] = None,
    end: Annotated[Moment | None, Query(alias="to", description="Entries before this moment.")] = None,
    category: Annotated[Category | None, Query(description="Entries that say something about it.")] = None,
    regime: Annotated[Regime | None, Query(description="Entries under this regime.")] = None,
) -> Selection:
    """Read what an export is narrowed to (EVD-09)."""
    return Selection(begin, end, category, regime)


@router.get("/v1/evidence/export", response_class=StreamingResponse, responses=_STREAM | _ERRORS)
async def export(
    services: Served,
    key: Auditing,
    selection: Annotated[Selection, Depends(selected)],
    format: Annotated[Literal["csv", "jsonl"], Query()] = "jsonl",  # noqa: A002 - the parameter's name in the contract
) -> Response:
    """Stream all entries, or those that fit all the members given, in constant memory. Scope `audit`."""
    services.sites.get(key.site)
    rows = export_rows(services.store.log, key.site, selection)
    name = f"evidence-{key.site}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    if format == "csv":
        return StreamingResponse(_csv(rows), 200, headers, "text/csv")
    return StreamingResponse(_lines(rows), 200, headers, "application/x-ndjson")


async def _lines(rows: AsyncIterator[list[Row]]) -> AsyncIterator[bytes]:
    async for page in rows:
        yield b"".join(orjson.dumps(row) + b"\n" for row in page)


async def _csv(rows: AsyncIterator[list[Row]]) -> AsyncIterator[str]:
    first = True
    async for page in rows:
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\r\n")
        if first:
            writer.writerow(COLUMNS)
            first = False
        writer.writerows(map(csv_row, page))
        yield stream.getvalue()


def _json(body: dict[str, object]) -> Response:
    return Response(orjson.dumps(body), headers={"Cache-Control": "private, no-store"}, media_type="application/json")
