"""`Tk: U`: the tracking status has changed where what was said, or what stands beside it, differs at that moment."""

from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.record import CategoryChoice, Choices, ConsentRecord
from consent_service.domain.transitions.context import status_changed
from consent_service.domain.vocabulary import Category, Choice
from tests.support import strategies as any_


def said(choices: Choices, now: datetime) -> dict[Category, tuple[object, ...]]:
    """Write down what counts of choices: every denial alike, a grant by its version and whether it has lapsed."""
    return {c: standing(entry, now) for c, entry in choices.items() if c is not Category.STRICTLY_NECESSARY}


def standing(entry: CategoryChoice, now: datetime) -> tuple[object, ...]:
    denied = entry.choice is Choice.DENIED
    return (entry.choice,) if denied else (entry.choice, entry.policy_version, now >= entry.expires_at)


def status(record: ConsentRecord, now: datetime) -> tuple[object, ...]:
    account = record.account
    shared = account and (said(account.web, now), said(account.email, now))
    flags = (record.dnt, record.gpc_known, record.opted_out_known, record.age_band, record.restricted)
    return (said(record.web, now), said(record.email, now), shared, record.separate, *flags, record.objections)


@given(any_.records(), any_.records(), st.data())
def test_the_status_differs_where_anything_that_counts_does(
    one: ConsentRecord, other: ConsentRecord, data: st.DataObject
) -> None:
    """TSR-10: whatever of the one record is carried over to the other."""
    carried = data.draw(st.sets(st.sampled_from(sorted(ConsentRecord.__dataclass_fields__))))
    after = replace(other, **{name: getattr(one, name) for name in carried})
    now = after.updated_at
    assert status_changed(one, after) == (status(one, now) != status(after, now))
