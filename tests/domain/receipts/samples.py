"""A sample receipt: a visitor in France who granted some categories and refused others."""

from dataclasses import replace
from datetime import UTC, datetime

from consent_service.domain.receipts.source import (
    CategoryState,
    Controller,
    ReceiptEvent,
    ReceiptSource,
    Recipient,
)
from consent_service.domain.vocabulary import CATEGORIES, Category, Channel, Choice, EventType, Method

GRANTED = (Category.STRICTLY_NECESSARY, Category.ADVERTISING, Category.STATISTICAL)
EXPIRES = datetime(2027, 5, 22, 9, 0, tzinfo=UTC)
ADS = Recipient("Ads Inc.", "US", "https://ads.example/privacy")
NAMELESS = Recipient("Somewhere Ltd.")


def category(name: Category) -> CategoryState:
    """Make one category of the sample."""
    return CategoryState(
        category=name,
        title=name.value.replace("_", " ").title(),
        purpose=f"What {name.value} is for",
        choice=Choice.GRANTED if name in GRANTED else Choice.DENIED,
        expires_at=EXPIRES,
        recipients=(ADS, NAMELESS) if name in (Category.ADVERTISING, Category.SOCIAL_MEDIA) else (),
        trackers=2,
    )


SOURCE = ReceiptSource(
    site="default",
    controller=Controller(
        "Shop Ltd.", "1 High Street, Dublin", "privacy@shop.example", "+353 1", "https://shop.example"
    ),
    policy_version="2026-11-22",
    policy_url="https://shop.example/privacy",
    policy_sha256="ab" * 32,
    notice_sha256="cd" * 32,
    locale="en",
    region="FR",
    visitor="AAAAAAAAAAAAAAAAAAAAAA",
    event=ReceiptEvent(
        event_id="6f1c1e9e-55c5-4a3f-8d0e-111111111111",
        receipt_id="0b1c1e9e-55c5-4a3f-8d0e-222222222222",
        seq=1841,
        leaf_hash="leafhash=",
        event_type=EventType.GIVEN,
        event_time=datetime(2026, 11, 22, 9, 0, 0, 654321, tzinfo=UTC),
        method=Method.BANNER,
        channel=Channel.WEB,
    ),
    categories=tuple(category(name) for name in CATEGORIES),
    dnt=None,
    gpc=False,
    sale_share_opt_out=False,
    retention="P42M",
    withdrawal_url="https://shop.example/withdraw",
    cookie_settings_url="https://shop.example/cookies",
    public_key_id="key-1",
)


def with_category(state: CategoryState) -> ReceiptSource:
    """Give the sample with one category in another state."""
    return replace(SOURCE, categories=tuple(state if c.category is state.category else c for c in SOURCE.categories))
