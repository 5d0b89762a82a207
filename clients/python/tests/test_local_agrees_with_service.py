"""Where a signed state answers at all, it answers as the service's own rules do: a property test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from consent_service.domain import vocabulary as words
from consent_service.domain.decision import decide_categories, decide_category, decide_tracker, situate
from consent_service.domain.durations import Duration
from consent_service.domain.policy import CategoryTexts, Exemption, Policy, SeparateConsentRule, Tracker
from consent_service.domain.policy_document import read_policy
from consent_service.domain.record import AccountState, CategoryChoice, ConsentRecord
from consent_service.domain.ruleset import compile_ruleset
from consent_service.domain.signals import Signals as ServiceSignals
from consent_service.service.policy_files import load_document
from consent_service.service.trackers import tracker_table
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_client.local import LocalDecisions
from consent_client.signals import Signals
from consent_client.tokens import State
from consent_client.trackers import parse_table

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SAMPLE = read_policy(load_document((Path(__file__).parents[3] / "policies" / "storefront.yaml").read_text("utf-8")))
LIFE = timedelta(minutes=15)
REGIONS = (None, "FR", "DE", "GB", "CN", "US-CA", "US-TX", "US-VA", "CA-QC")
NAMES = ("a", "ab*", "abc", "abc*", "b")

truths = st.booleans()
dnts = st.sampled_from([None, *words.Dnt])
signals = st.builds(ServiceSignals, dnts, truths)
regions = st.frozensets(st.sampled_from(["*", "FR", "CN", "US-CA"]), min_size=1)
durations = st.sampled_from([None, Duration(months=13), Duration(seconds=400 * 86_400), Duration(seconds=60)])
trackers = st.builds(
    Tracker,
    name=st.sampled_from(NAMES),
    kind=st.sampled_from(words.TrackerKind),
    category=st.sampled_from(words.Category),
    provider=st.just("shop"),
    duration=durations,
    purpose=st.just({}),
    sells_or_shares=truths,
    cross_border=truths,
    exempt=st.none() | st.builds(Exemption, st.sampled_from(words.ExemptBasis), regions),
)
choices = st.builds(
    CategoryChoice,
    choice=st.sampled_from(words.Choice),
    decided_at=st.just(NOW),
    expires_at=st.sampled_from([NOW - timedelta(days=1), NOW + LIFE, NOW + timedelta(days=100)]),
    policy_version=st.sampled_from([SAMPLE.version, "older"]),
    was_granted=truths,
)
by_category = st.dictionaries(st.sampled_from(words.Category), choices)
accounts = st.none() | st.builds(AccountState, st.just("h"), truths, truths, by_category, by_category)
records = st.builds(
    ConsentRecord,
    site=st.just("s"),
    visitor_id=st.just("A" * 22),
    created_at=st.just(NOW),
    updated_at=st.just(NOW),
    web=by_category,
    email=by_category,
    separate=st.frozensets(st.sampled_from(words.SeparateConsent)),
    dnt=dnts,
    gpc=truths,
    opted_out=truths,
    age_band=st.sampled_from(words.AgeBand),
    restricted=truths,
    objections=st.frozensets(st.sampled_from(words.Category), max_size=2),
    account=accounts,
)
separate_rules = st.lists(
    st.builds(
        SeparateConsentRule,
        regions=regions,
        categories=st.frozensets(st.sampled_from(words.Category), min_size=1),
        needs=st.frozensets(st.sampled_from(words.SeparateConsent), min_size=1),
    ),
    max_size=2,
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Make a policy of which only what decisions look at varies."""
    selling = draw(st.frozensets(st.sampled_from(words.Category)))
    return replace(
        SAMPLE,
        dnt=draw(st.sampled_from(words.DntMode)),
        gpc=draw(st.sampled_from(words.GpcMode)),
        separate_consent=tuple(draw(separate_rules)),
        child_directed=draw(truths),
        cross_device=draw(truths),
        categories={c: CategoryTexts({}, {}, c in selling) for c in words.CATEGORIES},
        trackers=tuple(draw(st.lists(trackers, max_size=6))),
    )


def recorded(record: ConsentRecord, shown: ServiceSignals) -> ConsentRecord:
    """Give the record after a request that showed these signals (contract §5: recorded before it is answered)."""
    return replace(record, dnt=shown.dnt or record.dnt, gpc=record.gpc or shown.gpc)


@settings(max_examples=600, deadline=None)
@given(policies(), records, signals, signals, st.sampled_from(REGIONS))
def test_local_and_remote_answers_agree(
    policy: Policy, record: ConsentRecord, at_signing: ServiceSignals, now: ServiceSignals, region: str | None
) -> None:
    rules = compile_ruleset(policy)
    signed = situate(rules, record, at_signing, region, NOW)
    state = State(
        visitor_id=record.visitor_id,
        vector="".join("1" if decision.allow else "0" for decision in decide_categories(signed)),
        expires_at=(NOW + LIFE).timestamp(),
        policy_version=policy.version,
        revision=record.revision,
        dnt=signed.dnt.value if signed.dnt else None,
        gpc=signed.gpc,
        sale_share_opt_out=signed.sale_share_opt_out,
        regime=signed.regime.value,
    )
    heard = Signals(now.dnt.value if now.dnt else None, now.gpc)
    local = LocalDecisions(state, heard, parse_table(tracker_table(policy)), NOW.timestamp)
    remote = situate(rules, recorded(record, at_signing), now, region, NOW)

    settled = {c: a for c in words.CATEGORIES if (a := local.settled(c)) is not None}
    assert {c: a.allow for c, a in settled.items()} == {c: decide_category(remote, c).allow for c in settled}

    asked = ("a", "ab", "abc", "abcd", "abx", "b", "zz")
    known = {name: a for name in asked if (a := local.settled(name)) is not None}
    answers = {name: decide_tracker(remote, name) for name in known}
    assert {name: a.allow for name, a in known.items()} == {name: d.allow for name, d in answers.items()}
    # A local reason is exact where it says one of these; `granted` and `refused` stand for several of the service's.
    exact = {name: a.reason for name, a in known.items() if a.reason in {"exempt", "unregistered"}}
    assert exact == {name: str(answers[name].reason) for name in exact}
    capped = {name: d.max_age for name, d in answers.items() if d.max_age is not None}
    assert [name for name, age in capped.items() if (known[name].max_age or 0) > age] == []


@settings(max_examples=200, deadline=None)
@given(policies(), records, signals, st.sampled_from(REGIONS))
def test_a_signal_on_top_never_allows_more(
    policy: Policy, record: ConsentRecord, at_signing: ServiceSignals, region: str | None
) -> None:
    """SIG-11, SIG-26."""
    signed = situate(compile_ruleset(policy), record, at_signing, region, NOW)
    state = State(
        record.visitor_id,
        "".join("1" if decision.allow else "0" for decision in decide_categories(signed)),
        (NOW + LIFE).timestamp(),
        policy.version,
        0,
        signed.dnt.value if signed.dnt else None,
        signed.gpc,
        signed.sale_share_opt_out,
        signed.regime.value,
    )
    table = parse_table(tracker_table(policy))
    quiet = LocalDecisions(state, Signals(), table, NOW.timestamp)
    loud = LocalDecisions(state, Signals("1", gpc=True), table, NOW.timestamp)
    names = [*words.CATEGORIES, "a", "ab", "abc", "abcd", "b"]
    assert [name for name in names if loud.allows(name) and not quiet.allows(name)] == []
