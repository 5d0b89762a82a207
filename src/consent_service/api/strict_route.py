"""A route whose body is bounded, and whose JSON is read strictly before the framework sees it.

Who asks is settled first: a caller without a key learns nothing about what the body should have been.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from consent_service.api.deps import KeyGuard
from consent_service.api.problems import BodyTooLarge, UnsupportedMediaType
from consent_service.api.strict_json import strict_json

BODY_BYTES = 16 * 1024
LARGE_BODY_BYTES = 1024 * 1024
_LARGE = frozenset({"/v1/decisions", "/v1/policies"})


class StrictRequest(Request):
    """A request whose body is counted while it comes in, and whose JSON was read by `strict_json`."""

    _strict: Any

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Give the body in pieces; raises BodyTooLarge as soon as it is."""
        limit = LARGE_BODY_BYTES if self.url.path in _LARGE else BODY_BYTES
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > len(str(limit)) or int(declared) > limit):
            raise BodyTooLarge
        received = 0
        async for piece in super().stream():
            received += len(piece)
            if received > limit:
                raise BodyTooLarge
            yield piece

    async def json(self) -> Any:
        """Give the document."""
        return self._strict

    async def read_strictly(self, *, required: bool) -> None:
        """Read the body as strict JSON; where none is required there may be none, of whatever type."""
        body = await self.body()
        if body or required:
            check_media_type(self)
        if body:
            self._strict = strict_json(body)


class StrictRoute(APIRoute):
    """Asks for application/json and strict JSON wherever a route takes a body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's handler."""
        handle = super().get_route_handler()
        body = self.body_field
        guards = tuple(_guards(self.dependant))

        async def strict(request: Request) -> Response:
            wrapped = StrictRequest(request.scope, request.receive)
            for guard in guards:
                await guard.admit(wrapped)
            if body is None:
                await wrapped.body()
            else:
                await wrapped.read_strictly(required=body.field_info.is_required())
            return await handle(wrapped)

        return strict


def check_media_type(request: Request) -> None:
    """Refuse a body that is not declared as JSON: forms and plain text can be sent across sites without asking."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType


def _guards(dependant: Dependant) -> Iterator[KeyGuard]:
    for needed in dependant.dependencies:
        if isinstance(needed.call, KeyGuard):
            yield needed.call
        yield from _guards(needed)
