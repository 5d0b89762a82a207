"""What holds for every visitor, site, signal and moment there may be."""

import json
from dataclasses import replace
from datetime import datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from consent_service.domain.decision import decide_categories, decide_tracker, situate
from consent_service.domain.moments import to_micros
from consent_service.domain.record import NOTHING, ConsentRecord
from consent_service.domain.record_text import StoredVisitor, decode_record, encode_record
from consent_service.domain.ruleset import Ruleset
from consent_service.domain.signals import Signals
from consent_service.domain.state import consent_state
from consent_service.domain.verdicts import cleanup
from consent_service.domain.vocabulary import CATEGORIES, Category, Dnt, Reason, Regime
from tests.support import strategies as any_
from tests.support.builders import NOW, RULES, SITE, VISITOR, allowed, chosen, record

NAMES = (*(tracker.name for tracker in RULES.policy.trackers), "_ga_X", "nobody_knows_it")


def reasons(
    rules: Ruleset, known: ConsentRecord | None, signals: Signals, region: str | None, now: datetime = NOW
) -> tuple[Reason, ...]:
    """Ask everything there is to ask."""
    s = situate(rules, known, signals, region, now)
    return (*(d.reason for d in decide_categories(s)), *(decide_tracker(s, name).reason for name in NAMES))


def may_run(rules: Ruleset, known: ConsentRecord | None, signals: Signals, region: str | None) -> frozenset[str]:
    """Give everything that may run now."""
    return allowed(situate(rules, known, signals, region, NOW))


@given(any_.rulesets(), st.none() | any_.records(), any_.SIGNALS, any_.REGIONS, any_.MOMENTS, st.text())
def test_every_question_has_an_answer(
    rules: Ruleset, known: ConsentRecord | None, signals: Signals, region: str | None, now: datetime, name: str
) -> None:
    """Issue 2 item 3: total; nothing is raised, whatever is asked about whomever and whenever."""
    s = situate(rules, known, signals, region, now)
    state = consent_state(s)
    assert [decision.category for decision in state.decisions] == list(CATEGORIES)
    assert state.vector == "".join("01"[decision.allow] for decision in state.decisions)
    assert decide_tracker(s, name).tracker == name
    assert {tracker.name for tracker in cleanup(s)} <= {tracker.name for tracker in rules.policy.trackers}
    assert state.prompt in {True, False}


@given(any_.rulesets(), any_.records(), any_.SIGNALS, any_.REGIONS)
def test_a_grant_never_follows_from_silence(
    rules: Ruleset, known: ConsentRecord, signals: Signals, region: str | None
) -> None:
    """CON-02, CON-07, SIG-05: no record, or a record without a choice (dismissed, DNT: 0), never reads `granted`."""
    silent = replace(known, web=NOTHING, email=NOTHING, account=None)
    assert Reason.GRANTED not in reasons(rules, None, signals, region)
    assert Reason.GRANTED not in reasons(rules, silent, signals, region)


@given(any_.rulesets(), any_.records(), any_.SIGNALS, any_.REGIONS, st.frozensets(st.sampled_from(CATEGORIES)))
def test_fewer_grants_never_allow_more(
    rules: Ruleset, known: ConsentRecord, signals: Signals, region: str | None, fewer: frozenset[Category]
) -> None:
    """Issue 2 item 3: a grant turned into a denial, or into silence, opens nothing."""
    before = may_run(rules, known, signals, region)
    assert may_run(rules, any_.with_denied(known, fewer), signals, region) <= before
    assert may_run(rules, any_.without(known, fewer), signals, region) <= before


@given(any_.rulesets(), st.none() | any_.records(), any_.SIGNALS, any_.REGIONS)
def test_more_signals_never_allow_more(
    rules: Ruleset, known: ConsentRecord | None, signals: Signals, region: str | None
) -> None:
    """SIG-12, SIG-26: DNT: 1 or GPC on top of anything opens nothing."""
    before = may_run(rules, known, signals, region)
    assert may_run(rules, known, replace(signals, gpc=True), region) <= before
    assert may_run(rules, known, replace(signals, dnt=Dnt.DO_NOT_TRACK), region) <= before


@given(any_.rulesets(), any_.records(), any_.REGIONS)
def test_what_is_set_against_a_visitor_s_data_never_allows_more(
    rules: Ruleset, known: ConsentRecord, region: str | None
) -> None:
    """Rules 3 to 6: restriction, objection and opt-out only take away."""
    free = replace(known, restricted=False, objections=frozenset(), opted_out=False, gpc=False)
    before = may_run(rules, free, Signals(), region)
    assert may_run(rules, replace(free, restricted=True), Signals(), region) <= before
    assert may_run(rules, replace(free, objections=known.objections), Signals(), region) <= before
    assert may_run(rules, replace(free, opted_out=True), Signals(), region) <= before
    assert may_run(rules, replace(free, gpc=True), Signals(), region) <= before


@given(any_.rulesets(), any_.SIGNALS, any_.REGIONS, any_.MOMENTS, any_.MOMENTS, any_.MOMENTS)
def test_a_refusal_never_lapses_into_an_allow(
    rules: Ruleset, signals: Signals, region: str | None, decided_at: datetime, expires_at: datetime, now: datetime
) -> None:
    """Contract §5, rule 7: whatever the clock says, after a refusal only what is exempt runs."""
    refused = chosen(decided_at=decided_at, expires_at=expires_at)
    answers = reasons(rules, record(web=refused, email=refused), signals, region, now)
    assert not {Reason.GRANTED, Reason.REGION_DEFAULT, Reason.EXPIRED, Reason.NO_RECORD} & set(answers)


@given(any_.rulesets(), st.none() | any_.records(), any_.SIGNALS, any_.OPT_IN_REGIONS)
def test_an_unknown_region_never_allows_more_than_an_opt_in_region(
    rules: Ruleset, known: ConsentRecord | None, signals: Signals, region: str
) -> None:
    """REG-01: none is the strictest; only a consent that one country asks for apart is not asked for nowhere."""
    assume(rules.policy.regime(region) is Regime.OPT_IN)
    there = situate(rules, known, signals, region, NOW)
    needs_more = {c.value for c in CATEGORIES if rules.policy.separate_needs(c, region)}
    trackers = {t.name for t in rules.policy.trackers if t.category in needs_more}
    here = may_run(rules, known, signals, None) - needs_more - trackers
    assert here <= allowed(there)


@given(any_.rulesets(), st.none() | any_.records(), any_.SIGNALS, any_.REGIONS, any_.MOMENTS)
def test_what_is_strictly_necessary_always_runs(
    rules: Ruleset, known: ConsentRecord | None, signals: Signals, region: str | None, now: datetime
) -> None:
    """SIG-06, CON-16, rule 2: a shop works fully after any refusal and under any signal."""
    s = situate(rules, known, signals, region, now)
    necessary = [t.name for t in rules.policy.trackers if t.category is Category.STRICTLY_NECESSARY]
    assert {decide_tracker(s, name).reason for name in necessary} <= {Reason.EXEMPT}
    assert consent_state(s).decisions[CATEGORIES.index(Category.STRICTLY_NECESSARY)].reason is Reason.EXEMPT


@given(any_.records())
def test_a_record_is_read_back_as_it_was_written(known: ConsentRecord) -> None:
    """Nothing lost: both texts of a record give the record again; the account's row travels beside them."""
    assert decode_record(SITE, VISITOR, encode_record(known), known.account) == known


@given(any_.rulesets(), any_.records(), any_.SIGNALS, any_.REGIONS, st.data())
def test_equal_facts_give_equal_answers_while_the_same_moments_have_passed(
    rules: Ruleset, known: ConsentRecord, signals: Signals, region: str | None, data: st.DataObject
) -> None:
    """The hot path remembers answers by `facts` and by which choices have lapsed: nothing else of a moment matters."""
    stored = encode_record(replace(known, account=None))
    passed = data.draw(st.lists(st.booleans(), min_size=MOST_MOMENTS, max_size=MOST_MOMENTS))
    one, other = (stored._replace(times=data.draw(times_like(stored, passed))) for _ in range(2))
    first, second = decode_record(SITE, VISITOR, one), decode_record(SITE, VISITOR, other)
    assert reasons(rules, first, signals, region) == reasons(rules, second, signals, region)
    assert prompt(rules, first, region) == prompt(rules, second, region)


def prompt(rules: Ruleset, known: ConsentRecord, region: str | None) -> bool:
    """Ask whether to ask."""
    return consent_state(situate(rules, known, Signals(), region, NOW)).prompt


MOST_MOMENTS = 1 + 2 * len(CATEGORIES)


def times_like(stored: StoredVisitor, passed: list[bool]) -> st.SearchStrategy[str]:
    """Draw other moments for the same facts; `passed` says of the next prompt and of each lapse whether it is over."""
    now = to_micros(NOW)
    anywhere, past, later = st.integers(1, 2 * now), st.integers(1, now), st.integers(now + 1, 2 * now)
    groups = (len(json.loads(stored.times)) - 3) // 2
    again, *lapses = [past if over else later for over in passed[: 1 + groups]]
    pairs = [moment for lapse in lapses for moment in (anywhere, lapse)]
    return st.tuples(anywhere, anywhere, again, *pairs).map(json.dumps)


@given(any_.rulesets(), any_.records(), any_.SIGNALS, any_.REGIONS)
def test_lapsing_never_opens_anything_in_an_opt_in_region(
    rules: Ruleset, known: ConsentRecord, signals: Signals, region: str | None
) -> None:
    """CON-10: where silence denies, time only takes away."""
    s = situate(rules, known, signals, region, NOW)
    later = situate(rules, known, signals, region, datetime.max.replace(tzinfo=NOW.tzinfo))
    assume(s.regime is Regime.OPT_IN)
    assert allowed(later) <= allowed(s)
