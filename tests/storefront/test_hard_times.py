"""The shop without the service, without the third party, and with visitors who send what no page of it sends."""

from collections.abc import AsyncIterator

import httpx
import pytest

from consent_client.setcookie import parse_set_cookie
from examples.storefront.app import create_app
from examples.storefront.settings import Settings
from tests.support.ports import free_port


@pytest.fixture
async def lonely() -> AsyncIterator[httpx.AsyncClient]:
    """Open a shop whose neighbours are all away."""
    away = f"http://127.0.0.1:{free_port()}"
    shop = create_app(Settings(away, "cs_manage_none", away, b"secret"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shop), base_url="http://127.0.0.1:8081") as client:
        yield client


def set_by(answer: httpx.Response) -> set[str]:
    read = [parse_set_cookie(line, 0) for line in answer.headers.get_list("set-cookie")]
    return {cookie.name for cookie in read if not cookie.deletes}


async def test_without_the_service_the_shop_opens_and_sets_nothing(lonely: httpx.AsyncClient) -> None:
    """Not even its session: which cookies are exempt is known from the service alone, and it never told."""
    answer = await lonely.get("/products/teapot", headers={"Cookie": "consent_visitor=v1.AAAAAAAAAAAAAAAAAAAAAA.x"})
    assert answer.status_code == 200
    assert "Ember teapot" in answer.text
    assert set_by(answer) == set()
    assert "/pixel.gif" not in answer.text


async def test_without_the_service_every_part_of_the_shop_still_answers(lonely: httpx.AsyncClient) -> None:
    pages = [await lonely.get(path) for path in ("/", "/cart", "/login", "/jar", "/newsletter/mail", "/metrics")]
    forms = {
        "/cart": {"slug": "mug"},
        "/login": {"name": "a"},
        "/newsletter": {"email": "a@b.example", "measure": "yes"},
    }
    sent = [await lonely.post(path, data=fields) for path, fields in forms.items()]
    assert {page.status_code for page in pages} == {200}
    assert {answer.status_code for answer in sent} == {303}
    assert "the service gave no answer" in pages[3].text


@pytest.mark.parametrize(
    ("path", "fields", "headers", "status"),
    [
        ("/cart", {"slug": "mug"}, {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/cart", {"slug": "x" * 5_000}, {}, 413),
        ("/cart", {"slug": "nothing of ours"}, {}, 303),
        ("/login", {"name": ""}, {}, 303),
    ],
)
async def test_forms_that_no_page_sends_do_nothing(
    lonely: httpx.AsyncClient, path: str, fields: dict[str, str], headers: dict[str, str], status: int
) -> None:
    answer = await lonely.post(path, data=fields, headers=headers)
    assert answer.status_code == status
    assert set_by(answer) == set()


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "x"])
async def test_nobody_is_sent_to_another_host(lonely: httpx.AsyncClient, back: str) -> None:
    answer = await lonely.post("/language", data={"lang": "de", "back": back})
    assert answer.headers["location"] == "/"


async def test_a_cart_that_somebody_wrote_by_hand_holds_only_what_the_shop_sells(lonely: httpx.AsyncClient) -> None:
    answer = await lonely.get("/cart", headers={"Cookie": "cart=mug.2-bomb.1-teapot.x-fern.0-blanket.1000"})
    assert answer.text.count('<th scope="row"><a') == 1
    assert "×&nbsp;2" in answer.text


async def test_a_product_that_is_none_is_a_page_all_the_same(lonely: httpx.AsyncClient) -> None:
    assert (await lonely.get("/products/bomb")).status_code == 404
