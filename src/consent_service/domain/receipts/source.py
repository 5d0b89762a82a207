"""What a receipt is made from: one event, with the policy and the texts it was given under."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from consent_service.domain.vocabulary import Category, Channel, Choice, Dnt, EventType, Method


class Lapse(StrEnum):
    """Why a granted choice holds no longer, though nobody took it back."""

    EXPIRED = "expired"
    POLICY_CHANGED = "policy_changed"
    PURPOSE_RETIRED = "purpose_retired"


class Silence(StrEnum):
    """How a category came to have no choice."""

    ASKED = "asked"
    DISMISSED = "dismissed"
    NEVER_ASKED = "never_asked"


@dataclass(frozen=True, slots=True)
class Controller:
    """Who is responsible for the processing, as the policy says."""

    name: str
    address: str
    email: str
    phone: str
    url: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """A provider that receives data; `country` is ISO 3166-1, both are None where the policy names none."""

    name: str
    country: str | None = None
    privacy_policy: str | None = None


@dataclass(frozen=True, slots=True)
class CategoryState:
    """One category after the event.

    `granted_before` says that the choice before this one, if any, was a grant. `recipients` and `trackers` are those
    that the policy registers for the category.
    """

    category: Category
    title: str
    purpose: str
    choice: Choice | None
    granted_before: bool = False
    lapse: Lapse | None = None
    silence: Silence = Silence.NEVER_ASKED
    expires_at: datetime | None = None
    recipients: tuple[Recipient, ...] = ()
    trackers: int = 0

    @property
    def discloses(self) -> bool:
        """Tell whether somebody else receives data: a refusal keeps it from them (EVD-05)."""
        return bool(self.recipients) and self.choice is not Choice.DENIED


@dataclass(frozen=True, slots=True)
class ReceiptEvent:
    """The event that the receipt is for, and its place in the evidence log; `leaf_hash` is base64."""

    event_id: str
    receipt_id: str
    seq: int
    leaf_hash: str
    event_type: EventType
    event_time: datetime
    method: Method
    channel: Channel


@dataclass(frozen=True, slots=True)
class ReceiptSource:
    """Everything a receipt says.

    `region` is ISO 3166-1 or 3166-2, None where it was not known and the strictest rules held. `visitor` is the
    visitor's own pseudonymous id. `retention` is an ISO 8601 duration: how long the evidence is kept. The two SHA-256
    are in hexadecimal and lead to the policy and to the banner text that was shown (EVD-03).
    """

    site: str
    controller: Controller
    policy_version: str
    policy_url: str
    policy_sha256: str
    notice_sha256: str
    locale: str
    region: str | None
    visitor: str
    event: ReceiptEvent
    categories: tuple[CategoryState, ...]
    dnt: Dnt | None
    gpc: bool
    sale_share_opt_out: bool
    retention: str
    withdrawal_url: str
    cookie_settings_url: str
    public_key_id: str


def utc_text(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def how_collected(event: ReceiptEvent) -> str:
    """Say in words how the choice reached the service."""
    place = "in an e-mail" if event.channel is Channel.EMAIL else "on the web site"
    return f"{_METHODS[event.method]} {place}"


_METHODS: dict[Method, str] = {
    Method.BANNER: "Consent banner",
    Method.PREFERENCES: "Preference centre",
    Method.WITHDRAW_LINK: "Withdrawal link",
    Method.API: "Interface of the shop",
    Method.IMPORT: "Import of an earlier record",
    Method.SIGNAL: "Signal sent by the browser",
}
