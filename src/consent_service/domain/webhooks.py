"""Webhooks on consent changes: what is told, how it is signed, and when a failed delivery is tried again.

The form is that of Standard Webhooks 1.0 (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md):
a small JSON body and an HMAC-SHA256 over its id, its time and its bytes.
"""

import hmac
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from consent_service.domain.errors import Fault, InvalidInput

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with, not a secret
GIVE_UP_AFTER = timedelta(hours=24)
"""Counted from the change: the first failure later than this makes a dead letter (SVC-09)."""
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 300, 600, 900))
"""Waits after the first, second … failure; the last one repeats, so that an outage ends for everyone within it."""
_LONGEST_URL = 2_000
_TOLD = ("event_id", "channel", "policy_version", "choices", "dnt", "gpc")
"""What a message repeats of the event. Region, locale, age and accounts are nobody's business but the log's."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that a site's changes are posted to."""

    id: str
    site: str
    url: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint; `payload` is the event as the evidence log holds it."""

    site: str
    endpoint: str
    visitor_id: str
    seq: int
    revision: int | None
    """The visitor's revision after the change; None where the event was replayed from the log."""
    created_at: datetime
    attempts: int
    claimed_until: datetime
    """Names the claim: what was claimed anew or replayed meanwhile is not this delivery's to settle."""
    payload: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: the same id for every attempt, so that a receiver can tell a repetition."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: when the next one is due (None: never), and what went wrong in a few words of our own."""

    delivery: Delivery
    due_at: datetime | None
    error: str


def check_url(url: str, *, dev: bool) -> None:
    """Refuse an address that cannot be meant; raises InvalidInput. Plain http is for loopback in development only.

    What the host's addresses are is checked at every post: a name may have others by then.
    """
    if not _sound(url, dev=dev):
        raise InvalidInput(
            "An https address is expected, without credentials and fragment.",
            (Fault("/url", "url", "must be an https address such as https://shop.example/hooks/consent"),),
        )


def _sound(url: str, *, dev: bool) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and len(url) <= _LONGEST_URL
    local = dev and host in {"localhost", "127.0.0.1", "::1"}
    named = bool(host) and port != 0 and parts.username is None and parts.password is None and "#" not in url
    return plain and named and (parts.scheme == "https" or (parts.scheme == "http" and local))


def message(delivery: Delivery) -> Message:
    """Write the message about an event."""
    event = json.loads(delivery.payload)
    data = {
        "site": delivery.site,
        "visitor_id": delivery.visitor_id,
        "seq": delivery.seq,
        "revision": delivery.revision,
        **{name: event.get(name) for name in _TOLD},
    }
    body = {"type": f"consent.{event['event_type']}", "timestamp": event["event_time"], "data": data}
    return Message(event["event_id"], json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode())


def headers(secret: str, told: Message, now: datetime) -> dict[str, str]:
    """Give the three header fields that prove a message; the time is that of the attempt, in whole seconds."""
    timestamp = str(int(now.timestamp()))
    return {
        "webhook-id": told.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature(secret, told.id, timestamp, told.body)}",
    }


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Sign `id.timestamp.body` with a secret `whsec_<base64>` (Standard Webhooks, "Signature scheme")."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return b64encode(hmac.digest(key, signed, sha256)).decode()


def secret_text(key: bytes) -> str:
    """Write a signing key (24 to 64 bytes) as the receiver configures it."""
    return SECRET_PREFIX + b64encode(key).decode()


def next_attempt(delivery: Delivery, now: datetime) -> datetime | None:
    """Say when to try again after a failure now; None where the change is too old for it.

    A few per cent are added by the event's place in the log, so that what failed together does not return together.
    """
    if now - delivery.created_at >= GIVE_UP_AFTER:
        return None
    wait = BACK_OFF[min(delivery.attempts, len(BACK_OFF) - 1)]
    return now + wait * (1 + delivery.seq % 16 / 64)
