"""The first-party recipe under a real nginx: two replicas on PostgreSQL behind the shop's own host.

Where no nginx is installed (CONSENT_TEST_NGINX names one elsewhere), what needs it is left out with a line that says so.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.postgres import create_database, drop_database
from tests.support.service_process import AUTHORIZATION, ServiceProcess, service_process

NGINX = Path(__file__).parents[2] / "deploy" / "nginx"
HOST = "shop.example"
ORIGIN = "https://shop.example"
# `make test` unpacks one into the environment where none is installed (scripts/ensure_nginx.py).
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", f"{sys.prefix}/nginx/usr/sbin"])
PROGRAM = shutil.which(os.environ.get("CONSENT_TEST_NGINX", "nginx"), path=PLACES) or ""
with_nginx = pytest.mark.skipif(
    not PROGRAM, reason="nginx is not installed: the recipe is not run (apt-get install nginx)"
)


def configuration(directory: Path, listen: int, replicas: list[int]) -> str:
    """Put the recipe as it stands into a whole configuration, on loopback and without TLS."""
    recipe = (NGINX / "first-party.conf").read_text("utf-8")
    servers = "\n".join(f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=2s;" for port in replicas)
    recipe = re.sub(r"(?m)^    server 127.*\n    server 127.*$", servers, recipe)
    recipe = re.sub(r"(?m)^    ssl_.*\n", "", recipe).replace("listen 443 ssl;", f"listen 127.0.0.1:{listen};")
    recipe = recipe.replace("conf.d/consent-locations.inc", f'"{NGINX / "consent-locations.inc"}"')
    kept = "".join(
        f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log; worker_processes 1;\n"
        f"events {{ worker_connections 64; }}\nhttp {{ access_log {directory}/access.log; {kept}\n{recipe}\n}}\n"
    )


@dataclass
class Shop:
    """The shop's host: nginx with two replicas behind it."""

    address: str
    replicas: tuple[ServiceProcess, ServiceProcess]
    directory: Path

    def browser(self, **fields: str) -> httpx.AsyncClient:
        """Open a page of the shop."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        headers = {"Host": HOST, "Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", **named}
        return httpx.AsyncClient(base_url=self.address, headers=headers, trust_env=False, timeout=20)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Shop]:
    """Run the whole once: PostgreSQL, two replicas, nginx. The last test takes one of the replicas away."""
    directory = tmp_path_factory.mktemp("shop")
    database = create_database(postgres_url)
    settings = {
        "CONSENT_TRUSTED_PROXIES": "127.0.0.1/32",
        "CONSENT_REGION_HEADER": "X-Consent-Region",
        "CONSENT_PUBLIC_URL": ORIGIN,
    }
    port = free_port()
    with (
        service_process(directory, database, **settings) as first,
        service_process(directory, database, **settings) as second,
    ):
        first.begin()
        second.begin()
        first.wait_until_ready()
        second.wait_until_ready()
        file = directory / "nginx.conf"
        file.write_text(configuration(directory, port, [first.port, second.port]), "utf-8")
        process = subprocess.Popen([PROGRAM, "-c", str(file), "-p", str(directory)])
        try:
            answering(f"http://127.0.0.1:{port}")
            yield Shop(f"http://127.0.0.1:{port}", (first, second), directory)
        finally:
            process.terminate()
            process.wait(timeout=30)
    drop_database(database)


def answering(address: str) -> None:
    """Wait until nginx listens."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False) as client:
        client.get(f"{address}/v1/banner", headers={"Host": HOST})


def answer(version: str, action: str) -> dict[str, object]:
    """Give the body of a visitor's answer."""
    return {"action": action, "policy_version": version, "locale": "en", "method": "banner"}


async def published(shop: Shop) -> str:
    """Give the policy version in force, as the banner shows it."""
    async with shop.browser() as page:
        found: str = (await page.get("/v1/banner")).json()["policy_version"]
        return found


@with_nginx
def test_nginx_takes_the_recipe(tmp_path: Path) -> None:
    file = tmp_path / "nginx.conf"
    file.write_text(configuration(tmp_path, free_port(), [8080, 8081]), "utf-8")
    checked = subprocess.run(
        [PROGRAM, "-t", "-c", str(file), "-p", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@with_nginx
async def test_a_visitor_consents_and_withdraws_under_the_shops_own_host(shop: Shop) -> None:
    """SVC-08: first-party cookies, the origin checked, and the next request on whatever replica sees the withdrawal."""
    version = await published(shop)
    async with shop.browser() as page:
        given = await page.put("/v1/consent", json=answer(version, "accept_all"))
        page.headers["Cookie"] = "; ".join(field.split(";")[0] for field in given.headers.get_list("set-cookie"))
        seen = [(await page.get("/v1/consent")).json()["categories"]["advertising"]["allow"] for _ in range(4)]
        await page.delete("/v1/consent")
        after = [(await page.get("/v1/consent")).json()["categories"]["advertising"]["allow"] for _ in range(4)]
    assert given.status_code == 201
    assert all("Domain" not in field for field in given.headers.get_list("set-cookie"))
    assert (seen, after) == ([True] * 4, [False] * 4)


@with_nginx
async def test_the_origin_is_checked_behind_the_proxy_too(shop: Shop) -> None:
    """SVC-08: foreign Origin 403, JSON from the shop (as `fetch` with keepalive sends it) 201, text/plain 415."""
    version = await published(shop)
    async with shop.browser() as page, shop.browser(Origin="https://evil.example", Sec_Fetch_Site="cross-site") as evil:
        foreign = await evil.put("/v1/consent", json=answer(version, "accept_all"))
        own = await page.put("/v1/consent", json=answer(version, "reject_all"))
        form = await page.put("/v1/consent", content=b"{}", headers={"Content-Type": "text/plain"})
    assert (foreign.status_code, own.status_code, form.status_code) == (403, 201, 415)


@with_nginx
async def test_a_visitor_cannot_claim_a_region_or_an_address(shop: Shop) -> None:
    """What only the proxy may say is written by the proxy, and by nobody else."""
    claims = {"X-Consent-Region": "US-CA", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"}
    async with shop.browser() as page:
        state = (await page.get("/v1/consent", headers=claims)).json()
    assert (state["region"], state["site"]) == (None, "default")


@with_nginx
@pytest.mark.parametrize(
    "path",
    [
        "/v1/decisions",
        "/v1/keys",
        "/v1/policies",
        "/v1/webhooks",
        "/v1/visitors/x/consent",
        "/v1/consents",
        "/metrics",
        "/ops",
    ],
)
async def test_the_shops_host_opens_the_browser_plane_alone(shop: Shop, path: str) -> None:
    """Everything else goes to the shop, which is not there in this test."""
    async with shop.browser() as page:
        answered = await page.get(path, headers=AUTHORIZATION)
    assert answered.status_code == 502
    assert answered.headers["server"].startswith("nginx")


@with_nginx
async def test_no_visit_of_the_consent_paths_is_in_the_proxys_log(shop: Shop) -> None:
    """C4."""
    async with shop.browser(User_Agent="CanaryBrowser/7.3") as page:
        await page.get("/v1/consent?x=canary-query")
    assert "anary" not in (shop.directory / "access.log").read_text("utf-8")


def test_the_recipe_writes_anew_what_only_the_proxy_may_say() -> None:
    locations = (NGINX / "consent-locations.inc").read_text("utf-8")
    written = dict(re.findall(r"proxy_set_header (\S+) (\S+);", locations))
    assert written["X-Forwarded-For"] == "$remote_addr"
    assert written["X-Forwarded-Host"] == "$host"
    assert written["X-Consent-Region"] == "$consent_region"
    assert "access_log off;" in locations


@with_nginx
async def test_a_replica_that_is_gone_costs_no_visitor_an_answer(shop: Shop) -> None:
    """D2: nginx passes over a replica that does not answer."""
    version = await published(shop)
    shop.replicas[0].kill()
    async with shop.browser() as page:
        answers = [await page.put("/v1/consent", json=answer(version, "reject_all")) for _ in range(6)]
    assert [found.is_success for found in answers] == [True] * 6
