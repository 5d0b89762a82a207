"""A route whose JSON body is read strictly before the framework sees it."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from consent_service.api.problems import UnsupportedMediaType
from consent_service.api.strict_json import strict_json

_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class StrictRequest(Request):
    """A request whose JSON was read by `strict_json`; the framework validates what that gave."""

    _strict: Any

    async def json(self) -> Any:
        """Give the document."""
        return self._strict


class StrictRoute(APIRoute):
    """Asks for application/json and strict JSON wherever a route takes a body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's handler."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            if not takes_body:
                return await handle(request)
            wrapped = StrictRequest(request.scope, request.receive)
            body = await wrapped.body()
            if body or request.method in _BODY_METHODS:
                check_media_type(request)
            if body:
                wrapped._strict = strict_json(body)  # noqa: SLF001 - its own class, three lines above
            return await handle(wrapped)

        return strict


def check_media_type(request: Request) -> None:
    """Refuse a body that is not declared as JSON: forms and plain text can be sent across sites without asking."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType
