"""What a policy must not say: unfair notices, trackers that are not necessary, exemptions that no law knows."""

from typing import Any

import pytest

from consent_service.domain.errors import PolicyInvalid
from consent_service.domain.policy_document import read_policy
from consent_service.domain.vocabulary import ExemptBasis
from tests.support.builders import document, entry, exempt, policy, text


def codes(**members: object) -> list[tuple[str, str]]:
    """Give pointer and code of every fault of the shop's document with these members."""
    try:
        read_policy(document(**members))
    except PolicyInvalid as refused:
        return [(fault.pointer, fault.code) for fault in refused.faults]
    return []


def tracker_codes(kind: str, category: str, duration: str = "P1D", **members: object) -> list[tuple[str, str]]:
    """Give the faults of a shop with this one tracker."""
    return codes(trackers=[entry("one", kind, category, duration, **members)])


@pytest.mark.parametrize(
    ("first_layer", "expected"),
    [
        (["accept_all", "reject_all", "customize"], []),
        (["reject_all", "accept_all"], []),
        (["customize"], []),
        (["reject_all"], []),
        (["accept_all", "customize"], [("/banner/first_layer", "CON-22")]),
        (["accept_all"], [("/banner/first_layer", "CON-22"), ("/banner/first_layer", "CON-15")]),
        ([], [("/banner/first_layer", "CON-15")]),
    ],
)
def test_accepting_on_the_first_layer_needs_refusing_beside_it(
    first_layer: list[str], expected: list[tuple[str, str]]
) -> None:
    """CON-22, CON-05, CON-15: the dark-pattern guard names its rule."""
    assert codes(banner={"first_layer": first_layer}) == expected


@pytest.mark.parametrize(
    ("kind", "members", "member"),
    [
        ("script", {"third_party": True}, "third_party"),
        ("web_pixel", {}, "kind"),
        ("email_pixel", {}, "kind"),
        ("cookie", {"sells_or_shares": True}, "sells_or_shares"),
    ],
)
def test_nothing_is_smuggled_in_as_strictly_necessary(kind: str, members: dict[str, Any], member: str) -> None:
    """CON-04: no third party, no pixel, nothing that sells or shares."""
    assert tracker_codes(kind, "strictly_necessary", **members) == [(f"/trackers/0/{member}", "CON-04")]
    assert tracker_codes(kind, "advertising", **members) == []


def test_what_is_strictly_necessary_sells_nothing_as_a_category_either() -> None:
    """CON-04."""
    categories = document()["categories"]
    categories["strictly_necessary"]["sells_or_shares"] = True
    place = "/categories/strictly_necessary/sells_or_shares"
    assert (place, "CON-04") in codes(categories=categories, trackers=[])


def test_a_tracker_needs_a_provider_that_the_policy_names() -> None:
    """TRK-06: a provider that no entry defines is refused."""
    assert tracker_codes("cookie", "technical", provider="nobody") == [("/trackers/0/provider", "provider-undefined")]


def test_every_text_is_there_in_every_available_language() -> None:
    """Contract §10: a text missing in an available language, wherever texts stand."""
    found = codes(
        languages={"default": "en", "available": ["en", "de"]}, trackers=[entry("one", "cookie", "technical")]
    )
    assert {code for _, code in found} == {"text-missing"}
    assert {pointer for pointer, _ in found} >= {
        *("/texts/de/title", "/texts/de/save", "/categories/technical/title/de"),
        *("/categories/functionality/description/de", "/trackers/0/purpose/de"),
    }
    assert len(found) == 6 + 16 + 1


def test_a_language_more_than_needed_is_no_fault() -> None:
    one = entry("one", "cookie", "technical", purpose=text("A session") | {"de": "Eine Sitzung"})
    assert codes(trackers=[one]) == []


@pytest.mark.parametrize("ages", [{"default": 12}, {"FR": 12}, {"default": 0, "US": 13}, {"GB": 0}])
def test_in_europe_nobody_under_13_consents_for_themselves(ages: dict[str, int]) -> None:
    """KID-02, GDPR Art. 8(1): states may go down to 13; elsewhere the law there decides."""
    assert ("/age_of_consent", "KID-02") in codes(age_of_consent=ages)
    assert codes(age_of_consent={"default": 13, "US": 0}) == []


def test_an_exemption_never_covers_what_sells_or_shares() -> None:
    """Rules §4.1; contract §10."""
    found = tracker_codes("cookie", "functionality", sells_or_shares=True, exempt=exempt("authentication"))
    assert found == [("/trackers/0/exempt", "exemption-shared")]


@pytest.mark.parametrize("basis", [b for b in ExemptBasis if "email" not in b])
def test_no_basis_exempts_advertising(basis: ExemptBasis) -> None:
    """Rules §4.1: advertising is consent in every region, never exempt."""
    found = tracker_codes("cookie", "advertising", "session", sells_or_shares=False, exempt=exempt(basis, "FR"))
    assert ("/trackers/0/exempt", "exemption-unfit") in found


@pytest.mark.parametrize("kind", ["web_pixel", "email_pixel"])
@pytest.mark.parametrize("basis", [b for b in ExemptBasis if "email" not in b])
def test_no_basis_for_storage_exempts_a_pixel(kind: str, basis: ExemptBasis) -> None:
    """Contract §10: an exemption whose basis does not fit its kind."""
    assert ("/trackers/0/exempt", "exemption-unfit") in tracker_codes(
        kind, "technical", "session", exempt=exempt(basis, "FR")
    )


@pytest.mark.parametrize(
    ("basis", "scope"), [("aggregate_email_measurement", "aggregate"), ("email_security", "security")]
)
def test_pixels_in_mails_are_exempt_by_their_scope_alone(basis: str, scope: str) -> None:
    """TRK-02: the two e-mail bases fit one kind and one scope each."""
    fits = {"scope": scope, "exempt": exempt(basis, "FR"), "sells_or_shares": False}
    unfit = [("/trackers/0/exempt", "TRK-02")]
    assert tracker_codes("email_pixel", "advertising", "session", **fits) == []
    assert tracker_codes("cookie", "technical", "session", **fits) == unfit
    assert tracker_codes("email_pixel", "technical", "session", **fits | {"scope": "individual"}) == unfit


def test_of_social_media_only_sharing_for_members_is_exempt() -> None:
    """TRK-09: a tracking plug-in is not; nor is another basis a way round."""
    shared: dict[str, Any] = {"sells_or_shares": False, "exempt": exempt("social_share_member")}
    unfit = [("/trackers/0/exempt", "TRK-09")]
    assert tracker_codes("embed", "social_media", "session", scope="share", **shared) == []
    assert tracker_codes("embed", "social_media", "session", scope="track", **shared) == unfit
    security = shared | {"exempt": exempt("security")}
    assert tracker_codes("cookie", "social_media", "session", scope="share", **security) == unfit


def test_audience_measurement_is_exempt_under_the_conditions_of_the_cnil_only() -> None:
    """REG-04: the shop's own, aggregate, in regions whose law says so, for 13 months at most."""
    own: dict[str, Any] = {"scope": "aggregate", "exempt": exempt("audience_measurement", "FR")}
    kind, category = "cookie", "statistical"
    assert tracker_codes(kind, category, "P13M", **own) == []
    assert tracker_codes(kind, category, "P14M", **own) == [("/trackers/0/duration", "exemption-lifetime")]
    assert tracker_codes(kind, category, "P398D", **own) == [("/trackers/0/duration", "exemption-lifetime")]
    assert tracker_codes(kind, category, "P397D", **own) == []
    assert tracker_codes(kind, category, **own, third_party=True) == [("/trackers/0/exempt", "REG-04")]
    assert tracker_codes(kind, category, **own | {"scope": "individual"}) == [("/trackers/0/exempt", "REG-04")]
    anywhere = own | {"exempt": exempt("audience_measurement")}
    assert tracker_codes(kind, category, **anywhere) == [("/trackers/0/exempt/regions", "REG-04")]


LONGEST = {
    ExemptBasis.AUTHENTICATION: 30,
    ExemptBasis.USER_INPUT: 1,
    ExemptBasis.MULTIMEDIA_PLAYER: 1,
    ExemptBasis.LOAD_BALANCING: 1,
    ExemptBasis.UI_CUSTOMISATION: 366,
    ExemptBasis.CART_AND_BILLING: 366,
    ExemptBasis.METERED_ACCESS: 366,
    ExemptBasis.SECURITY: 397,
    ExemptBasis.CONSENT_CHOICE: 400,
}


@pytest.mark.parametrize(("basis", "days"), LONGEST.items())
def test_what_is_exempt_lives_no_longer_than_its_basis_allows(basis: ExemptBasis, days: int) -> None:
    """Contract §10, WP194: an exemption whose basis does not fit the lifetime."""
    members = {"exempt": exempt(basis)}
    too_long = [("/trackers/0/duration", "exemption-lifetime")]
    assert tracker_codes("cookie", "technical", "session", **members) == []
    assert tracker_codes("cookie", "technical", f"P{days}D", **members) == []
    assert tracker_codes("cookie", "technical", f"P{days}DT1S", **members) == too_long


def test_a_provider_s_country_and_address_are_optional() -> None:
    full = {"name": "Ads Inc.", "country": "US", "privacy_policy": "https://ads.example/privacy"}
    read = policy(providers={"shop": {"name": "Shop"}, "ads": full})
    assert (read.providers["shop"].country, read.providers["ads"].privacy_policy) == (
        None,
        "https://ads.example/privacy",
    )
