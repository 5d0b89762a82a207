"""Consent receipt after ISO/IEC TS 27560:2023 in the Data Privacy Vocabulary, GDPR profile (EVD-06, EVD-07, EVD-08).

Follows the DPV guide "Consent Records and Receipts" (w3id.org/dpv/guides/consent-27560): a receipt wraps the record
of the event. Where examples of the guide repeat a member, which JSON cannot carry, this is an array. One process for
each of the eight categories bears its own state; the record bears each state that occurs once.
"""

from consent_service.domain.receipts.consent_state import ConsentState, consent_state
from consent_service.domain.receipts.dpv_terms import (
    CONSENT,
    CONTEXT,
    LEGITIMATE_INTEREST,
    PERSONAL_DATA,
    PURPOSES,
    RECEIPT_PROFILE,
    RECORD_PROFILE,
    RIGHTS,
    WITHIN_DEVICE,
)
from consent_service.domain.receipts.source import (
    CategoryState,
    Controller,
    ReceiptSource,
    Recipient,
    how_collected,
    utc_text,
)
from consent_service.domain.vocabulary import Category

Members = dict[str, object]


def dpv_receipt(source: ReceiptSource) -> Members:
    """Make the receipt as JSON-LD members."""
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{source.event.receipt_id}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": source.event.receipt_id,
        "dpv:hasIdentifier": source.event.receipt_id,
        "dct:conformsTo": RECEIPT_PROFILE,
        "dct:created": utc_text(source.event.event_time),
        "dct:publisher": source.controller.url,
        "schema:recipient": "dpv:DataSubject",
        "dpv:hasRecordOfActivity": _record(source),
    }


def _record(source: ReceiptSource) -> Members:
    controller = source.controller
    return {
        "@id": f"urn:uuid:{source.event.event_id}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": source.event.event_id,
        "dpv:hasIdentifier": source.event.event_id,
        "dct:conformsTo": RECORD_PROFILE,
        "dct:created": utc_text(source.event.event_time),
        "dct:provenance": _provenance(source),
        "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dct:identifier": source.visitor},
        "dpv:hasDataController": _controller(controller),
        "dpv:hasThirdParty": _third_parties(source),
        "dpv:hasJurisdiction": _jurisdiction(source),
        "dpv:hasApplicableLaw": "eu-gdpr:GDPR",
        "dpv:hasAuthority": _authority(source),
        "dpv:hasNotice": _notice(source),
        "dpv:hasConsentControl": {
            "@type": ["dpv:ProvideConsent", "dpv:ReaffirmConsent", "dpv:WithdrawConsent"],
            "dpv:isExercisedAt": [source.withdrawal_url, source.cookie_settings_url],
        },
        "dpv:hasRight": [_right(right, title, source) for right, title in RIGHTS.items()],
        "dpv:hasProcess": [_process(state, source) for state in source.categories],
        "dpv:hasConsentStatus": _distinct_statuses(source),
    }


def _process(state: CategoryState, source: ReceiptSource) -> Members:
    necessary = state.category is Category.STRICTLY_NECESSARY
    locations = _locations(state)
    return {
        "@type": "dpv:Process",
        "dct:identifier": state.category.value,
        "dct:title": state.title,
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "skos:broader": PURPOSES[state.category],
            "dct:title": state.title,
            "dct:description": state.purpose,
        },
        "dpv:hasLegalBasis": LEGITIMATE_INTEREST if necessary else CONSENT,
        "dpv:hasNecessity": "dpv:Required" if necessary else "dpv:Optional",
        "dpv:hasPersonalData": [
            {"@type": "dpv:PersonalData", "skos:broader": kind, "dpv:hasNecessity": "dpv:Required"}
            for kind in PERSONAL_DATA[state.category]
        ],
        "dpv:hasDataSource": {"@type": "dpv:DataSubjectDataSource", "dpv:hasProcessing": "dpv:Observe"},
        "dpv:hasProcessing": ["dpv:Collect", "dpv:Store", "dpv:Use", *(["dpv:Transfer"] if state.discloses else [])],
        "dpv:hasProcessingCondition": [{"@type": "dpv:ProcessingLocation", "dpv:hasLocation": locations}],
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": locations},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": source.retention},
        ],
        "dpv:hasRule": [{"@type": "dpv:Permission", "dpv:hasProcessing": "dpv:Store", "dpv:hasLocation": locations}],
        "dpv:hasDataController": {"@id": source.controller.url},
        "dpv:hasRecipient": [source.controller.url, *(_party_id(party) for party in _receiving(state))],
        "dpv:hasJurisdiction": _jurisdiction(source),
        "dpv:hasConsentStatus": _status(consent_state(state), state, source),
    }


def _status(consent: ConsentState, state: CategoryState, source: ReceiptSource) -> Members:
    until: Members = {"@type": "dpv:UntilEventDuration", "rdf:value": "The next choice of the visitor"}
    if state.expires_at is not None:
        until = {"@type": "dpv:UntilTimeDuration", "rdf:value": utc_text(state.expires_at)}
    # A request comes from the shop; a lapse is the shop's finding; the rest is what the visitor did.
    by_visitor = consent in _SAID_BY_VISITOR
    return {
        "@type": f"dpv:{consent}",
        "dpv:isIndicatedBy": "dpv:DataSubject" if by_visitor else source.controller.url,
        "dpv:hasIndicationMethod": how_collected(source.event),
        "dpv:isIndicatedAtTime": utc_text(source.event.event_time),
        "dpv:hasDuration": until,
    }


_SAID_BY_VISITOR = frozenset(
    {
        ConsentState.GIVEN,
        ConsentState.RENEWED,
        ConsentState.REFUSED,
        ConsentState.WITHDRAWN,
        ConsentState.DEFERRED,
    }
)


def _distinct_statuses(source: ReceiptSource) -> list[Members]:
    first: dict[ConsentState, Members] = {}
    for state in source.categories:
        consent = consent_state(state)
        first.setdefault(consent, _status(consent, state, source))
    return list(first.values())


def _provenance(source: ReceiptSource) -> Members:
    event = source.event
    return {
        "@type": "dct:ProvenanceStatement",
        "dct:identifier": f"{source.site}/{event.seq}",
        "dct:type": event.event_type.value,
        "dct:description": f"Entry {event.seq} of the evidence log of {source.site}, leaf hash {event.leaf_hash}",
    }


def _notice(source: ReceiptSource) -> Members:
    return {
        "@id": source.policy_url,
        "@type": "dpv:ConsentNotice",
        "dct:identifier": source.policy_version,
        "dct:language": source.locale,
        "dct:date": utc_text(source.event.event_time),
        "spdx:checksum": [
            {
                "@type": "spdx:Checksum",
                "dct:title": title,
                "spdx:algorithm": "spdx:checksumAlgorithm_sha256",
                "spdx:checksumValue": sha256,
            }
            for title, sha256 in (("policy", source.policy_sha256), ("banner text", source.notice_sha256))
        ],
    }


def _right(right: str, title: str, source: ReceiptSource) -> Members:
    at = source.withdrawal_url if right == "eu-gdpr:A7-3" else source.cookie_settings_url
    return {"@type": ["dpv:DataSubjectRight", right], "dct:title": title, "dpv:isExercisedAt": at}


def _authority(source: ReceiptSource) -> Members:
    return {
        "@type": "dpv:DataProtectionAuthority",
        "dct:description": "The supervisory authority where the visitor lives or works (GDPR Art. 77)",
        "dpv:hasJurisdiction": _jurisdiction(source),
    }


def _controller(controller: Controller) -> Members:
    return {
        "@id": controller.url,
        "@type": ["dpv:Organisation", "dpv:DataController"],
        "dpv:hasIdentifier": controller.url,
        "dpv:hasName": controller.name,
        "dpv:hasAddress": controller.address,
        "dpv:hasContact": controller.email,
        "schema:contactPoint": {
            "@type": "schema:ContactPoint",
            "schema:email": controller.email,
            "schema:telephone": controller.phone,
        },
        "schema:address": {"@type": "schema:PostalAddress", "schema:streetAddress": controller.address},
        "schema:url": controller.url,
    }


def _third_parties(source: ReceiptSource) -> list[Members]:
    parties = {party.name: party for state in source.categories for party in _receiving(state)}
    return [_third_party(party) for party in parties.values()]


def _third_party(party: Recipient) -> Members:
    """Describe a provider; its published privacy policy is how it is reached, its country where it is."""
    return {
        "@id": _party_id(party),
        "@type": ["dpv:Organisation", "dpv:ThirdParty", "dpv:Recipient"],
        "dpv:hasIdentifier": party.name,
        "dpv:hasName": party.name,
        "dpv:hasAddress": party.country or "not stated",
        "dpv:hasContact": party.privacy_policy or "not stated",
    }


def _receiving(state: CategoryState) -> tuple[Recipient, ...]:
    return state.recipients if state.discloses else ()


def _party_id(party: Recipient) -> str:
    """Name a provider inside the receipt; a policy knows no address that would be its own alone."""
    return f"_:{party.name.encode().hex()}"


def _locations(state: CategoryState) -> list[str]:
    countries = {f"loc:{party.country}" for party in _receiving(state) if party.country}
    return [WITHIN_DEVICE, *sorted(countries)]


def _jurisdiction(source: ReceiptSource) -> str | Members:
    if source.region:
        return f"loc:{source.region}"
    return {"@type": "dpv:Location", "dct:title": "Not known: the strictest rules were applied"}
