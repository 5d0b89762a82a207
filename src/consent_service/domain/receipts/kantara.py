"""Kantara Consent Receipt v1.1, valid against its published JSON Schema (EVD-04, EVD-05).

The schema says who was told what, but not what was refused; `consentState` beside each purpose does, and
`evidence` leads to the entry in the log and to the texts that were shown.
"""

from consent_service.domain.receipts.consent_state import consent_state
from consent_service.domain.receipts.source import (
    CategoryState,
    Controller,
    ReceiptSource,
    how_collected,
    utc_text,
)
from consent_service.domain.vocabulary import Category, Choice

VERSION = "KI-CR-v1.1.0"
UNKNOWN_REGION = "ZZ"
"""ISO 3166-1 keeps this code free for a country that is not known."""

_CORE_FUNCTION = "1 - Core Function"
_PERSONALIZED = "5 - Personalized Experience"
_MARKETING = "6 - Marketing"
_IMPROVE = "16 - Improve Performance"
_PURPOSE_CATEGORIES: dict[Category, list[str]] = {
    Category.TECHNICAL: [_CORE_FUNCTION],
    Category.PERSONALIZATION: [_PERSONALIZED],
    Category.ADVERTISING: [_MARKETING, "7 - Marketing Third Parties"],
    Category.STATISTICAL: [_IMPROVE],
    Category.SOCIAL_MEDIA: [_PERSONALIZED, "9 - Sharing for Marketing"],
    Category.STRICTLY_NECESSARY: [_CORE_FUNCTION],
    Category.ANALYTICAL_PERFORMANCE: [_IMPROVE],
    Category.FUNCTIONALITY: [_PERSONALIZED],
}
_PII_CATEGORIES = ["Online identifiers", "Use of the web site"]


def kantara_receipt(source: ReceiptSource) -> dict[str, object]:
    """Make the receipt as JSON members."""
    event = source.event
    return {
        "version": VERSION,
        "jurisdiction": source.region or UNKNOWN_REGION,
        "consentTimestamp": int(event.event_time.timestamp()),
        "collectionMethod": how_collected(event),
        "consentReceiptID": event.receipt_id,
        "publicKey": source.public_key_id,
        "language": source.locale,
        "piiPrincipalId": source.visitor,
        "piiControllers": [_controller(source.controller)],
        "policyUrl": source.policy_url,
        "services": [{"service": source.site, "purposes": [_purpose(state, source) for state in source.categories]}],
        "sensitive": False,
        "spiCat": [],
        "evidence": _evidence(source),
    }


def _controller(controller: Controller) -> dict[str, object]:
    return {
        "piiController": controller.name,
        "onBehalf": False,
        "contact": controller.name,
        "address": {"streetAddress": controller.address},
        "email": controller.email,
        "phone": controller.phone,
        "piiControllerUrl": controller.url,
    }


def _purpose(state: CategoryState, source: ReceiptSource) -> dict[str, object]:
    necessary = state.category is Category.STRICTLY_NECESSARY
    explicit = state.choice is Choice.GRANTED and not necessary
    purpose: dict[str, object] = {
        "purpose": f"{state.title}: {state.purpose}",
        "purposeCategory": _PURPOSE_CATEGORIES[state.category],
        "consentType": "EXPLICIT" if explicit else "N/A",
        "piiCategory": _PII_CATEGORIES,
        "primaryPurpose": necessary,
        "termination": _termination(state, source),
        "thirdPartyDisclosure": state.discloses,
        "category": state.category.value,
        "choice": state.choice.value if state.choice else None,
        "consentState": consent_state(state).value,
        "trackers": state.trackers,
    }
    if state.discloses:
        purpose["thirdPartyName"] = ", ".join(recipient.name for recipient in state.recipients)
    return purpose


def _termination(state: CategoryState, source: ReceiptSource) -> str:
    if state.category is Category.STRICTLY_NECESSARY:
        return "N/A"
    until = "Until the next choice" if state.expires_at is None else f"Until {utc_text(state.expires_at)}"
    return f"{until}, or withdrawal at {source.withdrawal_url}"


def _evidence(source: ReceiptSource) -> dict[str, object]:
    event = source.event
    return {
        "eventId": event.event_id,
        "eventType": event.event_type.value,
        "eventTime": utc_text(event.event_time),
        "method": event.method.value,
        "channel": event.channel.value,
        "seq": event.seq,
        "leafHash": event.leaf_hash,
        "policyVersion": source.policy_version,
        "policySha256": source.policy_sha256,
        "noticeSha256": source.notice_sha256,
        "dnt": source.dnt.value if source.dnt else None,
        "gpc": source.gpc,
        "saleShareOptOut": source.sale_share_opt_out,
        "retention": source.retention,
        "cookieSettingsUrl": source.cookie_settings_url,
    }
