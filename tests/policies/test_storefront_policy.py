"""The sample policy: what a shop that copies it may rely on."""

from pathlib import Path

import pytest
import yaml

from consent_service.domain.policy import Policy, Tracker
from consent_service.domain.policy_document import read_policy
from consent_service.domain.vocabulary import CATEGORIES, DntMode, ExemptBasis, GpcMode, SeparateConsent, TrackerKind

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "policies" / "storefront.yaml").read_text(encoding="utf-8")
DOCUMENT = yaml.safe_load(TEXT)
POLICY: Policy = read_policy(DOCUMENT)
LANGUAGES = ("en", "de", "fr", "es", "zh-Hans")
MEMBERS = {
    *("name", "kind", "category", "provider", "duration", "purpose", "domain", "path"),
    *("third_party", "sells_or_shares", "cross_border", "http_only", "scope"),
}


def tracker(name: str) -> Tracker:
    """Find the one tracker of this name."""
    (found,) = [entry for entry in POLICY.trackers if entry.name == name]
    return found


def test_the_shop_has_eight_categories_and_more_than_forty_trackers_of_every_kind() -> None:
    assert tuple(POLICY.categories) == CATEGORIES
    assert {entry.category for entry in POLICY.trackers} == set(CATEGORIES)
    assert {entry.kind for entry in POLICY.trackers} == set(TrackerKind)
    assert len(POLICY.trackers) >= 60


def test_every_text_is_there_in_five_languages_and_in_words_of_its_own() -> None:
    tables = [
        *(entry.purpose for entry in POLICY.trackers),
        *(texts for entry in POLICY.categories.values() for texts in (entry.title, entry.description)),
    ]
    assert POLICY.languages == LANGUAGES
    assert all(tuple(table) == LANGUAGES for table in tables)
    assert [table["en"] for table in tables if table["en"] in {table["de"], table["fr"], table["zh-Hans"]}] == []
    assert {tuple(POLICY.texts[tag]) for tag in LANGUAGES} == {tuple(POLICY.texts["en"])}


@pytest.mark.parametrize("tag", LANGUAGES)
def test_accepting_and_refusing_are_worded_alike(tag: str) -> None:
    """CON-22: neither of the two buttons is longer or louder than the other."""
    texts = POLICY.texts[tag]
    assert abs(len(texts["accept_all"]) - len(texts["reject_all"])) <= 3
    assert "!" not in "".join(texts.values())
    assert POLICY.first_layer == ("accept_all", "reject_all", "customize")


def test_every_tracker_says_everything_about_itself_and_is_there_once() -> None:
    """TRK-10: name, provider, purpose, duration, category and domain are there for each."""
    entries = DOCUMENT["trackers"]
    assert all(entry.keys() - {"exempt"} == MEMBERS for entry in entries)
    assert len({entry.name for entry in POLICY.trackers}) == len(POLICY.trackers)
    assert {entry.provider for entry in POLICY.trackers} == set(POLICY.providers)


def test_do_not_track_is_recorded_and_global_privacy_control_honoured() -> None:
    assert (POLICY.dnt, POLICY.gpc) == (DntMode.RECORD, GpcMode.HONOR)
    assert "does not respond" in TEXT


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("consent_visitor", "strictly_necessary"),
        ("consent_state", "strictly_necessary"),
        ("session", "technical"),
        ("google_sign_in", "technical"),
        ("facebook_sign_in", "technical"),
        ("paypal_checkout", "technical"),
        ("lianlian_checkout", "technical"),
        ("cart", "personalization"),
        ("_fbp", "advertising"),
        ("_shopify_y", "statistical"),
        ("facebook_like", "social_media"),
        ("_ga", "analytical_performance"),
        ("returning_visitor", "functionality"),
        ("video_volume.sol", "personalization"),
    ],
)
def test_the_categories_have_the_meaning_of_the_text(name: str, category: str) -> None:
    assert tracker(name).category == category


@pytest.mark.parametrize(
    ("name", "basis", "regions"),
    [
        ("mail_open_individual", None, frozenset[str]()),
        ("mail_open_rate", ExemptBasis.AGGREGATE_EMAIL_MEASUREMENT, frozenset({"FR"})),
        ("mail_security", ExemptBasis.EMAIL_SECURITY, frozenset({"*"})),
    ],
)
def test_a_mail_pixel_that_tells_who_opened_needs_consent_and_a_count_does_not(
    name: str, basis: ExemptBasis | None, regions: frozenset[str]
) -> None:
    """TRK-02."""
    found = tracker(name)
    exempt = found.exempt
    assert found.kind is TrackerKind.EMAIL_PIXEL
    assert (exempt and exempt.basis, exempt.regions if exempt else frozenset()) == (basis, regions)


def test_what_leaves_china_is_agreed_apart() -> None:
    """REG-08: every category with a tracker that sends data abroad needs the cross-border consent in China."""
    abroad = {entry.category for entry in POLICY.trackers if entry.cross_border and entry.exempt is None}
    asked = {c for c in CATEGORIES if SeparateConsent.CROSS_BORDER in POLICY.separate_needs(c, "CN")}
    assert abroad - {"strictly_necessary"} <= asked
    assert POLICY.separate_needs(CATEGORIES[2], "CN") == set(SeparateConsent)
    assert POLICY.separate_needs(CATEGORIES[2], "FR") == frozenset()


def test_what_is_shared_for_advertising_or_buttons_falls_to_an_opt_out() -> None:
    foreign = [e for e in POLICY.trackers if e.category in {"advertising", "social_media"} and e.third_party]
    assert all(e.sells_or_shares for e in foreign if e.exempt is None)
    assert {c.value for c, entry in POLICY.categories.items() if entry.sells_or_shares} == {
        "advertising",
        "social_media",
    }
