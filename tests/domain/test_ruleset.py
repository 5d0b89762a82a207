"""A policy made ready for deciding: names, patterns and the versions before it."""

from consent_service.domain.ruleset import compile_ruleset
from consent_service.domain.vocabulary import Category
from tests.support.builders import entry, policy, rules

PATTERNS = rules(
    trackers=[
        entry("a*", "cookie", "technical"),
        entry("ab*", "cookie", "technical"),
        entry("abc*", "cookie", "technical"),
        entry("abc*", "lso", "technical"),
        entry("abcd", "cookie", "technical"),
    ]
)


def found(name: str) -> list[str]:
    """Name the entries that speak for a name."""
    return [tracker.name for tracker in PATTERNS.find(name)]


def test_the_most_specific_entry_speaks_for_a_name() -> None:
    """TRK-05, contract §10: exact, then the longest pattern, all entries of it; a pattern matches an empty rest."""
    assert [found(name) for name in ("a", "ax", "ab", "abx")] == [["a*"], ["a*"], ["ab*"], ["ab*"]]
    assert found("abc") == found("abcde") == ["abc*", "abc*"]
    assert found("abcd") == ["abcd"]
    assert found("b") == found("") == found("A") == []


def test_categories_that_cross_a_border_are_known() -> None:
    """REG-08."""
    assert rules().crossing == {Category.ADVERTISING, Category.FUNCTIONALITY}
    assert PATTERNS.crossing == frozenset()


def test_the_version_in_force_covers_itself_also_when_it_stands_among_the_earlier_ones() -> None:
    """CON-11: and an unknown version covers nothing."""
    again = compile_ruleset(policy(), [policy()])
    assert all(again.covered("v1", category) for category in Category)
    assert not any(again.covered("nobody published it", category) for category in Category)
