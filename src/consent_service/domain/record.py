"""What the service holds about one visitor, and the facts it appends to the evidence log.

All moments are timezone-aware and in UTC. Everything is immutable: a transition makes a new record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from consent_service.domain.vocabulary import (
    AgeBand,
    Category,
    Channel,
    Choice,
    Dnt,
    EventType,
    Method,
    Regime,
    SeparateConsent,
)

EVENT_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
NOTHING: Mapping[Category, "CategoryChoice"] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CategoryChoice:
    """What the visitor said about one category, when, under which policy, and until when it holds."""

    choice: Choice
    decided_at: datetime
    expires_at: datetime
    policy_version: str
    was_granted: bool
    """True from the first grant on: a denial after it is a withdrawal, not a refusal."""


Choices = Mapping[Category, CategoryChoice]


def _nothing() -> Choices:
    return NOTHING


@dataclass(frozen=True, slots=True)
class AccountState:
    """What belongs to the shop's customer and so travels with the login (11 CCR 7025(c)(1), CNIL 2025-131)."""

    account: str
    """Keyed hash of the reference that the storefront sent, never the reference."""
    gpc: bool = False
    opted_out: bool = False
    web: Choices = field(default_factory=_nothing)
    email: Choices = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One visitor's choices, signals and revision."""

    site: str
    visitor_id: str
    created_at: datetime
    updated_at: datetime
    revision: int = 0
    web: Choices = field(default_factory=_nothing)
    email: Choices = field(default_factory=_nothing)
    separate: frozenset[SeparateConsent] = frozenset()
    dnt: Dnt | None = None
    gpc: bool = False
    opted_out: bool = False
    age_band: AgeBand = AgeBand.UNKNOWN
    restricted: bool = False
    objections: frozenset[Category] = frozenset()
    region: str | None = None
    policy_version: str | None = None
    re_prompt_not_before: datetime | None = None
    notice_due: bool = False
    """A login has brought choices of other devices here, and the visitor has not been told yet (IDN-06)."""
    account: AccountState | None = None

    def choices(self, channel: Channel) -> Choices:
        """Give the browser's own choices for one channel; the account's are not looked at."""
        return self.email if channel is Channel.EMAIL else self.web

    @property
    def gpc_known(self) -> bool:
        """Tell whether GPC was seen for this browser or for the account it is logged in to (SIG-14)."""
        return self.gpc or (self.account is not None and self.account.gpc)

    @property
    def opted_out_known(self) -> bool:
        """Tell whether sale and sharing were opted out of by form, here or on the account."""
        return self.opted_out or (self.account is not None and self.account.opted_out)


_MEMBERS = tuple(member.name for member in fields(ConsentRecord))
_values = attrgetter(*_MEMBERS)


def revised(record: ConsentRecord, changes: Mapping[str, Any]) -> ConsentRecord:
    """Give a record with some members changed, as `dataclasses.replace` does in twice the time."""
    return ConsentRecord(**{**dict(zip(_MEMBERS, _values(record), strict=True)), **changes})


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """An immutable fact about one visitor; its canonical JSON is the payload that the log commits to."""

    event_id: str
    receipt_id: str
    event_type: EventType
    event_time: datetime
    site: str
    visitor_id: str
    channel: Channel
    method: Method
    policy_version: str
    policy_sha256: str
    locale: str | None
    region: str | None
    regime: Regime
    dnt: Dnt | None
    gpc: bool
    choices: Mapping[Category, bool] | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    """What this type of event says beyond the common members, such as the age band or the categories objected to."""

    def payload(self) -> dict[str, object]:
        """Give the event as the JSON object that is stored, committed to and shown in the history."""
        return {
            "event_id": self.event_id,
            "receipt_id": self.receipt_id,
            "event_type": self.event_type.value,
            "event_time": self.event_time.strftime(EVENT_TIME),
            "site": self.site,
            "visitor_id": self.visitor_id,
            "channel": self.channel.value,
            "method": self.method.value,
            "policy_version": self.policy_version,
            "policy_sha256": self.policy_sha256,
            "locale": self.locale,
            "region": self.region,
            "regime": self.regime.value,
            "dnt": self.dnt.value if self.dnt else None,
            "gpc": self.gpc,
            "choices": None if self.choices is None else {c.value: on for c, on in self.choices.items()},
            **self.details,
        }
