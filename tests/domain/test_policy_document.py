"""Reading a policy document: what it says is read, and every fault is named with its pointer, all at once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consent_service.domain import regions
from consent_service.domain.durations import Duration
from consent_service.domain.errors import Fault, PolicyInvalid
from consent_service.domain.policy_document import read_policy
from consent_service.domain.regions import RegimeRule
from consent_service.domain.vocabulary import CATEGORIES, Category, DntMode, GpcMode, Regime, SeparateConsent
from consent_service.service.policy_files import load_document
from tests.support.builders import Document, document, entry, policy

ROOT = Path(__file__).parents[2]
DELETED = object()


def faults(broken: object) -> dict[str, str]:
    """Read a document that must be refused and give pointer to code of every fault."""
    with pytest.raises(PolicyInvalid) as refused:
        read_policy(broken)
    return {fault.pointer: fault.code for fault in refused.value.faults}


def changed(pointer: str, value: object) -> Document:
    """Give the shop's document with one place changed, added or (DELETED) taken away."""
    broken = document()
    *way, last = [int(step) if step.isdigit() else step for step in pointer.split("/")[1:]]
    place: Any = broken
    for step in way:
        place = place[step]
    if value is DELETED:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return broken


def test_the_packaged_sample_policy_reads() -> None:
    """Issue 2 item 2: eight categories, at least forty trackers, five languages."""
    text = (ROOT / "policies" / "storefront.yaml").read_text(encoding="utf-8")
    sample = read_policy(load_document(text))
    assert (sample.site, tuple(sample.categories), len(sample.languages)) == ("default", CATEGORIES, 5)
    assert len(sample.trackers) >= 40


def test_what_is_left_out_takes_the_protective_default() -> None:
    """Contract §10: dnt respect, gpc honor, six months, 400 days, built-in regimes, nothing shared across devices."""
    bare = document()
    read = read_policy({name: bare[name] for name in bare if name not in {"lifetimes", "providers", "trackers"}})
    assert (read.dnt, read.gpc, read.child_directed, read.cross_device) == (
        DntMode.RESPECT,
        GpcMode.HONOR,
        False,
        False,
    )
    assert (read.lifetime("FR"), read.cookie_cap) == (Duration(months=6), Duration(seconds=400 * 86_400))
    assert (read.regimes, read.trackers, read.providers) == (regions.BUILT_IN_REGIMES, (), {})
    assert read.hosts == ("shop.example",)
    assert read.ages_of_consent == regions.DEFAULT_AGES_OF_CONSENT


def test_what_is_said_is_read() -> None:
    """Contract §10: every member of the top level."""
    read = policy(
        hosts=["Shop.example:8443"],
        signals={"dnt": "strict", "gpc": "honor_where_law_requires"},
        cookie_cap="P30D",
        regimes=[{"regions": ["fr"], "regime": "notice"}],
        separate_consent=[{"regions": ["CN"], "categories": ["advertising"], "needs": ["cross_border"]}],
        age_of_consent={"default": 14, "fr": 15},
        child_directed=True,
        cross_device=True,
        effective_from="2026-12-01T01:00:00+01:00",
    )
    assert (read.hosts, read.cookie_cap.seconds) == (("shop.example:8443",), 30 * 86_400)
    assert (read.dnt, read.gpc) == (DntMode.STRICT, GpcMode.HONOR_WHERE_LAW_REQUIRES)
    assert read.regimes == (RegimeRule(frozenset({"FR"}), Regime.NOTICE),)
    assert read.separate_needs(Category.ADVERTISING, "CN") == {SeparateConsent.CROSS_BORDER}
    assert read.separate_needs(Category.SOCIAL_MEDIA, "CN") == frozenset()
    assert read.ages_of_consent == {"*": 14, "FR": 15}
    assert (read.child_directed, read.cross_device) == (True, True)
    assert read.effective_from == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(("outputs", "expected"), [({"gpp": True}, True), ({"gpp": False}, False), ({}, False)])
def test_gpp_is_off_until_the_site_switches_it_on(outputs: dict[str, bool], expected: bool) -> None:
    """OUT-07, contract §5.1: off by default."""
    assert policy(outputs=outputs).gpp is expected
    assert not policy().gpp


def test_what_sells_or_shares_is_the_category_s_answer_where_a_tracker_does_not_say() -> None:
    """Contract §10: `sells_or_shares` of a tracker; silence must not understate it."""
    read = policy(
        trackers=[entry("a", "cookie", "advertising"), entry("b", "cookie", "advertising", sells_or_shares=False)]
    )
    assert [tracker.sells_or_shares for tracker in read.trackers] == [True, False]


FAULTS = [
    ("/site", "Not A Slug", "site-unfit"),
    ("/site", DELETED, "missing"),
    ("/site", None, "text-expected"),
    ("/version", "two words", "version-unfit"),
    ("/version", 20261122, "text-expected"),
    ("/effective_from", "tomorrow", "moment-unfit"),
    ("/effective_from", "2026-11-22T00:00:00", "moment-unfit"),
    ("/effective_from", "0001-01-01T00:00:00+14:00", "moment-unfit"),
    ("/controller", DELETED, "missing"),
    ("/controller", [], "object-expected"),
    ("/controller/phone", DELETED, "missing"),
    ("/controller/name", "  ", "text-empty"),
    ("/controller/name", "bell\x07", "text-unfit"),
    ("/controller/name", "half a pair \ud800", "text-unfit"),
    ("/controller/name", "x" * 10_001, "text-unfit"),
    ("/controller/fax", "1", "unknown-member"),
    ("/urls/privacy_policy", DELETED, "missing"),
    ("/urls/cookie_settings", "javascript:alert(1)", "url-unfit"),
    ("/urls/cookie_settings", "https://user:secret@shop.example/", "url-unfit"),
    ("/urls/cookie_settings", "https://[nowhere/", "url-unfit"),
    ("/urls/cookie_settings", "https://shop.example/a b", "url-unfit"),
    ("/origins", "https://shop.example", "list-expected"),
    ("/origins/0", "https://shop.example/path", "origin-unfit"),
    ("/origins/0", "https://[:::]", "origin-unfit"),
    ("/languages/default", "de", "language-unavailable"),
    ("/texts/en/save", DELETED, "text-missing"),
    ("/texts/en", DELETED, "text-missing"),
    ("/banner/first_layer", ["accept_all", "customize"], "CON-22"),
    ("/banner/first_layer", [], "CON-15"),
    ("/signals", None, "object-expected"),
    ("/signals", {"dnt": "ignore"}, "word-unknown"),
    ("/signals", {"dnt": None}, "word-unknown"),
    ("/signals", {"adpc": "honor"}, "unknown-member"),
    ("/lifetimes/FR", "6 months", "duration-unfit"),
    ("/lifetimes/FR", "PT0S", "duration-unfit"),
    ("/lifetimes/France", "P6M", "region-unfit"),
    ("/lifetimes", [], "object-expected"),
    ("/cookie_cap", 400, "text-expected"),
    ("/regimes", {}, "list-expected"),
    ("/regimes", [{"regions": ["France"], "regime": "opt_in"}], "region-unfit"),
    ("/regimes", [{"regions": ["FR"], "regime": "none"}], "word-unknown"),
    ("/regimes", [{"regions": ["FR"], "regime": None}], "word-unknown"),
    ("/regimes", [{"regions": ["FR"]}], "missing"),
    ("/separate_consent", [{"regions": ["CN"], "categories": ["ads"], "needs": []}], "word-unknown"),
    ("/separate_consent", [{"regions": ["CN"], "categories": [], "needs": ["all"]}], "word-unknown"),
    ("/age_of_consent", {"default": 22}, "number-expected"),
    ("/age_of_consent", {"FR": -1}, "number-expected"),
    ("/age_of_consent", {"FR": True}, "number-expected"),
    ("/age_of_consent", {"FR": 15.0}, "number-expected"),
    ("/child_directed", 0, "boolean-expected"),
    ("/child_directed", None, "boolean-expected"),
    ("/cross_device", "yes", "boolean-expected"),
    ("/outputs", None, "object-expected"),
    ("/outputs", {"gpp": 1}, "boolean-expected"),
    ("/outputs", {"gpp": None}, "boolean-expected"),
    ("/outputs", {"tcf": True}, "unknown-member"),
    ("/categories/statistical", DELETED, "missing"),
    ("/categories/statistical", None, "object-expected"),
    ("/categories/marketing", {}, "unknown-member"),
    ("/categories/statistical/title/en", DELETED, "text-missing"),
    ("/categories/statistical/title", "Statistics", "object-expected"),
    ("/categories/statistical/sells_or_shares", 1, "boolean-expected"),
    ("/providers/ads/name", DELETED, "missing"),
    ("/providers/ads/privacy_policy", "ads.example", "url-unfit"),
    ("/providers/ads/fax", "1", "unknown-member"),
    ("/trackers", {}, "list-expected"),
    ("/trackers/0", "session", "object-expected"),
    ("/trackers/0/name", "*", "tracker-name-unfit"),
    ("/trackers/0/name", "a*b", "tracker-name-unfit"),
    ("/trackers/0/name", " a", "tracker-name-unfit"),
    ("/trackers/0/name", "x" * 256, "tracker-name-unfit"),
    ("/trackers/0/name", DELETED, "missing"),
    ("/trackers/0/kind", "supercookie", "word-unknown"),
    ("/trackers/0/kind", None, "word-unknown"),
    ("/trackers/0/category", "marketing", "word-unknown"),
    ("/trackers/0/category", None, "word-unknown"),
    ("/trackers/0/duration", "forever", "duration-unfit"),
    ("/trackers/0/duration", None, "text-expected"),
    ("/trackers/0/purpose/en", DELETED, "text-missing"),
    ("/trackers/0/third_party", "no", "boolean-expected"),
    ("/trackers/0/third_party", None, "boolean-expected"),
    ("/trackers/0/scope", "world", "word-unknown"),
    ("/trackers/0/exempt/basis", "necessity", "word-unknown"),
    ("/trackers/0/exempt/basis", None, "word-unknown"),
    ("/trackers/0/exempt/basis", DELETED, "missing"),
    ("/trackers/0/exempt/regions", [], "regions-missing"),
    ("/trackers/0/exempt/until", "P1Y", "unknown-member"),
    ("/trackers/18", entry("session", "cookie", "technical"), "tracker-repeated"),
]


@pytest.mark.parametrize(("pointer", "value", "code"), FAULTS)
def test_a_fault_is_named_with_its_place(pointer: str, value: object, code: str) -> None:
    """Contract §10: every fault at or below the place that was broken."""
    found = faults(changed(pointer, value))
    assert code in found.values()
    assert all(place.startswith(pointer) for place in found)


def test_a_pointer_escapes_what_rfc_6901_asks_for() -> None:
    assert faults(changed("/a~b", 1)) == {"/a~0b": "unknown-member"}
    assert faults(document() | {"a/b": 1}) == {"/a~1b": "unknown-member"}


def test_a_missing_member_is_one_fault_and_not_many() -> None:
    assert faults(changed("/controller", DELETED)) == {"/controller": "missing"}
    assert faults(changed("/trackers/0/purpose", DELETED)) == {
        "/trackers/0/purpose": "missing",
        "/trackers/0/purpose/en": "text-missing",
    }


def test_what_follows_from_a_fault_is_told_with_it() -> None:
    assert faults(changed("/banner/first_layer/1", "agree")) == {
        "/banner/first_layer/1": "word-unknown",
        "/banner/first_layer": "CON-22",
    }
    assert faults(changed("/languages/available", {})) == {
        "/languages/available": "list-expected",
        "/languages/default": "language-unavailable",
    }


def test_all_faults_are_told_at_once() -> None:
    """Contract §10: validated before it is published, every fault named, all at once."""
    broken = changed("/site", "Not A Slug") | {"cookie_cap": "long", "child_directed": "no", "extra": 1}
    assert faults(broken) == {
        "/site": "site-unfit",
        "/cookie_cap": "duration-unfit",
        "/child_directed": "boolean-expected",
        "/extra": "unknown-member",
    }


@pytest.mark.parametrize("broken", [None, [], "text", 1, True, 1.5])
def test_a_document_that_is_no_object_is_refused(broken: object) -> None:
    assert faults(broken) == {"": "object-expected"}


def test_member_names_must_be_texts() -> None:
    """YAML allows `1: x`; JSON and the contract do not."""
    assert set(faults(changed("/urls", document()["urls"] | {1: "https://shop.example"}))) == {"/urls"}
    assert faults(document() | {1: 2}) == {"/1": "unknown-member"}


def test_an_exemption_may_be_null_and_then_consent_is_needed() -> None:
    """Contract §10: "absent: needs consent"."""
    assert read_policy(changed("/trackers/0/exempt", None)).trackers[0].exempt is None


def test_no_fault_repeats_what_was_submitted() -> None:
    """Contract §8: never the submitted value."""
    with pytest.raises(PolicyInvalid) as refused:
        read_policy(changed("/site", "S3cret value"))
    assert refused.value.faults == (
        Fault("/site", "site-unfit", "1 to 63 lower-case letters, digits and hyphens are expected"),
    )
