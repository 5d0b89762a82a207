"""Answers of a batch from memory: the same bytes as decided and written anew, for whoever has the same facts."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.decision import Decision, decide_category, decide_tracker, situate
from consent_service.domain.durations import Duration
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import StoredVisitor, encode_account, encode_record, join_account, read_visitor
from consent_service.domain.ruleset import Ruleset, compile_ruleset
from consent_service.domain.signals import NO_SIGNALS
from consent_service.domain.vocabulary import CATEGORIES, Category, TrackerKind
from consent_service.ports import StoredPolicy
from consent_service.service.batch_answers import Asked, Batch, BatchAnswers
from consent_service.service.decision_tally import DecisionTally
from consent_service.service.presenting import decision_item
from consent_service.service.sites import Site, Version
from consent_service.storage.reader import CoalescingReader, VisitorKey
from tests.support import strategies as any_
from tests.support.builders import NOW, RULES, SITE, VISITOR, account, chosen, record
from tests.support.service import STRANGER, MovableClock

OTHER = "B" * 22
LIKE = "C" * 22
NAMES = (*(tracker.name for tracker in RULES.policy.trackers), "_ga_X", "id_ad_9", '100%d "max_age":-1}', "_ga")
Rows = dict[str, StoredVisitor]


def row(known: ConsentRecord) -> StoredVisitor:
    """Give a visitor's row as a lookup brings it."""
    state = known.account and encode_account(known.account)
    return encode_record(known)._replace(account=join_account(known.account and known.account.account, state))


def later(stored: StoredVisitor, seconds: int) -> StoredVisitor:
    """Give the row of somebody who has said the same some seconds later."""
    moved = [time and time + seconds * 1_000_000 for time in json.loads(stored.times)]
    return stored._replace(times=json.dumps(moved, separators=(",", ":")))


class Shop:
    """Asks one service, whose visitors are these rows."""

    def __init__(self, rules: Ruleset, rows: Rows, now: datetime = NOW) -> None:
        self.rules, self.rows = rules, rows
        self.clock, self.tally = MovableClock(now), DecisionTally()
        policy = StoredPolicy(SITE, rules.policy.version, "", NOW, NOW, b"{}")
        self.site = Site(SITE, (Version(policy, rules.policy, rules),))
        self.asked = Counter[tuple[object, object]]()
        self.answers = BatchAnswers(CoalescingReader(self._fetch), self.tally, self.clock)

    async def _fetch(self, keys: Sequence[VisitorKey]) -> dict[VisitorKey, StoredVisitor]:
        return {key: self.rows[key[1]] for key in keys if key[1] in self.rows}

    def ask(self, batch: Batch) -> bytes:
        """Ask by the memory."""
        return asyncio.run(self.answers.answer(self.site, batch))

    def expect(self, batch: Batch) -> bytes:
        """Decide each question by the rules themselves, and write the answer whole."""
        results = [
            {"visitor_id": visitor, "decisions": self._items(visitor, asked)} for visitor, asked in batch.questions
        ]
        return orjson.dumps({"results": results})

    def _items(self, visitor: str | None, asked: Asked) -> list[dict[str, object]]:
        stored = self.rows.get(visitor or "")
        known = stored and read_visitor(SITE, VISITOR, stored)
        s = situate(self.rules, known, NO_SIGNALS, asked.region, self.clock())
        decisions: list[Decision] = [decide_tracker(s, name) for name in asked.trackers]
        decisions += [decide_category(s, category) for category in asked.categories]
        self.asked.update([(decision.category, decision.reason) for decision in decisions])
        return list(map(decision_item, decisions))


def many(region: str | None, names: Sequence[str] = NAMES) -> Batch:
    """Ask the same about everybody, and one thing more."""
    asked = Asked(region, tuple(names), CATEGORIES)
    everybody: list[tuple[str | None, Asked]] = [(visitor, asked) for visitor in (VISITOR, OTHER, LIKE, STRANGER, None)]
    return Batch(several=True, questions=[*everybody, (VISITOR, Asked(region, ("_ga",), ()))])


@given(
    any_.rulesets(), any_.records(), any_.records(), any_.REGIONS, st.integers(0, 10**8), st.timedeltas(timedelta(0), timedelta(days=500))
)  # fmt: skip
def test_what_is_remembered_is_what_the_rules_say(
    rules: Ruleset, one: ConsentRecord, two: ConsentRecord, region: str | None, seconds: int, distance: timedelta
) -> None:
    """TRK-07, TRK-08: asked again, by others with the same facts, and when time has passed; and each is counted."""
    shop = Shop(rules, {VISITOR: row(one), OTHER: row(two), LIKE: later(row(one), seconds)})
    batch = many(region)
    assert [shop.ask(batch), shop.ask(batch)] == [shop.expect(batch), shop.expect(batch)]
    shop.clock.forward(distance)
    assert [shop.ask(batch), shop.ask(batch)] == [shop.expect(batch), shop.expect(batch)]
    assert shop.tally.totals() == shop.asked


def test_seconds_are_the_visitors_own() -> None:
    """TRK-08: whoever decided later may keep it longer, though all else is the same."""
    granted = record(web=chosen(*CATEGORIES, expires_at=NOW + timedelta(hours=1)))
    shop = Shop(RULES, {VISITOR: row(granted), OTHER: later(row(granted), 5)})
    asked = Asked("FR", ("_ga",), ())
    answer = orjson.loads(shop.ask(Batch(several=True, questions=[(VISITOR, asked), (OTHER, asked)])))
    assert [result["decisions"][0]["max_age"] for result in answer["results"]] == [3600, 3605]


def test_what_a_customers_other_devices_said_is_the_customers_alone() -> None:
    """SIG-14: the row of the browser says nothing about the account, so nothing is remembered by it."""
    granted = record(web=chosen(*CATEGORIES))
    shop = Shop(RULES, {VISITOR: row(replace(granted, account=account(gpc=True))), OTHER: row(granted)})
    batch = many("US-CA")
    assert [shop.ask(batch), shop.ask(batch)] == [shop.expect(batch), shop.expect(batch)]
    asked = Asked("US-CA", ("_fbp",), ())
    answer = orjson.loads(shop.ask(Batch(several=True, questions=[(VISITOR, asked), (OTHER, asked)])))
    assert [result["decisions"][0]["reason"] for result in answer["results"]] == ["gpc", "granted"]


@pytest.mark.parametrize("turn", [1, -1])
def test_of_two_entries_of_a_name_the_shorter_choice_counts(turn: int) -> None:
    """TRK-08: whichever of them stands first."""
    tracker = RULES.find("_ga")[0]
    other = replace(tracker, kind=TrackerKind.COOKIE, category=Category.ADVERTISING, sells_or_shares=False)
    rules = compile_ruleset(replace(RULES.policy, trackers=(tracker, other)[::turn]))
    web = {**chosen(*CATEGORIES, expires_at=NOW + timedelta(hours=2))}
    web |= {Category.ADVERTISING: replace(web[Category.ADVERTISING], expires_at=NOW + timedelta(hours=1))}
    shop = Shop(rules, {VISITOR: row(record(web=web))})
    batch = Batch(several=True, questions=[(VISITOR, Asked("FR", ("_ga",), ()))])
    assert [shop.ask(batch), shop.ask(batch)] == [shop.expect(batch), shop.expect(batch)]
    assert orjson.loads(shop.ask(batch))["results"][0]["decisions"][0]["max_age"] == 3600


def test_a_choice_that_lapses_is_told_from_one_that_holds() -> None:
    """CON-10: nothing that was remembered outlives the moment at which the answer changes."""
    shop = Shop(RULES, {VISITOR: row(record(web=chosen(*CATEGORIES, expires_at=NOW + timedelta(seconds=1))))})
    batch = Batch(several=False, questions=[(VISITOR, Asked("FR", ("_ga",), ()))])
    before = orjson.loads(shop.ask(batch))["decisions"][0]
    shop.clock.forward(timedelta(seconds=1))
    after = orjson.loads(shop.ask(batch))["decisions"][0]
    assert ((before["reason"], before["max_age"]), after["reason"]) == (("granted", 1), "expired")


def test_a_month_is_as_long_as_it_is_on_the_day() -> None:
    """TRK-08: a duration of a month allows 31 days in January and 28 in February."""
    rules = compile_ruleset(
        replace(RULES.policy, trackers=tuple(replace(t, duration=Duration(months=1)) for t in RULES.policy.trackers))
    )
    shop = Shop(rules, {}, datetime(2027, 1, 31, 23, 59, tzinfo=UTC))
    batch = many("US")
    assert shop.ask(batch) == shop.expect(batch)
    shop.clock.forward(timedelta(minutes=1))
    assert shop.ask(batch) == shop.expect(batch)


def test_what_may_stay_for_ever_is_counted_to_the_second() -> None:
    """TRK-08: near the end of the calendar the moment counts, not the day."""
    forever = Duration(months=9_990 * 12)
    trackers = tuple(replace(tracker, duration=forever) for tracker in RULES.policy.trackers)
    rules = compile_ruleset(replace(RULES.policy, cookie_cap=forever, trackers=trackers))
    shop = Shop(rules, {})
    batch = many("US")
    assert shop.ask(batch) == shop.expect(batch)
    shop.clock.forward(timedelta(minutes=1))
    assert shop.ask(batch) == shop.expect(batch)
