"""Consent enforced where cookies are set: client and middleware for consent-service."""

from consent_client.answers import Answer, Decisions
from consent_client.async_client import AsyncConsentClient
from consent_client.client import ConsentClient
from consent_client.errors import ConsentError, Problem, ServiceUnavailable, Unavailable
from consent_client.local import LocalDecisions
from consent_client.vocabulary import CATEGORIES

__all__ = [
    "CATEGORIES",
    "Answer",
    "AsyncConsentClient",
    "ConsentClient",
    "ConsentError",
    "Decisions",
    "LocalDecisions",
    "Problem",
    "ServiceUnavailable",
    "Unavailable",
]
