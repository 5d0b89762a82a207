"""What a purge takes and what it leaves: proofs of what still counts, every no, and young opt-outs."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from consent_service.domain.durations import Duration
from consent_service.domain.record import ConsentRecord
from consent_service.domain.retention import (
    Due,
    Entry,
    Verdict,
    by_policy,
    is_opt_out,
    judge,
    newest_of_each_kind,
    older_than,
    still_counts,
)
from consent_service.domain.signal_adapters.expression import Expression
from consent_service.domain.signal_adapters.transition import express
from consent_service.domain.transitions import accounts, choices, rights
from consent_service.domain.transitions.choices import Submission
from consent_service.domain.transitions.context import Transition
from consent_service.domain.vocabulary import Action, AgeBand, Category, Channel, Dnt, Method
from tests.support.builders import NOW, account, chosen, context, policy, record

LIMIT = older_than(Duration(months=24), NOW)
LONG_AGO = NOW - timedelta(days=1_000)


class Visit:
    """One visitor through time."""

    def __init__(self, at: datetime = LONG_AGO) -> None:
        """Begin with nothing said."""
        self.record: ConsentRecord = record(created_at=at, updated_at=at)
        self.entries: list[Entry] = []

    def does(self, move: Any, at: datetime = LONG_AGO, region: str = "FR", **signals: Any) -> "Visit":
        """Carry out a transition at a moment."""
        done: Transition = move(self.record, context(now=at, region=region, **signals))
        self.record = done.record
        self.entries += [Entry(len(self.entries), at, event.payload()) for event in done.events]
        return self

    def judged(self, due: Due = LIMIT) -> Verdict:
        """Say what a purge takes."""
        return judge(self.record, self.entries, due, NOW)


def answers(action: Action, channel: Channel = Channel.WEB) -> Any:
    """Give the transition of an answer."""
    return lambda known, ctx: choices.submit(known, Submission(action, channel=channel), ctx)


ACCEPTS, REJECTS, DISMISSES = (answers(a) for a in (Action.ACCEPT_ALL, Action.REJECT_ALL, Action.DISMISS))


def test_a_grant_that_lapsed_long_ago_goes_with_its_record() -> None:
    assert Visit().does(ACCEPTS).judged() == Verdict((0,), (), forget=True)


def test_a_visitor_who_never_said_anything_goes() -> None:
    assert Visit().judged() == Verdict(forget=True)


def test_what_is_young_stays() -> None:
    assert Visit().does(ACCEPTS, NOW - timedelta(days=700)).judged() == Verdict()


def test_a_grant_that_still_counts_keeps_its_proof_however_short_the_limit() -> None:
    """GDPR Art. 7(1): what is relied on can be proved."""
    visit = Visit().does(ACCEPTS, NOW - timedelta(days=20)).does(ACCEPTS, NOW - timedelta(days=10))
    assert visit.judged(older_than(Duration(seconds=1), NOW)) == Verdict((0,))


def test_an_old_refusal_stays_on_record_with_its_proof() -> None:
    """A purge never turns a no into a yes: where silence allows, the record is all that denies."""
    visit = Visit().does(ACCEPTS).does(REJECTS).does(REJECTS)
    assert visit.judged() == Verdict((0, 1))


def test_each_channel_keeps_the_proof_of_its_own_choice() -> None:
    visit = Visit().does(answers(Action.REJECT_ALL, Channel.EMAIL)).does(REJECTS).does(REJECTS)
    assert visit.judged() == Verdict((1,))


def test_a_signal_about_one_category_leaves_the_others_their_proof() -> None:
    """OUT-11, EVD-10: ADPC withdraws statistics; the refusals of the banner rest on the banner's event."""
    stops = Expression(("adpc",), withdrawals=frozenset({Category.STATISTICAL}))
    grants = Submission(Action.CUSTOM, dict.fromkeys(Category, False) | {Category.STATISTICAL: True})
    visit = Visit().does(DISMISSES).does(lambda known, ctx: choices.submit(known, grants, ctx))
    visit.does(lambda known, ctx: express(known, stops, ctx))
    assert visit.judged() == Verdict()
    assert newest_of_each_kind(visit.entries) == {0, 1, 2}


def test_a_withdrawal_is_the_proof_for_both_channels() -> None:
    visit = Visit().does(answers(Action.ACCEPT_ALL, Channel.EMAIL)).does(ACCEPTS)
    assert visit.does(choices.withdraw).judged() == Verdict((0, 1))


@pytest.mark.parametrize(
    "said",
    [
        lambda visit: visit.does(rights.opt_out),
        lambda visit: visit.does(lambda r, ctx: rights.set_restriction(r, True, ctx)),
        lambda visit: visit.does(lambda r, ctx: rights.set_objections(r, frozenset({Category.ADVERTISING}), ctx)),
        lambda visit: visit.does(lambda r, ctx: rights.set_age_band(r, AgeBand.UNDER_13, ctx)),
        lambda visit: visit.does(ACCEPTS, gpc=True),
        lambda visit: visit.does(ACCEPTS, dnt=Dnt.DO_NOT_TRACK),
        lambda visit: visit.does(lambda r, ctx: accounts.link(r, account(), ctx)),
    ],
    ids=["opt-out", "restriction", "objection", "child", "gpc", "dnt", "account"],
)
def test_whatever_protects_the_visitor_stays_with_its_proof(said: Any) -> None:
    visit = said(Visit().does(ACCEPTS))
    assert not visit.judged().forget
    assert visit.entries[-1].seq not in visit.judged().remove


@pytest.mark.parametrize("lifted", [Action.ACCEPT_ALL, Action.DISMISS])
def test_a_record_that_says_no_more_than_a_strangers_does_not_count(lifted: Action) -> None:
    visit = Visit().does(answers(lifted)).does(lambda r, ctx: rights.set_age_band(r, AgeBand.ADULT, ctx))
    assert not still_counts(visit.record, NOW)


def test_choices_of_an_account_count_for_its_visitors() -> None:
    assert still_counts(record(account=account(web=chosen())), NOW)


def test_a_prompt_that_may_not_come_back_yet_keeps_the_record() -> None:
    """CON-09."""
    assert still_counts(record(re_prompt_not_before=NOW + timedelta(days=1)), NOW)


@pytest.mark.parametrize(
    "opting_out",
    [
        lambda visit, at: visit.does(rights.opt_out, at),
        lambda visit, at: visit.does(ACCEPTS, at, gpc=True),
        lambda visit, at: visit.does(REJECTS, at, "US-CA"),
    ],
    ids=["form", "signal", "refusal where the regime is opt-out"],
)
@pytest.mark.parametrize(("months", "held"), [(23, (0,)), (25, ())])
def test_records_of_opt_outs_are_kept_for_24_months(opting_out: Any, months: int, held: tuple[int, ...]) -> None:
    """EVD-10, 11 CCR 7101: refused for opt-outs, done for the others."""
    at = Duration(months=months).before(NOW)
    visit = opting_out(Visit(at), at).does(ACCEPTS, at).does(ACCEPTS, at)
    verdict = visit.judged(older_than(Duration(months=1), NOW))
    assert verdict.held[:1] == held
    assert not set(verdict.remove) & set(verdict.held)


def test_a_choice_is_no_opt_out() -> None:
    visit = Visit().does(ACCEPTS).does(REJECTS)
    assert [is_opt_out(entry.event) for entry in visit.entries] == [False, False]


@pytest.mark.parametrize(("days", "forgotten"), [(-1, False), (1, True)])
def test_without_a_limit_evidence_is_kept_for_36_months_after_the_choice_lapsed(days: int, forgotten: bool) -> None:
    """rules.md §3.4: what the receipts promise."""
    at = Duration(months=6 + 36).before(NOW) - timedelta(days=days)
    assert Visit(at).does(ACCEPTS, at).judged(by_policy(policy().lifetime, NOW)).forget is forgotten


def test_an_imported_choice_is_as_old_as_it_was_made() -> None:
    """§3.4: the lifetime of a choice begins when it was made, wherever that was."""
    made = Duration(months=6 + 36).before(NOW) - timedelta(days=1)
    late = made + timedelta(days=100)
    ctx = context(now=late)._replace(method=Method.IMPORT)
    done = choices.submit(record(), Submission(Action.ACCEPT_ALL, decided_at=made), ctx)
    assert by_policy(policy().lifetime, NOW)(Entry(0, late, done.events[0].payload()))
