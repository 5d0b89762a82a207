"""What browsers load: the banner's script, style and words, for pages of every origin.

A shop's page names the script with `crossorigin` and `integrity`, which asks for CORS, and may isolate itself, which
asks for CORP. Nothing here depends on who asks, so anybody may cache it.
"""

from pathlib import Path, PurePath
from typing import Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

WEB = Path(__file__).parent.parent / "web"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
}
"""Our own table: what a machine says of `.mjs` differs, and a browser runs a module of no other type."""
_SMALLEST = 512
"""Bytes; what is smaller is not worth compressing."""


class CrossOriginFiles(StaticFiles):
    """Files that any page may load as a module or with an integrity value."""

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        """Give a file that may be used across origins and is asked for again when it changed."""
        response = super().file_response(full_path, *args, **kwargs)
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Cache-Control"] = "public, max-age=300"
        # Weak, because the compressed file has the same tag (RFC 9110 §8.8.1).
        response.headers["ETag"] = f"W/{response.headers['ETag'].removeprefix('W/')}"
        media = _TYPES.get(PurePath(full_path).suffix)
        if media is not None and "content-type" in response.headers:
            response.headers["Content-Type"] = media
        return response


def install(app: FastAPI) -> None:
    """Serve the files below /static/."""
    app.mount("/static", GZipMiddleware(CrossOriginFiles(directory=WEB), minimum_size=_SMALLEST), name="static")
