"""The Kantara receipt that a visitor takes away."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from consent_service.domain.receipts.kantara import kantara_receipt
from consent_service.domain.vocabulary import Category, Channel, Method
from tests.domain.receipts.samples import SOURCE, category, with_category

REQUIRED = (
    "version",
    "jurisdiction",
    "consentTimestamp",
    "collectionMethod",
    "consentReceiptID",
    "piiPrincipalId",
    "piiControllers",
    "policyUrl",
    "services",
    "sensitive",
    "spiCat",
)
SCHEMA_FILE = Path(__file__).parents[4] / "shared/vectors/kantara-cr-v1.1.schema.json"
needs_schema = pytest.mark.skipif(
    not SCHEMA_FILE.exists(), reason="left out: the published Kantara schema is not beside the repository"
)
RECEIPT: dict[str, Any] = kantara_receipt(SOURCE)


def is_valid(receipt: object) -> bool:
    """Hold a receipt against the published schema, whose two comment lines are no JSON."""
    lines = SCHEMA_FILE.read_text(encoding="utf-8").splitlines()
    schema = json.loads("\n".join(line for line in lines if not line.strip().startswith("//")))
    return Draft4Validator(schema).is_valid(json.loads(json.dumps(receipt)))


def purpose(name: Category, receipt: dict[str, Any] = RECEIPT) -> dict[str, Any]:
    """Pick the purpose of one category."""
    found: dict[str, Any] = next(p for p in receipt["services"][0]["purposes"] if p["category"] == name)
    return found


@needs_schema
@pytest.mark.parametrize("source", [SOURCE, replace(SOURCE, region=None), replace(SOURCE, categories=())])
def test_a_receipt_is_valid_against_the_published_schema(source: Any) -> None:
    """EVD-04."""
    assert is_valid(kantara_receipt(source))


@needs_schema
@pytest.mark.parametrize("member", REQUIRED)
def test_a_receipt_without_a_required_member_is_not_valid(member: str) -> None:
    """EVD-04: the schema really looks."""
    assert not is_valid({name: value for name, value in RECEIPT.items() if name != member})


@needs_schema
def test_a_disclosure_without_a_name_is_not_valid() -> None:
    """EVD-05."""
    receipt = deepcopy(RECEIPT)
    del purpose(Category.ADVERTISING, receipt)["thirdPartyName"]

    assert not is_valid(receipt)


@pytest.mark.parametrize("member", REQUIRED)
def test_every_required_member_is_there(member: str) -> None:
    """EVD-04, also where the schema is not at hand."""
    assert member in RECEIPT


def test_the_time_is_in_whole_seconds_and_the_version_is_named() -> None:
    """EVD-05."""
    assert RECEIPT["consentTimestamp"] == 1795338000
    assert RECEIPT["version"] == "KI-CR-v1.1.0"


def test_a_third_party_is_named_where_data_is_disclosed_and_nowhere_else() -> None:
    """EVD-05: the refused category has providers too, but they receive nothing."""
    disclosing = purpose(Category.ADVERTISING)
    refused = purpose(Category.SOCIAL_MEDIA)

    assert (disclosing["thirdPartyDisclosure"], disclosing["thirdPartyName"]) == (True, "Ads Inc., Somewhere Ltd.")
    assert refused["thirdPartyDisclosure"] is False
    assert "thirdPartyName" not in refused


def test_all_eight_categories_are_told_with_what_the_visitor_said() -> None:
    told = {p["category"]: (p["choice"], p["consentType"]) for p in RECEIPT["services"][0]["purposes"]}

    assert len(told) == len(Category)
    assert told["advertising"] == ("granted", "EXPLICIT")
    assert told["functionality"] == ("denied", "N/A")
    assert told["strictly_necessary"] == ("granted", "N/A")


def test_a_category_without_a_choice_is_told_as_such() -> None:
    silent = replace(category(Category.ADVERTISING), choice=None, expires_at=None)
    told = purpose(Category.ADVERTISING, kantara_receipt(with_category(silent)))

    assert (told["choice"], told["consentState"]) == (None, "ConsentUnknown")
    assert told["termination"] == "Until the next choice, or withdrawal at https://shop.example/withdraw"


def test_the_receipt_leads_to_the_log_and_to_the_text_that_was_shown() -> None:
    """EVD-03, EVD-08, EVD-11: the receipt's id is not the event's."""
    evidence = RECEIPT["evidence"]

    assert (evidence["seq"], evidence["leafHash"]) == (1841, "leafhash=")
    assert (evidence["policyVersion"], evidence["policySha256"]) == ("2026-11-22", "ab" * 32)
    assert evidence["noticeSha256"] == "cd" * 32
    assert RECEIPT["consentReceiptID"] != evidence["eventId"]


@pytest.mark.parametrize(
    ("method", "channel", "words"),
    [
        (Method.BANNER, Channel.WEB, "Consent banner on the web site"),
        (Method.WITHDRAW_LINK, Channel.EMAIL, "Withdrawal link in an e-mail"),
    ],
)
def test_the_receipt_says_how_the_choice_was_made(method: Method, channel: Channel, words: str) -> None:
    source = replace(SOURCE, event=replace(SOURCE.event, method=method, channel=channel))

    assert kantara_receipt(source)["collectionMethod"] == words


@pytest.mark.parametrize("method", Method)
def test_every_method_has_words(method: Method) -> None:
    assert kantara_receipt(replace(SOURCE, event=replace(SOURCE.event, method=method)))["collectionMethod"]


def test_a_visitor_of_unknown_whereabouts_gets_a_receipt_too() -> None:
    assert kantara_receipt(replace(SOURCE, region=None))["jurisdiction"] == "ZZ"
