"""What a storefront asks and is answered (contract §5)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from consent_service.api.schemas.consent import NO_NUL, CategoryName, DntValue, ReasonName, RegimeName, VisitorId
from consent_service.domain.vocabulary import CATEGORIES

MAX_VISITORS = 1_000
MAX_NAMES = 200
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)

TrackerName = Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL)]


class DecisionRequest(BaseModel):
    """What is asked about one visitor: trackers by name, categories, or both."""

    model_config = ConfigDict(
        **_STRICT,
        json_schema_extra={
            "examples": [
                {
                    "visitor_id": "AAAAAAAAAAAAAAAAAAAAAA",
                    "region": "FR",
                    "dnt": None,
                    "gpc": True,
                    "trackers": ["session", "_ga", "_fbp"],
                    "categories": ["advertising"],
                }
            ],
            "anyOf": [
                {"required": [name], "properties": {name: {"minItems": 1}}} for name in ("trackers", "categories")
            ],
        },
    )

    visitor_id: VisitorId | None = Field(None, description="Null or absent for a visitor who has none yet.")
    region: Annotated[str, Field(max_length=16)] | None = Field(None, description="ISO 3166; unknown is strictest.")
    dnt: DntValue = None
    gpc: bool | None = None
    trackers: list[TrackerName] = Field(default_factory=list, max_length=MAX_NAMES)
    categories: list[CategoryName] = Field(default_factory=list, max_length=len(CATEGORIES))

    @model_validator(mode="after")
    def _asks_something(self) -> "DecisionRequest":
        if not (self.trackers or self.categories):
            raise ValueError("a tracker or a category is expected")
        return self


class DecisionRequests(BaseModel):
    """What is asked about several visitors in one call."""

    model_config = _STRICT

    requests: list[DecisionRequest] = Field(min_length=1, max_length=MAX_VISITORS)


ONE, MANY = "(one)", "(many)"
FORMS = (ONE, MANY)
"""Names of the two forms that no member has: the framework puts them into the places of faults."""


def _form(value: Any) -> str:
    return MANY if isinstance(value, dict) and "requests" in value else ONE


AnyDecisionRequest = Annotated[
    Annotated[DecisionRequest, Tag(ONE)] | Annotated[DecisionRequests, Tag(MANY)], Discriminator(_form)
]


class CategoryDecision(BaseModel):
    """Whether a category may run."""

    allow: bool
    reason: ReasonName


class CategoryDecisions(BaseModel):
    """All eight categories."""

    technical: CategoryDecision
    personalization: CategoryDecision
    advertising: CategoryDecision
    statistical: CategoryDecision
    social_media: CategoryDecision
    strictly_necessary: CategoryDecision
    analytical_performance: CategoryDecision
    functionality: CategoryDecision


class VisitorDecisions(BaseModel):
    """The decisions for one visitor."""

    visitor_id: str
    policy_version: str
    regime: RegimeName
    dnt: Literal["1", "0"] | None
    gpc: bool
    sale_share_opt_out: bool
    prompt: bool
    degraded: bool = Field(description="True where the store did not answer: only what is exempt is allowed.")
    categories: CategoryDecisions


class DecisionItem(BaseModel):
    """One decision, about a tracker or about a category."""

    tracker: str | None = Field(None, description="Absent where a category was asked for.")
    category: CategoryName | None = Field(description="Null for a tracker that is not registered.")
    allow: bool
    reason: ReasonName
    max_age: int | None = Field(None, description="Whole seconds it may stay on the device; absent where it does not.")


class DecisionList(BaseModel):
    """Decisions in the order asked, trackers first."""

    decisions: list[DecisionItem]
    degraded: bool | None = Field(None, description="True where the store did not answer; absent otherwise.")


class VisitorDecisionList(DecisionList):
    """The same, of one visitor among several."""

    visitor_id: str | None


class DecisionLists(BaseModel):
    """One list for each visitor, in the order asked."""

    results: list[VisitorDecisionList]
    degraded: bool | None = Field(None, description="True where the store did not answer; absent otherwise.")
