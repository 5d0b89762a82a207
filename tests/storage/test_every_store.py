"""One contract for memory, SQLite and PostgreSQL: what an answer of the store promises."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings

from consent_service.domain.errors import IdempotencyKeyReused, PreconditionFailed
from consent_service.domain.evidence.leaf import commit, format_time, leaf_bytes, leaf_hash
from consent_service.domain.evidence.proofs import assemble, plan_inclusion, required_nodes, verify_inclusion
from consent_service.domain.evidence.tree import NodeId
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import read_visitor
from consent_service.domain.transitions.context import Transition
from consent_service.domain.vocabulary import Action, Category, Choice
from consent_service.ports import Change, Committed, LoggedEvent, Store, StoredCheckpoint
from tests.storage.changes import (
    answering,
    erasing,
    linking,
    naive_root,
    numbered,
    refused,
    signalling_gpc,
    submit_all,
    visitor,
)
from tests.support.builders import NOW, SITE, VISITOR
from tests.support.strategies import records


def hash_of(event: LoggedEvent) -> bytes:
    """Give the hash of an entry's leaf."""
    return leaf_hash(leaf_bytes(event.site, event.seq, format_time(event.time), event.pseudonym, event.commitment))


async def test_an_answer_can_be_read_as_soon_as_it_was_acknowledged(store: Store) -> None:
    committed = await store.writer.submit(answering(visitor(1)))
    stored = await store.visitors.get(SITE, visitor(1))
    assert stored is not None
    assert committed.transition is not None
    assert read_visitor(SITE, visitor(1), stored) == committed.transition.record


async def test_an_unknown_visitor_and_one_of_another_site_are_not_there(store: Store) -> None:
    await store.writer.submit(answering(visitor(1), site="other"))
    assert await store.visitors.get(SITE, visitor(1)) is None
    assert await store.visitors.get_many(SITE, [visitor(1), visitor(2)]) == {}


async def test_visitors_of_several_sites_share_a_lookup(store: Store) -> None:
    """One of them on both sites, one with an account, and one that only the other site knows."""
    there = [answering(visitor(1), site="other"), answering(visitor(3), site="other")]
    here = [answering(visitor(1)), answering(visitor(1)), answering(visitor(2)), linking(visitor(2), "customer")]
    await submit_all(store, [*here, *there])
    wanted = [(SITE, visitor(1)), ("other", visitor(1)), (SITE, visitor(2)), (SITE, visitor(3)), ("other", visitor(3))]
    found = await asyncio.gather(*(store.visitors.get(*key) for key in wanted))
    assert [one and (one.revision, one.account is not None) for one in found] == [
        (2, False), (1, False), (2, True), None, (1, False)
    ]  # fmt: skip
    assert await store.visitors.get_many("other", [visitor(2)]) == {}


async def test_a_refused_change_leaves_no_trace_and_the_others_of_its_batch_alone(store: Store) -> None:
    changes = [answering(visitor(1)), refused(visitor(2), PreconditionFailed()), answering(visitor(3))]
    first, second, third = await submit_all(store, changes)
    assert isinstance(second, PreconditionFailed)
    assert await store.visitors.get(SITE, visitor(2)) is None
    assert [event.seq for event in await store.log.events(SITE, -1, 10)] == [0, 1]
    assert [first.reply.body, third.reply.body] == [b"0", b"1"]  # type: ignore[union-attr]


async def test_a_change_that_the_database_cannot_take_fails_alone(store: Store) -> None:
    """PostgreSQL has no NUL in its texts; whatever such a change comes to, the others of its batch are carried out."""
    _, *others = await submit_all(store, [answering("no\0id"), answering(visitor(1)), answering(visitor(2))])
    assert [isinstance(outcome, Committed) for outcome in others] == [True, True]


async def test_two_answers_of_one_visitor_in_one_batch_follow_each_other(store: Store) -> None:
    await submit_all(store, [answering(visitor(1)), answering(visitor(1), Action.REJECT_ALL)])
    stored = await store.visitors.get(SITE, visitor(1))
    events = await store.log.visitor_events(SITE, visitor(1), -1, 10)
    assert stored is not None
    assert stored.revision == 2
    assert [b'"given"' in (e.payload or b"") for e in events] == [True, False]


async def test_one_key_a_hundred_times_at_once_is_one_event_and_one_answer(store: Store) -> None:
    """EVD-13, B3: a retry is answered with the first answer."""
    outcomes = await submit_all(store, [answering(visitor(1), key="k") for _ in range(100)])
    assert {o.reply.body for o in outcomes} == {b"0"}  # type: ignore[union-attr]
    assert [o.replayed for o in outcomes].count(False) == 1  # type: ignore[union-attr]
    assert (await store.log.head(SITE)).size == 1


async def test_one_key_for_another_request_is_refused(store: Store) -> None:
    """EVD-13: the same key with another body."""
    await store.writer.submit(answering(visitor(1), key="k"))
    (outcome,) = await submit_all(store, [answering(visitor(1), key="k", says=b"something else")])
    assert isinstance(outcome, IdempotencyKeyReused)


async def test_a_key_that_has_lapsed_stands_for_nothing(store: Store) -> None:
    await store.writer.submit(answering(visitor(1), key="k"))
    later = answering(visitor(1), key="k", says=b"something else")._replace(now=NOW + timedelta(hours=2))
    assert not (await store.writer.submit(later)).replayed
    assert (await store.log.head(SITE)).size == 2


async def test_a_key_belongs_to_its_visitor_and_site(store: Store) -> None:
    """EVD-13: what one visitor sent says nothing about another's key."""
    changes = [answering(visitor(1), key="k"), answering(visitor(2), key="k"), answering(visitor(1), key="k", site="b")]
    outcomes = await submit_all(store, changes)
    assert [outcome.replayed for outcome in outcomes] == [False] * 3  # type: ignore[union-attr]


async def test_a_repeated_write_is_answered_as_before(store: Store) -> None:
    first = await store.writer.submit(answering(visitor(1), key="k"))
    again = await store.writer.submit(answering(visitor(1), key="k"))
    assert (again.reply, again.replayed) == (first.reply, True)


async def test_entries_are_numbered_from_zero_without_gaps_in_each_site(store: Store) -> None:
    await submit_all(store, [answering(visitor(n), site=site) for n in range(40) for site in ("a", "b")])
    seqs = {site: [event.seq for event in await store.log.events(site, -1, 100)] for site in ("a", "b")}
    assert seqs == {"a": list(range(40)), "b": list(range(40))}


async def test_every_entry_is_proved_by_the_stored_tree(store: Store) -> None:
    """EVD-02: stored nodes and leaves give the tree of RFC 6962."""
    await submit_all(store, [answering(visitor(n)) for n in range(150)])
    events = await store.log.events(SITE, -1, 1_000)
    root = (await store.log.head(SITE)).root()
    plans = [plan_inclusion(event.seq, 150) for event in events]
    rows = [await store.log.nodes(SITE, sorted(required_nodes(plan))) for plan in plans]
    proofs = [assemble(plan, found) for plan, found in zip(plans, rows, strict=True)]
    assert naive_root([hash_of(event) for event in events]) == root
    assert all(
        verify_inclusion(hash_of(event), event.seq, 150, proof, root)
        for event, proof in zip(events, proofs, strict=True)
    )


async def test_a_node_that_is_not_complete_is_not_there(store: Store) -> None:
    await submit_all(store, [answering(visitor(n)) for n in range(20)])
    found = await store.log.nodes(SITE, [NodeId(4, 0), NodeId(4, 1), NodeId(0, 19), NodeId(0, 20)])
    assert sorted(found) == [NodeId(0, 19), NodeId(4, 0)]


async def test_every_payload_opens_its_commitment(store: Store) -> None:
    await submit_all(store, [answering(visitor(n)) for n in range(5)])
    events = await store.log.events(SITE, -1, 10)
    assert [commit(e.salt or b"", e.payload or b"") for e in events] == [e.commitment for e in events]


async def test_an_account_is_shared_by_the_visitors_that_are_logged_in_to_it(store: Store) -> None:
    await submit_all(store, [answering(visitor(n)) for n in range(2)])
    await submit_all(store, [linking(visitor(n), "customer") for n in range(2)])
    stored = await store.visitors.get_many(SITE, [visitor(0), visitor(1)])
    assert {s.account for s in stored.values()} == {"customer [{},[]]"}


async def test_what_one_visitor_does_to_the_account_the_next_of_the_batch_finds(store: Store) -> None:
    await submit_all(store, [answering(visitor(n)) for n in range(2)])
    await submit_all(
        store, [signalling_gpc(visitor(0)), linking(visitor(0), "customer"), linking(visitor(1), "customer")]
    )
    stored = await store.visitors.get(SITE, visitor(1))
    assert stored is not None
    assert read_visitor(SITE, visitor(1), stored).gpc_known


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(known=records())
async def test_any_record_is_read_as_it_was_written(store: Store, known: ConsentRecord) -> None:
    known = replace(known, revision=known.revision % 2**31)
    await store.writer.submit(Change(SITE, VISITOR, NOW, lambda _: Transition(known), numbered))
    stored = await store.visitors.get(SITE, VISITOR)
    assert stored is not None
    assert read_visitor(SITE, VISITOR, stored) == known


async def test_a_refusal_wins_a_tie(store: Store) -> None:
    """SVC-12: of an acceptance and a refusal that share a transaction the refusal is last, and is what is on record."""
    await store.writer.submit(answering(visitor(1)))
    refusal = answering(visitor(1), Action.REJECT_ALL)._replace(refuses=True)
    outcomes = await submit_all(store, [answering(visitor(2)), refusal, answering(visitor(1))])
    stored = await store.visitors.get(SITE, visitor(1))
    assert stored is not None
    assert read_visitor(SITE, visitor(1), stored).web[Category.ADVERTISING].choice is Choice.DENIED
    assert [outcome.entries[0].seq for outcome in outcomes] == [1, 3, 2]  # type: ignore[union-attr]


async def test_an_erasure_leaves_the_leaf_and_nothing_of_the_person(store: Store) -> None:
    """IDN-09, EVD-02: payload, salt, record and remembered answers go; leaves, root and the other visitor stay."""
    await submit_all(store, [answering(visitor(1), key="k"), answering(visitor(2))])
    await store.writer.submit(linking(visitor(1), "customer"))
    before = await store.log.events(SITE, -1, 10)
    entry = await store.writer.erase(erasing(visitor(1)))
    after = await store.log.events(SITE, -1, 10)
    assert entry is not None
    assert await store.visitors.get(SITE, visitor(1)) is None
    assert await store.log.visitor_events(SITE, visitor(1), -1, 10) == []
    assert [e.commitment for e in after[:3]] == [e.commitment for e in before]
    assert [(e.salt, e.payload, e.visitor_id) for e in (after[0], after[2])] == [(None, None, None)] * 2
    assert after[1].payload == before[1].payload
    assert after[3].payload == b'{"erased_seqs":"0,2"}'
    assert entry.leaf_hash == hash_of(after[3])
    again = await store.writer.submit(answering(visitor(1), key="k"))
    assert not again.replayed


async def test_an_account_is_kept_while_another_visitor_is_logged_in_to_it(store: Store) -> None:
    await submit_all(store, [answering(visitor(n)) for n in range(2)])
    await submit_all(store, [linking(visitor(n), "customer") for n in range(2)])
    await store.writer.erase(erasing(visitor(0)))
    other = await store.visitors.get(SITE, visitor(1))
    assert other is not None
    assert other.account == "customer [{},[]]"


async def test_erasing_a_stranger_writes_nothing(store: Store) -> None:
    assert await store.writer.erase(erasing(visitor(9))) is None
    assert (await store.log.head(SITE)).size == 0


async def test_a_visitors_events_come_in_pages(store: Store) -> None:
    for _ in range(5):
        await store.writer.submit(answering(visitor(1)))
    first = await store.log.visitor_events(SITE, visitor(1), -1, 3)
    second = await store.log.visitor_events(SITE, visitor(1), first[-1].seq, 3)
    assert [e.seq for e in (*first, *second)] == [0, 1, 2, 3, 4]


async def test_checkpoints_are_kept_once_for_each_size(store: Store) -> None:
    notes = [StoredCheckpoint(SITE, size, note, NOW) for size, note in ((2, "b"), (1, "a"), (1, "another"))]
    await store.log.add_checkpoint(notes[0])
    await store.log.add_checkpoint(notes[1])
    await store.log.add_checkpoint(notes[2])
    assert await store.log.checkpoints(SITE) == [notes[1], notes[0]]
