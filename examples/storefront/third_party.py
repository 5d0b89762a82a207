"""A stand-in for everybody else: an advertising network, an analytics service, a video host and a like button.

It runs under a host of its own (`localhost`, where the shop is `127.0.0.1`), recognises browsers by its own cookie and
remembers everything it is sent. What it saw is what the visitor's refusal has to keep at nothing.
"""

import secrets
from base64 import b64decode
from collections import OrderedDict
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

_PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_COOKIE = "partner_id"
_YEAR = 31_536_000
_MOST_VISITS = 2_000
_MOST_EACH = 50

_ANALYTICS = """"use strict";
(() => {
  const own = document.currentScript;
  const visit = new URL(own.src).searchParams.get("visit");
  document.cookie = "_gid=" + Math.random().toString(16).slice(2) + "; Path=/; Max-Age=86400; SameSite=Lax";
  new Image().src = new URL("/collect.gif?" + new URLSearchParams({ visit, page: location.pathname }), own.src).href;
})();
"""
_VIDEO = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Video</title>
<style>
html,body{height:100%;margin:0;background:#10221c;font:600 15px system-ui,sans-serif;color:#e9dfc8;overflow:hidden}
svg{width:100%;height:100%;display:block}.steam{animation:rise 3s ease-in-out infinite;transform-origin:center}
@keyframes rise{0%{opacity:0;transform:translateY(8px)}50%{opacity:.9}100%{opacity:0;transform:translateY(-14px)}}
@media (prefers-reduced-motion:reduce){.steam{animation:none}}
</style><svg viewBox="0 0 320 180" role="img" aria-label="Tea being poured">
<rect width="320" height="180" fill="#10221c"/><rect y="140" width="320" height="40" fill="#1c3a30"/>
<g class="steam" fill="none" stroke="#e9dfc8" stroke-width="3" stroke-linecap="round">
<path d="M148 78q-8-12 0-22t0-22"/><path d="M168 78q8-12 0-22t0-22"/></g>
<path d="M118 90h80v28a32 32 0 0 1-32 32h-16a32 32 0 0 1-32-32z" fill="#d9893b"/>
<path d="M198 98h10a14 14 0 0 1 0 28h-12" fill="none" stroke="#d9893b" stroke-width="8"/>
<text x="14" y="170" fill="#e9dfc8" font-size="8">video partner – it knows that you are watching</text></svg></html>"""
_LIKE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Like</title>
<style>body{margin:0;font:600 14px system-ui,sans-serif}button{font:inherit;border:0;border-radius:99px;
padding:8px 14px;background:#3457b1;color:#fff;cursor:pointer}</style><button type="button">♥ Like</button></html>"""


class Memory:
    """Everything that reached the third party, by the reference that the shop's pages passed on."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, list[dict[str, str]]] = OrderedDict()

    def note(self, visit: str, entry: dict[str, str]) -> None:
        """Keep an entry."""
        entries = self._seen.setdefault(visit[:64], [])
        entries.append(entry)
        del entries[:-_MOST_EACH]
        if len(self._seen) > _MOST_VISITS:
            self._seen.popitem(last=False)

    def about(self, visit: str) -> list[dict[str, str]]:
        """Give what is known about a visit, the oldest first."""
        return self._seen.get(visit, [])


def recognised(request: Request, what: str, answer: Response) -> Response:
    """Remember a request, by a cookie that is set where the browser has none yet."""
    partner_id = request.cookies.get(_COOKIE) or secrets.token_hex(6)
    page = request.query_params.get("page", "") or urlsplit(request.headers.get("referer", "")).path
    memory: Memory = request.app.state.memory
    known = "recognised" if _COOKIE in request.cookies else "new"
    memory.note(
        request.query_params.get("visit", ""),
        {"what": what, "page": page[:200], "partner_id": partner_id, "browser": known},
    )
    # A cookie for other people's pages needs SameSite=None, and that needs Secure; browsers trust `localhost` with it.
    answer.set_cookie(_COOKIE, partner_id, max_age=_YEAR, samesite="none", secure=True)
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def pixel(request: Request) -> Response:
    """Answer the advertising network's pixel."""
    return recognised(request, "meta_pixel", Response(_PIXEL, media_type="image/gif"))


async def collect(request: Request) -> Response:
    """Take what the analytics script sends."""
    return recognised(request, "google_analytics", Response(_PIXEL, media_type="image/gif"))


async def analytics(_: Request) -> Response:
    """Give the analytics script, which sets a cookie of its own in the shop's pages."""
    return Response(_ANALYTICS, media_type="text/javascript")


async def video(request: Request) -> Response:
    """Give the video."""
    return recognised(request, "youtube_video", HTMLResponse(_VIDEO))


async def like(request: Request) -> Response:
    """Give the like button."""
    return recognised(request, "facebook_like", HTMLResponse(_LIKE))


async def seen(request: Request) -> Response:
    """Tell the shop's server, for the page that shows it, what is known about a visit."""
    memory: Memory = request.app.state.memory
    return JSONResponse({"seen": memory.about(request.path_params["visit"])})


async def alive(_: Request) -> Response:
    """Say that the server is up, and remember nobody."""
    return Response("a stand-in for third parties\n", media_type="text/plain")


def create_third_party() -> Starlette:
    """Make the application."""
    handlers = {
        "/": alive, "/pixel.gif": pixel, "/collect.gif": collect, "/analytics.js": analytics, "/video": video,
        "/like": like, "/seen/{visit}": seen,
    }  # fmt: skip
    app = Starlette(routes=[Route(path, handler) for path, handler in handlers.items()])
    app.state.memory = Memory()
    return app
