"""Make the counters that reports are made of, and fill them from the events that are there.

The names and rules are written out, so that this file stays true when the code moves (`domain/counts.py` is what
counts from here on). Events whose payload was erased are not counted.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

# The stored form of payloads is older than this table; its reader reads every form that there ever was.
from consent_service.storage.payloads import unpack

revision = "20261125_report_counts"
down_revision = "20261124_initial"
branch_labels = None
depends_on = None

NAME = sa.String().with_variant(postgresql.TEXT(collation="C"), "postgresql").with_variant(sqlite.TEXT(), "sqlite")

CATEGORIES = (
    "technical",
    "personalization",
    "advertising",
    "statistical",
    "social_media",
    "strictly_necessary",
    "analytical_performance",
    "functionality",
)
FIGURES = (
    "answers",
    "accepted_all",
    "refused_all",
    "withdrawals",
    "dismissals",
    "dnt",
    "gpc",
    "asked_again",
    "refused_again",
    "signals",
    "opt_outs",
    "opt_ins",
    "imports",
    *(f"granted_{category}" for category in CATEGORIES),
    *(f"withdrawn_{category}" for category in CATEGORIES),
)
PLAIN = {
    "dismissed": "dismissals",
    "signal": "signals",
    "opt_out": "opt_outs",
    "opt_in": "opt_ins",
    "imported": "imports",
}

Event = dict[str, object]
Rows = dict[tuple[object, ...], dict[str, int]]


def upgrade() -> None:
    """Make the table and count what happened so far."""
    counts = op.create_table(
        "report_counts",
        sa.Column("site", NAME, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", NAME, nullable=False),
        sa.Column("policy_version", NAME, nullable=False),
        sa.Column("region", NAME, nullable=False),
        *(sa.Column(figure, sa.BigInteger(), nullable=False) for figure in FIGURES),
        sa.PrimaryKeyConstraint("site", "day", "channel", "policy_version", "region", name="pk_report_counts"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        # A row is changed many times a day: room on its page lets each change stay there (heap-only tuples).
        op.execute("ALTER TABLE report_counts SET (fillfactor = 40)")
    rows: Rows = {}
    for events in _visitors():
        _count(events, rows)
    names = ("site", "day", "channel", "policy_version", "region")
    if rows:
        op.bulk_insert(counts, [dict(zip(names, key, strict=True)) | figures for key, figures in rows.items()])


def _visitors() -> Iterator[list[Event]]:
    """Go through the events of one visitor after the other, by the index that is there, in constant memory."""
    query = "SELECT site, visitor_id, payload FROM log_payloads WHERE visitor_id <> '' ORDER BY site, visitor_id, seq"
    last: tuple[str, str] | None = None
    events: list[Event] = []
    result = op.get_bind().execute(sa.text(query).execution_options(yield_per=10_000))
    for site, visitor_id, payload in result:
        if (site, visitor_id) != last:
            yield events
            last, events = (site, visitor_id), []
        events.append(json.loads(unpack(payload)))
    yield events


def _count(events: list[Event], rows: Rows) -> None:
    held: dict[str, dict[str, bool]] = {}
    answered = False
    for event in events:
        channels = [event["channel"]]
        if "channels" in event and "email" in held:
            channels.append("email")
        for channel in channels:
            key = (event["site"], _day(event), channel, event["policy_version"], event["region"] or "")
            row = rows.setdefault(key, dict.fromkeys(FIGURES, 0))
            again = answered and event["method"] == "banner" and channel == "web"
            for name in _names(event, held.get(channel, {}), again):
                row[name] += 1
            if event["choices"] is not None:
                held[channel] = event["choices"]
        answered = answered or (
            event["channel"] == "web" and (event["choices"] is not None or event["event_type"] == "dismissed")
        )


def _names(event: Event, held: dict[str, bool], again: bool) -> Iterator[str]:
    said, kind = event["choices"], event["event_type"]
    if kind in PLAIN:
        yield PLAIN[kind]
    elif said is not None:
        refused = not any(on for category, on in said.items() if category != "strictly_necessary")
        withdrawal = kind == "withdrawn" and "channels" in event
        marks = {
            "answers": True,
            "accepted_all": all(said.values()),
            "refused_all": refused and not withdrawal,
            "withdrawals": withdrawal,
            "dnt": event["dnt"] == "1",
            "gpc": event["gpc"],
            "asked_again": again,
            "refused_again": again and refused,
        }
        yield from (name for name, on in marks.items() if on)
        yield from (f"granted_{category}" for category, on in said.items() if on)
        yield from (f"withdrawn_{category}" for category, on in said.items() if held.get(category) and not on)


def _day(event: Event) -> int:
    moment = datetime.strptime(event["event_time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return moment.date().toordinal() - 719_163
