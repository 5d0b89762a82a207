"""What Microsoft, Meta, Shopify and WordPress are told."""

from dataclasses import replace

import pytest

from consent_service.domain.outputs.clarity import clarity
from consent_service.domain.outputs.formats import FORMATS
from consent_service.domain.outputs.meta import meta
from consent_service.domain.outputs.shopify import shopify
from consent_service.domain.outputs.state import OutputState
from consent_service.domain.outputs.uet import uet
from consent_service.domain.outputs.wordpress import wordpress
from consent_service.domain.vocabulary import AgeBand, Category, GpcMode
from tests.domain.outputs.visitors import EVERYTHING, aged, record_of, rules, state_of

ALL = record_of(EVERYTHING)
OPTED_OUT = replace(ALL, opted_out=True)
RESTRICTED = replace(ALL, restricted=True)
CHILD = aged(ALL, AgeBand.UNDER_13)
ADVERTISING, SOCIAL = Category.ADVERTISING, Category.SOCIAL_MEDIA
ANALYTICS = {Category.ANALYTICAL_PERFORMANCE, Category.STATISTICAL}
PREFERENCES = {Category.FUNCTIONALITY, Category.PERSONALIZATION}


def test_there_are_six_formats_beside_gpp() -> None:
    assert set(FORMATS) == {"google", "uet", "clarity", "meta", "shopify", "wordpress"}


@pytest.mark.parametrize(
    ("state", "ads", "analytics"),
    [
        (state_of(record_of([])), "denied", "denied"),
        (state_of(ALL), "granted", "granted"),
        (state_of(record_of([ADVERTISING])), "granted", "denied"),
        (state_of(record_of([SOCIAL])), "denied", "denied"),
        (state_of(record_of([Category.STATISTICAL])), "denied", "denied"),
        (state_of(record_of(ANALYTICS)), "denied", "granted"),
        (state_of(ALL, gpc=True), "denied", "granted"),
        (state_of(OPTED_OUT, "US-CA"), "denied", "granted"),
        (state_of(CHILD), "denied", "granted"),
        (state_of(RESTRICTED), "denied", "denied"),
        (state_of(None), "denied", "denied"),
        (state_of(None, "US-TX"), "granted", "granted"),
    ],
)
def test_microsoft_hears_its_own_spelling(state: OutputState, ads: str, analytics: str) -> None:
    """OUT-03."""
    assert uet(state) == {"ad_storage": ads}
    assert clarity(state) == {"ad_Storage": ads, "analytics_Storage": analytics}


@pytest.mark.parametrize("region", ["FR", "US-CA", "US-TX", None])
@pytest.mark.parametrize(
    ("granted", "gpc", "expected"),
    [
        ({ADVERTISING, SOCIAL}, False, "grant"),
        ({ADVERTISING, SOCIAL}, True, "revoke"),
        ({ADVERTISING}, False, "revoke"),
        ({ADVERTISING}, True, "revoke"),
        ({SOCIAL}, False, "revoke"),
        ({SOCIAL}, True, "revoke"),
        (set(), False, "revoke"),
        (set(), True, "revoke"),
    ],
)
def test_meta_needs_advertising_and_social_media_and_no_gpc(
    granted: set[Category], gpc: bool, expected: str, region: str | None
) -> None:
    """OUT-04."""
    assert meta(state_of(record_of(granted), region, gpc=gpc))["consent"] == expected


@pytest.mark.parametrize(
    ("state", "options"),
    [
        pytest.param(state_of(ALL, "US-CA"), [], id="California, no opt-out"),
        pytest.param(state_of(ALL, "US-CA", gpc=True), ["LDU"], id="California, GPC"),
        pytest.param(state_of(OPTED_OUT, "US-TX"), ["LDU"], id="Texas, by form"),
        pytest.param(state_of(None, "US", gpc=True), ["LDU"], id="a state not known"),
        pytest.param(state_of(OPTED_OUT, "FR"), [], id="outside the United States"),
        pytest.param(
            state_of(ALL, "US-VA", gpc=True, under=rules(gpc=GpcMode.HONOR_WHERE_LAW_REQUIRES)),
            [],
            id="a state whose law asks for no signal, and a shop that follows the law alone",
        ),
    ],
)
def test_meta_limits_data_use_for_an_opt_out_in_the_us(state: OutputState, options: list[str]) -> None:
    """OUT-04."""
    assert meta(state)["data_processing_options"] == options
    assert meta(state).keys() == {"consent", "data_processing_options"}


@pytest.mark.parametrize(
    ("state", "preferences", "analytics", "marketing"),
    [
        (state_of(ALL), True, True, True),
        (state_of(record_of([])), False, False, False),
        (state_of(record_of([ADVERTISING])), False, False, False),
        (state_of(record_of([SOCIAL])), False, False, False),
        (state_of(record_of([ADVERTISING, SOCIAL])), False, False, True),
        (state_of(record_of([Category.STATISTICAL])), False, False, False),
        (state_of(record_of(ANALYTICS)), False, True, False),
        (state_of(record_of([Category.PERSONALIZATION])), False, False, False),
        (state_of(record_of([Category.FUNCTIONALITY])), False, False, False),
        (state_of(record_of(PREFERENCES)), True, False, False),
        (state_of(ALL, "US-CA", gpc=True), True, True, False),
        (state_of(OPTED_OUT, "US-CA"), True, True, False),
        (state_of(CHILD), False, True, False),
        (state_of(None, "US-CA"), True, True, True),
        (state_of(None, None), False, False, False),
    ],
)
def test_shopify_hears_four_booleans_and_sells_nothing_after_an_opt_out(
    state: OutputState, preferences: bool, analytics: bool, marketing: bool
) -> None:
    """OUT-05."""
    assert shopify(state) == {
        "preferences": preferences,
        "analytics": analytics,
        "marketing": marketing,
        "sale_of_data": marketing,
    }


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (state_of(ALL), "allow allow allow allow allow"),
        (state_of(record_of([])), "deny deny deny deny deny"),
        (state_of(record_of([Category.FUNCTIONALITY])), "allow deny deny deny deny"),
        (state_of(record_of([Category.PERSONALIZATION])), "deny deny deny deny deny"),
        (state_of(record_of(PREFERENCES)), "allow allow deny deny deny"),
        (state_of(record_of([Category.STATISTICAL])), "deny deny deny allow deny"),
        (state_of(record_of([Category.ANALYTICAL_PERFORMANCE])), "deny deny deny deny deny"),
        (state_of(record_of(ANALYTICS)), "deny deny allow allow deny"),
        (state_of(record_of([ADVERTISING])), "deny deny deny deny deny"),
        (state_of(record_of([ADVERTISING, SOCIAL])), "deny deny deny deny allow"),
        (state_of(ALL, gpc=True), "allow allow allow allow deny"),
        (state_of(CHILD), "allow deny allow allow deny"),
    ],
)
def test_wordpress_hears_five_categories(state: OutputState, expected: str) -> None:
    """OUT-06."""
    words = wordpress(state)
    assert list(words) == ["functional", "preferences", "statistics", "statistics-anonymous", "marketing"]
    assert " ".join(map(str, words.values())) == expected
