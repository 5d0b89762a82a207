"""What the OpenAPI document says about errors and headers, once for all operations."""

from typing import Any

from pydantic import BaseModel, Field

Responses = dict[int | str, dict[str, Any]]


class FaultItem(BaseModel):
    """One thing wrong with the request."""

    pointer: str = Field(description="RFC 6901 pointer into the body, or the parameter.")
    code: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["/problems/validation-failed"])
    title: str
    status: int
    detail: str
    instance: str = Field(description="The request's id.", examples=["urn:uuid:6b1f0a3e-2a56-4c1c-9f0e-3f3a1d1f6a55"])
    code: str
    missing: list[str] | None = None
    errors: list[FaultItem] | None = None


_TITLES = {
    400: ("malformed-json", "The body is not JSON"),
    401: ("unauthenticated", "No valid key"),
    403: ("forbidden", "Not allowed with this key or from this origin"),
    404: ("not-found", "Unknown, foreign or erased"),
    409: ("conflict", "Does not fit the current state"),
    412: ("precondition-failed", "If-Match names an older revision"),
    413: ("body-too-large", "The body is too large"),
    415: ("unsupported-media-type", "The body must be application/json"),
    422: ("validation-failed", "The request says something that cannot be meant"),
    429: ("too-many-requests", "Too many requests"),
    503: ("store-unavailable", "The store cannot be reached; nothing was stored"),
}


def errors(*statuses: int) -> Responses:
    """Describe the error answers of an operation."""
    return {status: _error(status) for status in statuses}


def _error(status: int) -> dict[str, Any]:
    code, title = _TITLES[status]
    example = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": f"{title}.",
        "instance": "urn:uuid:6b1f0a3e-2a56-4c1c-9f0e-3f3a1d1f6a55",
        "code": code,
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": title, "content": {"application/problem+json": {"schema": schema, "example": example}}}


WRITE_ERRORS = (400, 403, 404, 409, 412, 413, 415, 422, 429, 503)
"""What a write on the browser plane may answer."""
KEY_ERRORS = (401, 403, 422, 429)
"""What every operation with a key may answer."""
