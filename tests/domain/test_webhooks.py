"""Webhooks: signature, message, addresses and back-off (SVC-09)."""

import hmac
import itertools
import json
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from consent_service.domain.errors import InvalidInput
from consent_service.domain.webhooks import (
    GIVE_UP_AFTER,
    Delivery,
    Message,
    check_url,
    headers,
    message,
    next_attempt,
    secret_text,
    signature,
)
from tests.support.builders import NOW, SITE, VISITOR

EVENT = {
    "event_id": "2f1c9f0e-0000-4000-8000-000000000001",
    "event_type": "withdrawn",
    "event_time": "2026-11-24T09:00:00.000000Z",
    "visitor_id": VISITOR,
    "channel": "web",
    "method": "withdraw_link",
    "policy_version": "v1",
    "policy_sha256": "0" * 64,
    "receipt_id": "2f1c9f0e-0000-4000-8000-000000000002",
    "locale": "de",
    "region": "FR",
    "regime": "opt_in",
    "dnt": None,
    "gpc": True,
    "choices": {"advertising": False},
    "age_band": "child",
}
DELIVERY = Delivery(SITE, "crm", VISITOR, 7, 3, NOW, 0, NOW, json.dumps(EVENT).encode())


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    """Standard Webhooks, the example that its documents and libraries share."""
    signed = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )
    assert signed == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_header_fields_are_what_a_receiver_computes_from_the_message() -> None:
    secret = secret_text(b"k" * 32)
    fields = headers(secret, Message("an-id", b"{}"), NOW + timedelta(microseconds=999_999))
    content = f"{fields['webhook-id']}.{fields['webhook-timestamp']}.".encode() + b"{}"
    computed = hmac.new(b64decode(secret.removeprefix("whsec_")), content, sha256).digest()
    assert fields == {
        "webhook-id": "an-id",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": "v1," + b64encode(computed).decode(),
    }


def test_a_message_says_what_was_chosen_and_nothing_else_about_the_person() -> None:
    told = message(DELIVERY)
    assert told.id == EVENT["event_id"]
    assert json.loads(told.body) == {
        "type": "consent.withdrawn",
        "timestamp": "2026-11-24T09:00:00.000000Z",
        "data": {
            "site": SITE,
            "visitor_id": VISITOR,
            "seq": 7,
            "revision": 3,
            "event_id": EVENT["event_id"],
            "channel": "web",
            "policy_version": "v1",
            "choices": {"advertising": False},
            "dnt": None,
            "gpc": True,
        },
    }


def test_an_attempt_repeats_the_message_byte_for_byte() -> None:
    assert message(replace(DELIVERY, attempts=5)) == message(DELIVERY)


def attempts_until_given_up() -> list[datetime]:
    """Fail at every attempt; gives their moments."""
    moments: list[datetime] = []
    due: datetime | None = NOW
    while due is not None:
        moments.append(due)
        due = next_attempt(replace(DELIVERY, attempts=len(moments) - 1), due)
    return moments


def test_a_failing_delivery_is_tried_for_a_whole_day_with_growing_waits() -> None:
    """SVC-09: back-off for 24 h at least."""
    moments = attempts_until_given_up()
    waits = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert moments[-1] - NOW >= GIVE_UP_AFTER
    assert moments[-2] - NOW < GIVE_UP_AFTER
    assert waits == sorted(waits)
    assert timedelta(seconds=5) <= waits[0] <= timedelta(seconds=7)
    assert timedelta(minutes=15) <= waits[-1] <= timedelta(minutes=19)


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({next_attempt(replace(DELIVERY, seq=seq), NOW) for seq in range(16)}) == 16


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/hooks/consent",
        "https://shop.example:8443/a?b=c",
        "https://[2001:db8::1]/x",
        "https://10.0.0.7/",
    ],
)
def test_an_https_address_is_taken(url: str) -> None:
    check_url(url, dev=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "http://shop.example/",
        "http://127.0.0.1/",
        "ftp://shop.example/",
        "https://",
        "https:///path",
        "https://user@shop.example/",
        "https://user:secret@shop.example/",
        "https://shop.example/#part",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://[::1/",
        "https://shop.example/two words",
        "https://shop.example/\r\nx: y",
        "https://shop.example\\@evil.example/",
        "https://ſhop.example/",
        "https://shop.example/" + "x" * 2_000,
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
)
def test_what_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_url(url, dev=False)
    assert [fault.pointer for fault in refused.value.faults] == ["/url"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/x", "http://localhost/x", "http://[::1]:9000/x"])
def test_plain_http_is_for_loopback_in_development(url: str) -> None:
    check_url(url, dev=True)
    with pytest.raises(InvalidInput):
        check_url(url, dev=False)


def test_plain_http_to_elsewhere_is_refused_in_development_too() -> None:
    with pytest.raises(InvalidInput):
        check_url("http://127.0.0.1.evil.example/", dev=True)
