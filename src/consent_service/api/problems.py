"""Errors as RFC 9457 problem details. The one table from error to status stands here.

A problem never carries a stack, SQL, driver text or the submitted value; `instance` is the request's id.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from consent_service.api.rate_limits import Limited
from consent_service.api.schemas.decisions import FORMS
from consent_service.api.strict_json import MalformedJson
from consent_service.domain import errors

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class UnsupportedMediaType(errors.ConsentError):
    """The body must be application/json."""

    code = "unsupported-media-type"
    title = "Unsupported media type"


class BodyTooLarge(errors.ConsentError):
    """A body may have 16 KiB; decisions and policies may have 1 MiB."""

    code = "body-too-large"
    title = "Body too large"


class ValidationFailed(errors.InvalidInput):
    """The request does not have the form that the API documents."""

    code = "validation-failed"
    title = "Validation failed"


STATUS: Mapping[type[errors.ConsentError], int] = {
    MalformedJson: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    errors.InvalidInput: 422,
    errors.TooManyRequests: 429,
    errors.StoreUnavailable: 503,
    errors.ConsentError: 500,
}

_NOT_IN_THE_BODY = frozenset({"body", *FORMS})
"""What the framework puts before the place of a fault."""
_METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")
_STATUS_CODES = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 400: "bad-request"}


def status_of(error: errors.ConsentError) -> int:
    """Give the HTTP status of an error: its own, or that of the nearest class above it."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def problem(
    request_id: str, status: int, code: str, title: str, detail: str, extra: Mapping[str, Any] | None = None
) -> bytes:
    """Write a problem document."""
    members: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id}",
        "code": code,
    }
    return orjson.dumps(members | dict(extra or {}))


def error_response(request_id: str, error: errors.ConsentError) -> Response:
    """Answer with an error of the service's own."""
    status = status_of(error)
    body = problem(request_id, status, error.code, error.title, error.detail, _members(error))
    return Response(body, status, _headers(error), MEDIA_TYPE)


def log_error(request_id: str, error: errors.ConsentError) -> None:
    """Log an error that is this service's fault."""
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, errors.StoreUnavailable):
        _log.error("request %s failed: %s", request_id, type(error).__name__)


def _members(error: errors.ConsentError) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if isinstance(error, errors.InvalidInput):
        if error.missing:
            members["missing"] = list(error.missing)
        if error.faults:
            members["errors"] = [{"pointer": f.pointer, "code": f.code, "message": f.message} for f in error.faults]
    return members


def _headers(error: errors.ConsentError) -> dict[str, str]:
    if isinstance(error, Limited):
        return {"Retry-After": str(error.retry_after), **error.standing.headers()}
    if isinstance(error, errors.TooManyRequests | errors.StoreUnavailable):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="consent-service"'}
    if isinstance(error, errors.Forbidden) and not isinstance(error, errors.OriginNotAllowed):
        return {"WWW-Authenticate": 'Bearer realm="consent-service", error="insufficient_scope"'}
    return {}


def request_id_of(request: Request) -> str:
    """Give the request's id, as the envelope has set it."""
    request_id: str = request.state.request_id
    return request_id


def install(app: FastAPI) -> None:
    """Answer every error of the application, the framework's own included, as a problem."""
    app.add_exception_handler(errors.ConsentError, _on_consent_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


async def _on_consent_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, errors.ConsentError):
        raise error
    log_error(request_id_of(request), error)
    return error_response(request_id_of(request), error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    phrase = HTTPStatus(error.status_code).phrase
    code = _STATUS_CODES.get(error.status_code, phrase.lower().replace(" ", "-"))
    # One type has one title (RFC 9457 §3.1.3), whether it was the framework that refused or the service.
    title = phrase.capitalize()
    body = problem(request_id_of(request), error.status_code, code, title, f"{title}.")
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed_methods(request)) or headers.get("Allow", "")
    return Response(body, error.status_code, headers, MEDIA_TYPE)


def _allowed_methods(request: Request) -> list[str]:
    """Give the methods that this path takes; the framework names those of its first route (RFC 9110 §10.2.1)."""
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    routes = request.app.routes
    return [name for name, scope in scopes.items() if any(r.matches(scope)[0] is Match.FULL for r in routes)]


async def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return error_response(request_id_of(request), validation_failed(error.errors()))


def validation_failed(found: Any) -> ValidationFailed:
    """Turn pydantic's findings into faults with pointers, without the submitted values."""
    faults: list[errors.Fault] = []
    missing: list[str] = []
    for item in found:
        place = [part for part in item["loc"] if part not in _NOT_IN_THE_BODY]
        pointer = "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in place)
        if item["type"] == "missing":
            missing.append(str(place[-1]) if place else "body")
        faults.append(errors.Fault(pointer if place else "", item["type"].replace("_", "-"), item["msg"]))
    return ValidationFailed(
        f"The request has {len(faults)} fault(s).", tuple(faults[:100]), tuple(dict.fromkeys(missing))[:100]
    )
