"""A visitor's consent: what is submitted and what is answered (contract §4)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from consent_service.domain.errors import Fault, InvalidInput
from consent_service.domain.moments import parse_moment
from consent_service.domain.signals import Signals
from consent_service.domain.transitions.choices import Submission
from consent_service.domain.vocabulary import (
    CATEGORIES,
    Action,
    Category,
    Channel,
    Dnt,
    Method,
    SeparateConsent,
)

CategoryName = Literal[
    "technical",
    "personalization",
    "advertising",
    "statistical",
    "social_media",
    "strictly_necessary",
    "analytical_performance",
    "functionality",
]
ReasonName = Literal[
    "exempt", "granted", "region_default", "no_record", "refused", "withdrawn", "expired", "policy_changed", "dnt",
    "gpc", "opted_out", "child", "restricted", "objected", "separate_consent", "unregistered", "unavailable",
]  # fmt: skip
RegimeName = Literal["opt_in", "opt_out", "notice"]
VisitorId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$", description="128 random bits, minted by the service.")]
DntValue = Annotated[Literal["1", "0"] | None, Field(description="Do Not Track: null where nothing was expressed.")]

NO_NUL = r"^[^\x00]*$"
"""Any text; a NUL character is refused everywhere."""
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


class Choices(BaseModel):
    """An answer for each of the eight categories; none may be left out, because silence is not consent."""

    model_config = _STRICT

    technical: bool
    personalization: bool
    advertising: bool
    statistical: bool
    social_media: bool
    strictly_necessary: Literal[True] = Field(description="Cannot be switched off.")
    analytical_performance: bool
    functionality: bool


def _case(action: JsonValue, choices: JsonValue, method: JsonValue, decided_at: JsonValue) -> JsonValue:
    members: JsonValue = {"action": action, "choices": choices, "method": method, "decided_at": decided_at}
    return {"properties": members, "required": ["choices"] if action == _CUSTOM else []}


_CUSTOM: JsonValue = {"const": "custom"}
_CASES: list[JsonValue] = [
    _case(_CUSTOM, {"type": "object"}, {"const": "import"}, {}),
    _case(_CUSTOM, {"type": "object"}, {}, {"type": "null"}),
    _case({"not": _CUSTOM}, {"type": "null"}, {"const": "import"}, {}),
    _case({"not": _CUSTOM}, {"type": "null"}, {}, {"type": "null"}),
]
"""What fits together, for readers of the document: choices with `custom` only, a moment with `import` only."""


class ConsentSubmission(BaseModel):
    """What the visitor did."""

    model_config = ConfigDict(
        **_STRICT,
        json_schema_extra={
            "examples": [
                {
                    "action": "custom",
                    "policy_version": "2026-11-22",
                    "locale": "en",
                    "method": "banner",
                    "choices": {c.value: c in {Category.TECHNICAL, Category.STRICTLY_NECESSARY} for c in CATEGORIES},
                    "gpc": False,
                    "dnt": None,
                }
            ],
            "anyOf": _CASES,
        },
    )

    action: Literal["accept_all", "reject_all", "custom", "dismiss"]
    policy_version: Annotated[
        str, Field(min_length=1, max_length=64, pattern=NO_NUL, description="The version the visitor was shown.")
    ]
    choices: Choices | None = Field(None, description="Required with `custom`, refused otherwise.")
    locale: Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$")] | None = Field(
        None, description="BCP 47 tag of the texts the visitor read."
    )
    method: Literal["banner", "preferences", "withdraw_link", "api", "import"] = "api"
    channel: Literal["web", "email"] = Field("web", description="E-mail tracking is chosen apart from the web.")
    separate_consents: Annotated[list[Literal["third_party_sharing", "cross_border"]], Field(max_length=2)] | None = (
        None
    )
    gpc: bool | None = Field(None, description="As page script sees it; false never cancels the header.")
    dnt: DntValue = None
    decided_at: Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})] | None = Field(
        None, description="RFC 3339; when an imported choice was made. With method `import` only."
    )

    @model_validator(mode="after")
    def _choices_fit_the_action(self) -> "ConsentSubmission":
        if (self.action == "custom") != (self.choices is not None):
            raise ValueError("choices are required with the action custom, and refused with any other")
        if self.decided_at is not None and self.method != "import":
            raise ValueError("decided_at is for the method import only")
        return self

    @property
    def signals(self) -> Signals:
        """Give what page script saw; `false` and null mean absent."""
        return Signals(Dnt(self.dnt) if self.dnt else None, bool(self.gpc))

    @property
    def how(self) -> Method:
        """Give the method as a word of the vocabulary."""
        return Method(self.method)

    def submission(self) -> Submission:
        """Give the answer as the transitions take it."""
        choices = None if self.choices is None else {c: getattr(self.choices, c.value) for c in CATEGORIES}
        separate = self.separate_consents
        return Submission(
            action=Action(self.action),
            choices=choices,
            channel=Channel(self.channel),
            separate=None if separate is None else frozenset(map(SeparateConsent, separate)),
            decided_at=self._moment(),
        )

    def _moment(self) -> datetime | None:
        if self.decided_at is None:
            return None
        try:
            return parse_moment(self.decided_at)
        except ValueError as error:
            fault = Fault("/decided_at", "moment-unfit", str(error))
            raise InvalidInput("decided_at is no RFC 3339 date-time.", (fault,)) from None

    @property
    def refuses(self) -> bool:
        """Tell whether this gives less away than it could: such writes are never throttled first (SVC-05)."""
        granted = self.choices is not None and any(
            getattr(self.choices, c.value) for c in CATEGORIES if c is not Category.STRICTLY_NECESSARY
        )
        return self.action in {"reject_all", "dismiss"} or (self.action == "custom" and not granted)


class CategoryState(BaseModel):
    """One category: what the visitor said, and what follows."""

    choice: Literal["granted", "denied"] | None
    allow: bool
    reason: ReasonName
    decided_at: datetime | None
    expires_at: datetime | None


class CategoryStates(BaseModel):
    """All eight categories."""

    technical: CategoryState
    personalization: CategoryState
    advertising: CategoryState
    statistical: CategoryState
    social_media: CategoryState
    strictly_necessary: CategoryState
    analytical_performance: CategoryState
    functionality: CategoryState


class OptOutSignal(BaseModel):
    """What the page must display when GPC was processed."""

    source: Literal["gpc"]
    honored: Literal[True]
    display_text: Literal["Opt-Out Request Honored"]
    toggle: Literal["opted_out"]


class Consent(BaseModel):
    """A visitor's consent as every read answers it."""

    visitor_id: str | None = Field(description="Null for a visitor who is not known.")
    site: str
    revision: int = Field(ge=0)
    policy_version: str
    regime: RegimeName
    region: str | None
    dnt: DntValue
    gpc: bool
    sale_share_opt_out: bool
    prompt: bool = Field(description="Whether the banner should ask now.")
    categories: CategoryStates
    opt_out_signal: OptOutSignal | None
    expires_at: datetime | None
    re_prompt_not_before: datetime | None
    updated_at: datetime | None
    notice: Literal["synced"] | None = Field(
        None, description="There once, after a login brought this device the choices of others; absent otherwise."
    )


class Receipt(BaseModel):
    """The short receipt of a write; the full ones are at `…/receipt`."""

    id: str
    seq: int = Field(ge=0, description="The event's place in the evidence log.")
    leaf_hash: str = Field(description="Base64 of the leaf's SHA-256.")


class CleanupItem(BaseModel):
    """Something that must leave the device."""

    name: str
    kind: Literal["cookie", "local_storage", "session_storage", "indexed_db", "lso"]
    domain: str
    path: str


class WrittenConsent(Consent):
    """A visitor's consent as every write answers it."""

    receipt: Receipt | None = Field(description="Null where nothing changed.")
    cleanup: list[CleanupItem]
