"""Bodies of the calls with a `manage` key (contract §5)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from consent_service.api.schemas.consent import NO_NUL, CategoryName

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


class AccountLink(BaseModel):
    """The storefront's own reference to a customer; only a keyed hash of it is kept."""

    model_config = _STRICT

    account_ref: Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL, examples=["customer-4711"])]


class AgeBandBody(BaseModel):
    """The age band that the shop knows; no birth date is ever taken."""

    model_config = _STRICT

    age_band: Literal["child", "under_13", "13_15", "16_17", "adult", "unknown"]


class RestrictionBody(BaseModel):
    """Whether processing is restricted (GDPR Art. 18)."""

    model_config = _STRICT

    restricted: bool


class ObjectionsBody(BaseModel):
    """The whole list of categories objected to (GDPR Art. 21)."""

    model_config = _STRICT

    categories: list[CategoryName] = Field(max_length=8)


class Nothing(BaseModel):
    """No members."""

    model_config = _STRICT


class VisitorMinted(BaseModel):
    """A fresh visitor."""

    visitor_id: str


class WithdrawalLink(BaseModel):
    """How the reader of a mail withdraws without logging in."""

    url: str = Field(description="For the mail's text. GET shows a page and changes nothing; POST withdraws.")
    headers: dict[str, str] = Field(description="The mail's header fields for one click (RFC 8058).")


class HistoryEvent(BaseModel):
    """One event of a visitor, as the evidence log has it."""

    seq: int
    event_id: str
    event_type: str
    event_time: datetime
    channel: Literal["web", "email"]
    method: str
    policy_version: str
    locale: str | None
    choices: dict[str, bool] | None
    dnt: Literal["1", "0"] | None
    gpc: bool
    region: str | None
    regime: str
    receipt_id: str


class History(BaseModel):
    """A visitor's events, oldest first; `next` goes into `after` where there are more."""

    events: list[HistoryEvent]
    next: int | None = None
