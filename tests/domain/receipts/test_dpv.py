"""The receipt after ISO/IEC TS 27560 in the Data Privacy Vocabulary."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from consent_service.domain.receipts.consent_state import ConsentState
from consent_service.domain.receipts.dpv import dpv_receipt
from consent_service.domain.receipts.dpv_terms import CONTEXT
from consent_service.domain.vocabulary import CATEGORIES, Category, Choice
from tests.domain.receipts.samples import SOURCE, category, with_category

RECEIPT: dict[str, Any] = dpv_receipt(SOURCE)
RECORD: dict[str, Any] = RECEIPT["dpv:hasRecordOfActivity"]
PROCESSES: list[dict[str, Any]] = RECORD["dpv:hasProcess"]
UUID_4 = 4


def process(name: Category, record: dict[str, Any] = RECORD) -> dict[str, Any]:
    """Pick the process of one category."""
    found: dict[str, Any] = next(p for p in record["dpv:hasProcess"] if p["dct:identifier"] == name)
    return found


def names_in(value: object) -> set[str]:
    """Collect every member name in a document."""
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def test_the_receipt_names_the_gdpr_profile() -> None:
    """EVD-06."""
    assert RECEIPT["@type"] == "dpv:ConsentReceipt"
    assert RECEIPT["dct:conformsTo"] == "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
    assert RECORD["dct:conformsTo"] == "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"


def test_record_and_receipt_have_ids_of_their_own() -> None:
    """EVD-08."""
    record_id, receipt_id = RECORD["dct:identifier"], RECEIPT["dct:identifier"]

    assert UUID(record_id).version == UUID(receipt_id).version == UUID_4
    assert record_id != receipt_id


def test_the_eight_processes_are_an_array() -> None:
    """EVD-06: a repeated member, as in the guide's own example, would leave one of them."""
    read_back = json.loads(json.dumps(RECEIPT))["dpv:hasRecordOfActivity"]["dpv:hasProcess"]

    assert [p["dct:identifier"] for p in read_back] == list(CATEGORIES)


@pytest.mark.parametrize(
    "member",
    [
        "dct:identifier",
        "dpv:hasDataSubject",
        "dpv:hasNotice",
        "dpv:hasDataController",
        "dpv:hasThirdParty",
        "dpv:hasJurisdiction",
        "dpv:hasConsentControl",
        "dpv:hasRight",
        "dpv:hasAuthority",
        "dpv:hasProcess",
        "dpv:hasConsentStatus",
    ],
)
def test_the_record_has_every_mandatory_field(member: str) -> None:
    """EVD-06, rules.md §3.1."""
    assert RECORD[member]


@pytest.mark.parametrize(
    "member",
    [
        "dpv:hasPurpose",
        "dpv:hasPersonalData",
        "dpv:hasStorageCondition",
        "dpv:hasJurisdiction",
        "dpv:hasRecipient",
        "dpv:hasDataController",
        "dpv:hasLegalBasis",
        "dpv:hasDataSource",
        "dpv:hasProcessing",
        "dpv:hasProcessingCondition",
        "dpv:hasRule",
        "dpv:hasNecessity",
        "dpv:hasConsentStatus",
    ],
)
@pytest.mark.parametrize("told", PROCESSES, ids=lambda told: told["dct:identifier"])
def test_every_process_has_every_mandatory_field(told: dict[str, Any], member: str) -> None:
    """EVD-06, the fields that the GDPR adds included."""
    assert told[member]


@pytest.mark.parametrize("told", PROCESSES, ids=lambda told: told["dct:identifier"])
def test_every_process_tells_the_event_in_full(told: dict[str, Any]) -> None:
    """Rules.md §3.1, event: time, validity, entity, state; EVD-07."""
    status = told["dpv:hasConsentStatus"]

    assert status["@type"].removeprefix("dpv:") in set(ConsentState)
    assert status["dpv:isIndicatedAtTime"] == "2026-11-22T09:00:00Z"
    assert status["dpv:hasDuration"]["rdf:value"] == "2027-05-22T09:00:00Z"
    assert status["dpv:isIndicatedBy"]


@pytest.mark.parametrize("member", ["hasIdentifier", "hasName", "hasAddress", "hasContact"])
def test_every_party_is_described(member: str) -> None:
    """Rules.md §3.1, party."""
    parties = [RECORD["dpv:hasDataController"], *RECORD["dpv:hasThirdParty"]]

    assert len(parties) == 3
    assert all(party[f"dpv:{member}"] for party in parties)


def test_the_states_say_what_was_granted_and_what_was_refused() -> None:
    states = {p["dct:identifier"]: p["dpv:hasConsentStatus"]["@type"] for p in PROCESSES}

    assert states["advertising"] == "dpv:ConsentGiven"
    assert states["social_media"] == "dpv:ConsentRefused"
    assert {status["@type"] for status in RECORD["dpv:hasConsentStatus"]} == set(states.values())


def test_what_is_strictly_necessary_does_not_rest_on_consent() -> None:
    necessary = process(Category.STRICTLY_NECESSARY)

    assert necessary["dpv:hasLegalBasis"] == "eu-gdpr:A6-1-f"
    assert necessary["dpv:hasConsentStatus"]["@type"] == "dpv:ConsentUnknown"
    assert {p["dpv:hasLegalBasis"] for p in PROCESSES if p is not necessary} == {"eu-gdpr:A6-1-a"}


def test_only_what_was_not_refused_names_recipients_and_their_countries() -> None:
    granted, refused = process(Category.ADVERTISING), process(Category.SOCIAL_MEDIA)

    assert len(granted["dpv:hasRecipient"]) == 3
    assert granted["dpv:hasProcessingCondition"][0]["dpv:hasLocation"] == ["dpv:WithinDevice", "loc:US"]
    assert refused["dpv:hasRecipient"] == ["https://shop.example"]
    assert "dpv:Transfer" not in refused["dpv:hasProcessing"]


def test_a_withdrawal_is_the_visitors_and_without_a_term_holds_until_the_next_choice() -> None:
    withdrawn = replace(category(Category.ADVERTISING), choice=Choice.DENIED, granted_before=True, expires_at=None)
    record: dict[str, Any] = dpv_receipt(with_category(withdrawn))["dpv:hasRecordOfActivity"]  # type: ignore[assignment]
    status = process(Category.ADVERTISING, record)["dpv:hasConsentStatus"]

    assert status["@type"] == "dpv:ConsentWithdrawn"
    assert status["dpv:isIndicatedBy"] == "dpv:DataSubject"
    assert status["dpv:hasDuration"]["@type"] == "dpv:UntilEventDuration"


def test_the_way_to_withdraw_is_told() -> None:
    rights = {right["@type"][1]: right["dpv:isExercisedAt"] for right in RECORD["dpv:hasRight"]}

    assert "https://shop.example/withdraw" in RECORD["dpv:hasConsentControl"]["dpv:isExercisedAt"]
    assert rights["eu-gdpr:A7-3"] == "https://shop.example/withdraw"
    assert rights["eu-gdpr:A17"] == "https://shop.example/cookies"


def test_the_notice_that_was_shown_is_found_by_its_hash() -> None:
    """EVD-03."""
    notice = RECORD["dpv:hasNotice"]

    assert (notice["dct:identifier"], notice["dct:language"]) == ("2026-11-22", "en")
    assert [c["spdx:checksumValue"] for c in notice["spdx:checksum"]] == ["ab" * 32, "cd" * 32]


def test_a_visitor_of_unknown_whereabouts_gets_a_receipt_too() -> None:
    record: dict[str, Any] = dpv_receipt(replace(SOURCE, region=None))["dpv:hasRecordOfActivity"]  # type: ignore[assignment]

    assert RECORD["dpv:hasJurisdiction"] == "loc:FR"
    assert record["dpv:hasJurisdiction"]["@type"] == "dpv:Location"


def test_every_name_in_the_receipt_is_defined_by_its_own_context() -> None:
    """EVD-06: a reader needs nothing from elsewhere to expand it."""
    prefixes = {name.partition(":")[0] for name in names_in(RECEIPT) if not name.startswith("@")}

    assert prefixes <= set(CONTEXT)
