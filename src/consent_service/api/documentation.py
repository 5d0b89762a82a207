"""The API's documentation: the OpenAPI document and a page that reads it, with no request to another host.

The page's script and style come from an installed package; its start-up script is ours, in `web/`, because the
content security policy forbids inline scripts.
"""

from pathlib import Path
from typing import Any

import fastapi_offline
import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from consent_service import __version__
from consent_service.api.documented import Problem
from consent_service.api.openapi_details import describe

_ASSETS = Path(fastapi_offline.__file__).parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>consent-service API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<main id="api"></main>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/static/docs.js"></script>
</body>
</html>
"""
_SUMMARY = "Asks and answers: may I set this cookie or fire this pixel, for this visitor?"
_TAGS = [
    {"name": "browser", "description": "The banner in a page; the visitor is known by a cookie."},
    {"name": "storefront", "description": "The shop's servers, with a key of scope `decide` or `manage`."},
    {"name": "operations", "description": "Staff, with a key of scope `audit` or `admin`."},
    {"name": "public", "description": "No credential."},
]


def install(app: FastAPI) -> None:
    """Add the document and the page."""
    app.mount("/docs/assets", StaticFiles(directory=_ASSETS), name="docs-assets")
    app.add_route("/docs", _docs, include_in_schema=False)
    app.add_route("/openapi.json", _document, include_in_schema=False)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Build the OpenAPI document once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title="consent-service", version=__version__, summary=_SUMMARY, routes=app.routes, tags=_TAGS,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )  # fmt: skip
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs", {}) | {"Problem": problem}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        describe(document)
        app.openapi_schema = document
    return app.openapi_schema


async def _docs(request: Request) -> Response:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


async def _document(request: Request) -> Response:
    return Response(orjson.dumps(openapi_document(request.app)), media_type="application/json")
