"""A shop for the banner to stand in: pages, the static files, and the service behind the same host.

Everything a test sets (pages, faults, the region a proxy would add) is set here, in front of the service, so that the same
tests can make the service go away, or answer garbage, at any moment.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from tests.browser.service import Answer

STRICT_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'"
HEAD = (
    '<!doctype html><html lang="{lang}" dir="{dir}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title>'
    '<link rel="icon" href="/pixel"><link rel="stylesheet" href="/shop.css">'
)
CONTENT = (
    '<header><a href="/">Field &amp; Thread</a><nav><a href="/new">New</a> <a href="/sale">Sale</a></nav></header>'
    "<main><h1>Made to last</h1><p>Everyday pieces in linen, wool and cotton.</p>"
    '<ul class="goods"><li>Linen shirt</li><li>Wool scarf</li><li>Canvas bag</li><li>Cotton socks</li></ul>'
    '<button id="buy">Add to cart</button></main>'
)
STYLE = """
body { margin: 0; font: 1rem/1.5 Georgia, serif; color: #222; background: #faf8f4; }
header { display: flex; justify-content: space-between; padding: 1rem 2rem; background: #fff; }
header a { color: #222; } main { padding: 2rem; } h1 { font-size: 2.4rem; margin: 0; }
.goods { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; padding: 0; list-style: none; }
.goods li { padding: 7rem 1rem 1rem; background: #e9e2d6; } button { text-transform: uppercase; background: #703; color: #fff; }
@media (prefers-color-scheme: dark) { body, header { background: #14120f; color: #eee; } a, header a { color: #eee; }
.goods li { background: #2a2620; } }
"""

type_of_backend = Callable[[str, str, Mapping[str, str], bytes, str], Answer]


@dataclass
class Fault:
    """What comes instead of the service's answer; status 0 drops the connection, a body replaces the problem's."""

    status: int
    code: str = "unavailable"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None

    def answer(self) -> Answer:
        """Make the answer."""
        problem = json.dumps({"type": f"/problems/{self.code}", "status": self.status, "code": self.code}).encode()
        media = [("Content-Type", "application/json")]
        return Answer(self.status, problem if self.body is None else self.body, (*media, *self.headers))


@dataclass
class Seen:
    """One request that reached the shop's host."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Shop:
    """An HTTP server on loopback; use `url`, `show` and the lists."""

    def __init__(self, backend: type_of_backend) -> None:
        self.backend = backend
        self.region = "FR"
        self.seen: list[Seen] = []
        self.faults: list[tuple[str, Fault]] = []
        self.pages: dict[str, str] = {}
        self.policy = STRICT_POLICY
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def show(
        self,
        body: str = "",
        *,
        tag: str = "",
        head: str = "",
        lang: str = "en",
        direction: str = "ltr",
        path: str = "/",
    ) -> str:
        """Put a page with the banner's tag on the host and return its address; `tag` is the tag's other attributes."""
        script = f'<script src="/static/choices.js" defer {tag}></script>'
        start = HEAD.format(lang=lang, dir=direction)
        self.pages[path] = f"{start}{head}{script}</head><body>{CONTENT}{body}</body></html>"
        return self.url + path

    def writes(self) -> list[Seen]:
        """Return the requests that change something at the service, in order."""
        return [one for one in self.seen if one.target.startswith("/v1/") and one.method != "GET"]

    def answer(self, one: Seen) -> Answer:
        """Answer a request: fault, service or page."""
        path = urlsplit(one.target).path
        for index, (method, fault) in enumerate(self.faults):
            if path.startswith("/v1/") and one.method == method:
                del self.faults[index]
                return fault.answer()
        if path.startswith(("/v1/", "/static/", "/.well-known/")):
            return self.backend(one.method, one.target, one.headers, one.body, self.region)
        if path in {"/shop.css", "/pixel"}:
            return Answer(200, STYLE.encode(), (("Content-Type", "text/css" if path == "/shop.css" else "image/png"),))
        page = self.pages.get(path)
        if page is None:
            return Fault(404, "not-found").answer()
        media = {".js": "text/javascript", ".css": "text/css"}.get(PurePosixPath(path).suffix, "text/html")
        headers = (("Content-Type", f"{media}; charset=utf-8"), ("Content-Security-Policy", self.policy))
        return Answer(200, page.encode(), headers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                one = Seen(self.command, self.path, self.headers, body)
                shop.seen.append(one)
                answer = shop.answer(one)
                if answer.status == 0:
                    self.close_connection = True
                    return
                self.respond(answer)

            do_GET = do_PUT = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 - names given by http.server

            def respond(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
                """Keep quiet."""

        return Handler
