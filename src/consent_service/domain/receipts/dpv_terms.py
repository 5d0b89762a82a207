"""The words of the Data Privacy Vocabulary that receipts use, and their JSON-LD context."""

from consent_service.domain.vocabulary import Category

RECEIPT_PROFILE = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
RECORD_PROFILE = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
CONSENT = "eu-gdpr:A6-1-a"
LEGITIMATE_INTEREST = "eu-gdpr:A6-1-f"
WITHIN_DEVICE = "dpv:WithinDevice"

_NAMESPACES = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
}
_LINKS = (
    "dct:conformsTo",
    "dct:publisher",
    "dpv:hasApplicableLaw",
    "dpv:hasJurisdiction",
    "dpv:hasLegalBasis",
    "dpv:hasLocation",
    "dpv:hasNecessity",
    "dpv:hasProcessing",
    "dpv:hasRecipient",
    "dpv:hasThirdParty",
    "dpv:isExercisedAt",
    "dpv:isIndicatedBy",
    "schema:recipient",
    "schema:url",
    "skos:broader",
    "spdx:algorithm",
)
CONTEXT: dict[str, object] = {**_NAMESPACES, **{link: {"@type": "@id"} for link in _LINKS}}
"""Inline, so that no reader has to fetch anything: the values of `_LINKS` are names of things, not texts."""

PURPOSES: dict[Category, str] = {
    Category.TECHNICAL: "dpv:TechnicalServiceProvision",
    Category.PERSONALIZATION: "dpv:ServicePersonalisation",
    Category.ADVERTISING: "dpv:PersonalisedAdvertising",
    Category.STATISTICAL: "dpv:ServiceUsageAnalytics",
    Category.SOCIAL_MEDIA: "dpv:SocialMediaMarketing",
    Category.STRICTLY_NECESSARY: "dpv:RequestedServiceProvision",
    Category.ANALYTICAL_PERFORMANCE: "dpv:ImproveExistingProductsAndServices",
    Category.FUNCTIONALITY: "dpv:OptimisationForConsumer",
}
PERSONAL_DATA: dict[Category, tuple[str, ...]] = {
    Category.TECHNICAL: ("pd:DeviceBased",),
    Category.PERSONALIZATION: ("pd:BrowsingBehavior", "pd:Preference"),
    Category.ADVERTISING: ("pd:BrowsingBehavior", "pd:Interest"),
    Category.STATISTICAL: ("pd:BrowsingBehavior",),
    Category.SOCIAL_MEDIA: ("pd:BrowsingBehavior", "pd:SocialNetwork"),
    Category.STRICTLY_NECESSARY: ("pd:DeviceBased",),
    Category.ANALYTICAL_PERFORMANCE: ("pd:BrowsingBehavior", "pd:DeviceBased"),
    Category.FUNCTIONALITY: ("pd:Preference",),
}
RIGHTS: dict[str, str] = {
    "eu-gdpr:A7-3": "Right to withdraw consent",
    "eu-gdpr:A15": "Right of access",
    "eu-gdpr:A16": "Right to rectification",
    "eu-gdpr:A17": "Right to erasure",
    "eu-gdpr:A18": "Right to restriction of processing",
    "eu-gdpr:A20": "Right to data portability",
    "eu-gdpr:A21": "Right to object",
    "eu-gdpr:A77": "Right to lodge a complaint with a supervisory authority",
}
