"""The pages of docs/integrations, each run as it stands: its code, its command, the real framework and service."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from consent_client import ConsentClient, Problem
from consent_client._http import httpx
from consent_client.setcookie import parse_set_cookie

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "integrations"
KEY = "cs_manage_" + "integrations" * 4
ORIGIN = "https://shop.example"
ALLOWED_BEFORE_A_CHOICE = {"session"}
# `make test` unpacks one into the environment where the machine has none.
NGINX = shutil.which(
    "nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", f"{sys.prefix}/nginx/usr/sbin"])
)


def free_port() -> int:
    """Find a port on the loopback interface that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], directory: Path, ready: str, **variables: str) -> Iterator[None]:
    """Run a server until the block ends; the block begins when its address answers."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(directory), *filter(None, sys.path)]), **variables}
    log = directory / f"{free_port()}.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - the documentation's own command
            command, cwd=directory, env=environment, stdout=output, stderr=subprocess.STDOUT
        ) as server,
    ):
        try:
            wait_for(ready, server, log)
            yield
        finally:
            server.terminate()


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an address answers, whatever it answers; fail with the server's own words where it does not."""
    deadline = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(address, timeout=30)
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{address} did not answer: {log.read_text('utf-8', 'replace')[-4000:]}")


@dataclass(frozen=True)
class Service:
    """A running service, and visitors of it."""

    url: str
    key: str

    def visitor_who_granted(self, *categories: str) -> dict[str, str]:
        """Choose as a browser would, and give the cookies that it got."""
        with ConsentClient(self.url, self.key, timeout=10) as client:
            table = client.from_state(None).table
        assert table is not None
        granted = {"strictly_necessary", *categories}
        body = {
            "action": "custom",
            "policy_version": table.policy_version,
            "locale": "en",
            "method": "banner",
            "choices": {
                name: name in granted for name in httpx.get(f"{self.url}/v1/consent", timeout=30).json()["categories"]
            },
            "gpc": False,
            "dnt": None,
        }
        headers = {"origin": ORIGIN, "sec-fetch-site": "same-site"}
        answer = httpx.put(f"{self.url}/v1/consent", json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return dict(answer.cookies)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Start the service as `consent-service serve` does, on a store and keys of its own."""
    directory, port = tmp_path_factory.mktemp("service"), free_port()
    url = f"http://127.0.0.1:{port}"
    variables = {"CONSENT_PORT": str(port), "CONSENT_BOOTSTRAP_KEY": KEY, "CONSENT_INSECURE_COOKIES": "1"}
    program = "import sys; from consent_service.cli import main; sys.exit(main())"
    with running([sys.executable, "-c", program, "serve"], directory, f"{url}/livez", **variables):
        yield Service(url, KEY)


@dataclass(frozen=True)
class Page:
    """A page of the documentation."""

    text: str

    def blocks(self, language: str) -> list[str]:
        """Give the fenced blocks of a language."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.DOTALL | re.MULTILINE)

    @contextmanager
    def server(self, command: int, directory: Path, service: Service, **variables: str) -> Iterator[str]:
        """Write the page's Python into the module that its command names, run that command and give the address."""
        words = shlex.split(self.blocks("sh")[command])
        module = "gate" if "gate:app" in words else "shop"
        (directory / f"{module}.py").write_text("\n".join(self.blocks("python")), "utf-8")
        port = free_port()
        words = [sys.executable, *words[1 : words.index("--port") + 1], str(port)]
        address = f"http://127.0.0.1:{port}"
        # A busy machine gets more time than a visitor would be asked for.
        variables |= {"CONSENT_URL": service.url, "CONSENT_KEY": service.key, "CONSENT_TIMEOUT": "10"}
        with running(words, directory, address, **variables):
            yield address


def browse(address: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """Ask for a page as a browser does."""
    return httpx.get(address, headers=headers, timeout=30)


def page(name: str) -> Page:
    """Read a page."""
    return Page((PAGES / name).read_text("utf-8"))


def cookies_set(answer: httpx.Response) -> set[str]:
    """Give the names of the cookies that an answer sets."""
    read = [parse_set_cookie(line, 0) for line in answer.headers.get_list("set-cookie")]
    return {cookie.name for cookie in read if not cookie.deletes}


SHOPS = [("fastapi.md", 0), ("flask.md", 0), ("django.md", 0), ("django.md", 1)]


@pytest.fixture(params=SHOPS, ids=["fastapi", "flask", "django-asgi", "django-wsgi"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, service: Service) -> Iterator[str]:
    """Start the shop of a page and give its address."""
    name, command = request.param
    with page(name).server(command, tmp_path, service) as address:
        yield address


def test_the_documented_shop_sets_what_the_visitor_allows_and_nothing_else(shop: str, service: Service) -> None:
    before = browse(shop)
    assert before.status_code == 200
    assert cookies_set(before) == ALLOWED_BEFORE_A_CHOICE
    assert "analytics.example" not in before.text

    granted = service.visitor_who_granted("analytical_performance")
    agreed = browse(shop, headers=cookie_header(granted))
    assert cookies_set(agreed) == {"session", "_ga"}
    assert '<script src="https://analytics.example/tag.js"></script>' in agreed.text
    assert {"Cookie", "DNT", "Sec-GPC"} <= {name.strip() for name in agreed.headers["vary"].split(",")}
    assert agreed.headers["consent-vector"][6] == "1"
    [analytics] = [line for line in agreed.headers.get_list("set-cookie") if line.startswith("_ga=")]
    assert 0 < (parse_set_cookie(analytics, 0).lifetime or 0) <= 366 * 86_400 / 2 + 86_400

    refused = browse(shop, headers=cookie_header(service.visitor_who_granted() | {"_ga": "old"}))
    assert cookies_set(refused) == ALLOWED_BEFORE_A_CHOICE
    assert any(line.startswith("_ga=;") for line in refused.headers.get_list("set-cookie"))


def test_every_method_of_the_client_is_understood_by_the_service(service: Service) -> None:
    """Contract §12, against the real thing."""
    with ConsentClient(service.url, service.key, timeout=10) as client:
        visitor_id = client.new_visitor()
        recorded = client.record(visitor_id, "accept_all")
        client.record(visitor_id, "accept_all", channel="email")
        asked = client.decide(visitor_id, ["_ga", "advertising", "nobody_knows_it"], region="FR")
        [mail] = client.decide_many([{"visitor_id": visitor_id, "trackers": ["mail_open_individual"]}])
        assert (recorded["visitor_id"], recorded["revision"]) == (visitor_id, 1)
        assert [asked[name].reason for name in asked] == ["granted", "granted", "unregistered"]
        assert mail.allows("mail_open_individual")
        assert client.decide(visitor_id, ["_fbp"], gpc=True)["_fbp"].reason == "gpc"
        assert client.output(visitor_id, "meta")["consent"] == "revoke"
        assert client.link_account(visitor_id, "customer 7")["visitor_id"] == visitor_id
        assert client.unlink_account(visitor_id)["visitor_id"] == visitor_id
        assert "/withdraw/" in str(client.withdrawal_link(visitor_id)["url"])
        client.withdraw(visitor_id)
        assert client.consent(visitor_id)["prompt"] is False
        assert client.decide(visitor_id, ["_ga"])["_ga"].reason == "withdrawn"
        with pytest.raises(Problem, match="policy-version-unknown"):
            client.record(visitor_id, "accept_all", policy_version="never published")


def test_report_only_is_how_a_shop_begins(tmp_path: Path, service: Service) -> None:
    with page("fastapi.md").server(0, tmp_path, service, CONSENT_REPORT_ONLY="1") as address:
        assert cookies_set(browse(address)) == {"session", "_ga", "_fbp"}
        assert browse(f"{address}/audit").json() == {"unregistered": []}


def cookie_header(cookies: dict[str, str]) -> dict[str, str]:
    """Write cookies as a browser sends them."""
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def test_the_gate_of_the_proxy_page_answers_by_status(tmp_path: Path, service: Service) -> None:
    with page("proxy.md").server(0, tmp_path, service) as gate:
        granted = cookie_header(service.visitor_who_granted("advertising"))
        assert browse(f"{gate}/?name=_fbp").status_code == 403
        assert browse(f"{gate}/?name=_fbp", headers=granted).status_code == 204
        assert browse(f"{gate}/?name=_fbp&name=_ga", headers=granted).status_code == 403
        assert browse(f"{gate}/?name=_fbp", headers={**granted, "sec-gpc": "1"}).status_code == 403
        assert browse(f"{gate}/", headers=granted).headers["consent-vector"] == "00100100"


@contextmanager
def plain_shop() -> Iterator[int]:
    """Serve a shop that answers with the vector it was told."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (self.headers.get("consent-vector") or "none").encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's signature
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed: its configuration in proxy.md was not run")
def test_nginx_runs_the_documented_configuration(tmp_path: Path, service: Service) -> None:
    with ExitStack() as stack:
        gate = stack.enter_context(page("proxy.md").server(0, tmp_path, service))
        shop_port, front = stack.enter_context(plain_shop()), free_port()
        address = f"http://127.0.0.1:{front}"
        command = nginx_command(tmp_path, front, service.url, gate, shop_port)
        stack.enter_context(running(command, tmp_path, f"{address}/.well-known/gpc.json"))
        granted = cookie_header(service.visitor_who_granted("advertising"))
        assert browse(address, headers=granted).text == "00100100"
        assert browse(address, headers={"consent-vector": "11111111"}).text == "00000100"
        assert browse(f"{address}/pixels/p.gif", headers=granted).status_code == 200
        assert browse(f"{address}/pixels/p.gif").status_code == 403
        assert browse(f"{address}/v1/consent", headers=granted).json()["visitor_id"] is not None
        assert browse(f"{address}/_consent").status_code == 404
        assert browse(f"{address}/v1/trackers", headers={"authorization": f"Bearer {KEY}"}).text == "00000100"

        undecided = nginx_command(tmp_path, front := free_port(), service.url, f"x:{free_port()}", shop_port)
        address = f"http://127.0.0.1:{front}"
        stack.enter_context(running(undecided, tmp_path, f"{address}/.well-known/gpc.json"))
        assert browse(address, headers=granted).text == "00000100"
        assert browse(f"{address}/pixels/p.gif", headers=granted).status_code == 403


def nginx_command(directory: Path, front: int, service: str, gate: str, shop: int) -> list[str]:
    """Write the page's configuration with the ports of this test, and give the command that runs it."""
    [server] = page("proxy.md").blocks("nginx")
    ports = {"8000": front, "8080": service.rpartition(":")[2], "9100": gate.rpartition(":")[2], "9000": shop}
    for documented, real in ports.items():
        server = server.replace(f"127.0.0.1:{documented}", f"127.0.0.1:{real}")
    places = "".join(
        f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off;\nerror_log {directory}/error.log;\npid {directory}/{front}.pid;\nevents {{}}\n"
    written = directory / f"nginx{front}.conf"
    written.write_text(f"{main}http {{\naccess_log off;\n{places}{server}}}\n", "utf-8")
    assert NGINX is not None
    return [NGINX, "-p", str(directory), "-c", str(written)]
