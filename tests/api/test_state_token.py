"""The signed half of `consent_state`: a storefront can check it with the published keys alone (contract §3)."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.support.builders import NOW
from tests.support.service import ADDRESS, Running, choices, submission


def decoded(part: str) -> bytes:
    """Read base64url without padding."""
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def opened(browser: httpx.AsyncClient) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Give the vector, the header and the claims of the cookie, once the signature is found good."""
    vector, header, claims, signature = browser.cookies["consent_state"].split(".")
    head = json.loads(decoded(header))
    keys = {key["kid"]: key for key in (await browser.get("/.well-known/jwks.json")).json()["keys"]}
    public = Ed25519PublicKey.from_public_bytes(decoded(keys[head["kid"]]["x"]))
    public.verify(decoded(signature), f"{header}.{claims}".encode())
    return vector, head, json.loads(decoded(claims))


async def test_the_token_verifies_and_says_what_the_contract_says(browser: httpx.AsyncClient, visitor: str) -> None:
    vector, header, claims = await opened(browser)

    assert header["alg"] == "EdDSA"
    assert claims == {
        "iss": ADDRESS,
        "aud": "default",
        "sub": visitor,
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(minutes=15)).timestamp()),
        "pv": "v1",
        "rev": 1,
        "cat": vector,
        "dnt": None,
        "gpc": False,
        "sso": False,
        "rg": "opt_in",
    }


async def test_the_vector_has_the_order_of_the_vocabulary(browser: httpx.AsyncClient) -> None:
    """Technical, personalization, advertising, statistical, social media, strictly necessary, analytical, functionality."""
    chosen = choices("technical", "statistical", "functionality")
    await browser.put("/v1/consent", json=submission("custom", choices=chosen))
    vector, _, claims = await opened(browser)

    assert vector == claims["cat"] == "10010101"


async def test_signals_are_in_the_token(browser: httpx.AsyncClient) -> None:
    await browser.put("/v1/consent", json=submission(), headers={"Sec-GPC": "1", "DNT": "1"})
    vector, _, claims = await opened(browser)

    assert (claims["dnt"], claims["gpc"], claims["sso"]) == ("1", True, True)
    assert vector == "11010111"


async def test_a_read_brings_a_fresh_token(service: Running, browser: httpx.AsyncClient, visitor: str) -> None:
    service.clock.forward(timedelta(minutes=14))
    await browser.get("/v1/consent")
    _, _, claims = await opened(browser)

    assert claims["exp"] == int((NOW + timedelta(minutes=29)).timestamp())


async def test_the_published_keys_hold_nothing_secret(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=900"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert all(set(key) <= {"kty", "crv", "x", "kid", "alg", "use", "vkey"} for key in answer.json()["keys"])
    assert {(key["kty"], key["crv"]) for key in answer.json()["keys"]} == {("OKP", "Ed25519")}
