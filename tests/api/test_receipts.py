"""Receipts as the service gives them: valid, true to what became of the choice, and verifiable offline."""

import json
from base64 import b64decode, urlsafe_b64decode
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent_service.domain.evidence.leaf import leaf_hash
from tests.domain.receipts.test_kantara import is_valid, needs_schema
from tests.support.builders import document
from tests.support.service import Running, choices, submission


def states(receipt: dict[str, Any]) -> dict[str, str]:
    """Give the state of each category in a Kantara receipt."""
    return {purpose["category"]: purpose["consentState"] for purpose in receipt["services"][0]["purposes"]}


async def kantara(browser: httpx.AsyncClient) -> dict[str, Any]:
    """Fetch the visitor's receipt."""
    found: dict[str, Any] = (await browser.get("/v1/consent/receipt")).json()
    return found


@needs_schema
@pytest.mark.parametrize(
    "body", [submission(), submission("reject_all"), submission("custom", choices=choices("advertising"))]
)
async def test_what_a_visitor_takes_away_is_valid_against_the_published_schema(
    browser: httpx.AsyncClient, body: dict[str, object]
) -> None:
    """EVD-04: as served, whatever was chosen, and after the withdrawal."""
    await browser.put("/v1/consent", json=body)
    assert is_valid(await kantara(browser))
    await browser.delete("/v1/consent")
    assert is_valid(await kantara(browser))


async def test_the_states_follow_the_visitor_through_time(service: Running, browser: httpx.AsyncClient) -> None:
    """EVD-07: given, renewed, expired, withdrawn, each by its DPV name."""
    await browser.put("/v1/consent", json=submission())
    found = [states(await kantara(browser))["advertising"]]
    await browser.put("/v1/consent", json=submission())
    found.append(states(await kantara(browser))["advertising"])
    service.clock.forward(timedelta(days=200))
    found.append(states(await kantara(browser))["advertising"])
    await browser.delete("/v1/consent")
    found.append(states(await kantara(browser))["advertising"])
    assert found == ["ConsentGiven", "RenewedConsentGiven", "ConsentExpired", "ConsentWithdrawn"]


async def test_a_grant_that_a_new_policy_overtakes_is_invalidated(service: Running, browser: httpx.AsyncClient) -> None:
    """EVD-07, CON-11: another vendor for advertising; what was granted under the old version no longer holds."""
    await browser.put("/v1/consent", json=submission())
    providers = document()["providers"] | {"more": {"name": "More Ads Inc.", "country": "US"}}
    added = {"name": "_more", "kind": "cookie", "category": "advertising", "duration": "P1Y", "provider": "more"}
    trackers = [*document()["trackers"], added | {"purpose": {"en": "More ads"}, "third_party": True}]
    begin = service.clock.now + timedelta(days=2)
    effective = begin.strftime("%Y-%m-%dT%H:%M:%SZ")
    await service.publish(version="v2", effective_from=effective, providers=providers, trackers=trackers)
    service.clock.forward(timedelta(days=3))
    found = states(await kantara(browser))
    assert (found["advertising"], found["functionality"]) == ("ConsentInvalidated", "ConsentGiven")


async def test_the_signed_receipt_verifies_offline_and_names_its_entry(
    browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str
) -> None:
    """EVD-12, contract §6.1: the claims of the state without an end, bound to the log."""
    token = (await browser.get("/v1/consent/receipt?format=jws")).text
    signed, _, signature = token.rpartition(".")
    header, claims = (json.loads(decoded(part)) for part in signed.split("."))
    keys = {key["kid"]: key for key in (await browser.get("/.well-known/jwks.json")).json()["keys"]}
    Ed25519PublicKey.from_public_bytes(decoded(keys[header["kid"]]["x"])).verify(decoded(signature), signed.encode())
    (event,) = (await shop.get("/v1/evidence/events")).json()["events"]
    assert b64decode(claims["leaf_hash"]) == leaf_hash(b64decode(event["leaf"]))
    assert (claims["sub"], claims["jti"], claims["seq"]) == (visitor, event["payload"]["receipt_id"], 0)
    assert "exp" not in claims


def decoded(text: str) -> bytes:
    """Decode base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def test_receipt_and_record_have_ids_of_their_own(browser: httpx.AsyncClient) -> None:
    """EVD-08."""
    await browser.put("/v1/consent", json=submission())
    receipt = await kantara(browser)
    assert receipt["consentReceiptID"] != receipt["evidence"]["eventId"]


async def test_the_text_that_was_shown_is_found_by_version_and_hash(
    browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str
) -> None:
    """EVD-03: the receipt names both, and either finds the document."""
    evidence = (await kantara(browser))["evidence"]
    by_version = await shop.get(f"/v1/policies/{evidence['policyVersion']}")
    by_hash = await shop.get(f"/v1/policies/{evidence['policySha256']}")
    assert by_version.content == by_hash.content
    assert by_hash.status_code == 200
