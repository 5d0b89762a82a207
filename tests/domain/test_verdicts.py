"""What is decided for all trackers at once is what the rules say of each."""

from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.decision import decide_tracker, situate
from consent_service.domain.record import ConsentRecord
from consent_service.domain.ruleset import Ruleset
from consent_service.domain.signals import Signals
from consent_service.domain.verdicts import Verdicts, cleanup
from tests.support import strategies as any_
from tests.support.builders import NOW, RULES

NAMES = (*(tracker.name for tracker in RULES.policy.trackers), "_ga_X", "id_ad_9", "nobody_knows_it", "", "*")


@given(any_.rulesets(), st.none() | any_.records(), any_.SIGNALS, any_.REGIONS)
def test_deciding_by_kind_agrees_with_the_rules_for_each_tracker(
    rules: Ruleset, known: ConsentRecord | None, signals: Signals, region: str | None
) -> None:
    """Issue 4 item 1: the table comes from the one rule function, and both agree."""
    s = situate(rules, known, signals, region, NOW)
    verdicts = Verdicts(s)
    assert [verdicts.decide(name) for name in NAMES] == [decide_tracker(s, name) for name in NAMES]


@given(any_.rulesets(), st.none() | any_.records(), any_.SIGNALS, any_.REGIONS)
def test_what_must_leave_the_device_is_what_is_stored_and_not_allowed(
    rules: Ruleset, known: ConsentRecord | None, signals: Signals, region: str | None
) -> None:
    """CON-14."""
    s = situate(rules, known, signals, region, NOW)
    expected = [t for t in rules.policy.trackers if t.stored and not decide_tracker(s, t.name).allow]
    assert list(cleanup(s)) == expected
