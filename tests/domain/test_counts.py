"""What reports count: each event once, in the row of its day, channel, version and region, and nobody by name."""

from datetime import timedelta

from consent_service.domain.counts import FIGURES, CountKey, Tally, count, day_number, day_of
from consent_service.domain.record import ConsentRecord
from consent_service.domain.signal_adapters.expression import Expression
from consent_service.domain.signal_adapters.transition import express
from consent_service.domain.transitions.choices import Submission, submit
from consent_service.domain.vocabulary import Action, Category
from tests.support.builders import NOW, SITE, VERSION, context
from tests.support.histories import HISTORIES, Told

TODAY = day_number(NOW)


def told(*steps: Told) -> Tally:
    """Count what these visitors did, one after the other."""
    tally: Tally = {}
    records: dict[str, ConsentRecord] = {}
    for step in steps:
        before = records.get(step.visitor_id)
        transition = step.step(before or ConsentRecord(SITE, step.visitor_id, step.ctx.now, step.ctx.now), step.ctx)
        for event in transition.events:
            count(tally, before, event)
        records[step.visitor_id] = transition.record
    return tally


def figures(tally: Tally, day: int, channel: str = "web", region: str = "FR") -> dict[str, int]:
    """Give a row's figures that are not nothing."""
    counts = tally[CountKey(SITE, TODAY + day, channel, VERSION, region)]
    return {name: number for name, number in zip(FIGURES, counts, strict=True) if number}


def of(visitor_id: str) -> Tally:
    """Count one visitor's history."""
    return told(*(step for step in HISTORIES if step.visitor_id == visitor_id))


def granted(*categories: Category) -> dict[str, int]:
    """Say that each of these was granted once."""
    return {f"granted_{category.value}": 1 for category in categories}


def test_an_acceptance_is_an_answer_that_grants_all_eight() -> None:
    assert figures(of("a"), 0) == {"answers": 1, "accepted_all": 1} | granted(*Category)


def test_a_category_that_was_granted_and_is_denied_is_withdrawn() -> None:
    kept = (Category.STATISTICAL, Category.STRICTLY_NECESSARY)
    gone = {f"withdrawn_{category.value}": 1 for category in Category if category not in kept}
    assert figures(of("a"), 1) == {"answers": 1} | granted(*kept) | gone


def test_withdrawing_everything_counts_on_each_channel_where_something_was_chosen() -> None:
    assert figures(of("a"), 2) == {
        "answers": 1,
        "withdrawals": 1,
        "granted_strictly_necessary": 1,
        "withdrawn_statistical": 1,
    }
    assert figures(of("a"), 2, "email")["withdrawn_advertising"] == 1


def test_a_refusal_is_an_answer_under_the_signals_of_its_moment() -> None:
    assert figures(of("b"), 0, region="US-CA") == {
        "answers": 1,
        "refused_all": 1,
        "gpc": 1,
        "granted_strictly_necessary": 1,
    }


def test_a_refusal_by_one_who_was_asked_again_is_counted_as_such() -> None:
    found = figures(of("b"), 300, region="US-CA")
    assert (found["asked_again"], found["refused_again"]) == (1, 1)


def test_a_signal_about_one_category_leaves_the_others_as_they_were() -> None:
    """OUT-11: ADPC may speak of single categories."""
    stop_statistics = Expression(("adpc",), withdrawals=frozenset({Category.STATISTICAL}))
    accepted = Told("s", lambda record, ctx: submit(record, Submission(Action.ACCEPT_ALL), ctx), context())
    later = context(now=NOW + timedelta(days=1))
    signalled = Told("s", lambda record, ctx: express(record, stop_statistics, ctx), later)
    rest = [category for category in Category if category is not Category.STATISTICAL]
    assert figures(told(accepted, signalled), 1) == {"answers": 1, "withdrawn_statistical": 1} | granted(*rest)


def test_an_opt_out_of_sale_and_its_end_are_no_answers() -> None:
    tally = of("b")
    assert [figures(tally, day, region="US-CA") for day in (301, 302)] == [{"opt_outs": 1}, {"opt_ins": 1}]


def test_a_dismissal_is_no_answer_and_the_next_question_is_asked_again() -> None:
    tally = of("c")
    assert figures(tally, 0, region="") == {"dismissals": 1}
    assert figures(tally, 1, region="") == {
        "answers": 1,
        "accepted_all": 1,
        "dnt": 1,
        "asked_again": 1,
        "signals": 1,
    } | granted(*Category)


def test_an_imported_choice_is_no_answer_given_here() -> None:
    assert figures(of("d"), 0) == {"imports": 1}


def test_no_row_names_a_visitor() -> None:
    """EVD-14: the key of a row is all that is said beside the numbers."""
    assert {key._fields for key in told(*HISTORIES)} == {("site", "day", "channel", "policy_version", "region")}


def test_days_are_numbered_from_1970() -> None:
    assert day_of(day_number(NOW)) == NOW.date()
    assert day_number(day_of(0)) == 0
