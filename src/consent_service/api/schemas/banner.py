"""What a banner is given (contract §4, `GET /v1/banner`)."""

from typing import Literal

from pydantic import BaseModel, Field

from consent_service.api.schemas.consent import CategoryName, Consent, RegimeName


class BannerTracker(BaseModel):
    """A tracker as the visitor reads about it (CON-21)."""

    name: str
    kind: str
    provider: str
    country: str | None
    privacy_policy: str | None
    purpose: str
    duration: str = Field(description="ISO 8601 duration, or `session`.")
    third_party: bool
    sells_or_shares: bool
    exempt: bool = Field(description="Needs no consent in this region, whoever visits.")


class BannerCategory(BaseModel):
    """A category with its trackers."""

    id: CategoryName
    title: str
    description: str
    always_on: bool
    sells_or_shares: bool
    trackers: list[BannerTracker]


class BannerController(BaseModel):
    """Who answers for the processing."""

    name: str
    address: str
    email: str
    phone: str
    url: str


class BannerSignals(BaseModel):
    """What the policy does with the browser's signals."""

    dnt: Literal["record", "respect", "strict"]
    gpc: Literal["honor", "honor_where_law_requires"]


class Banner(BaseModel):
    """Everything that a banner and a preference centre show."""

    site: str
    policy_version: str
    policy_sha256: str
    lang: str
    dir: Literal["ltr", "rtl"]
    languages: list[str]
    regime: RegimeName
    region: str | None
    texts: dict[str, str]
    first_layer: list[Literal["accept_all", "reject_all", "customize"]]
    urls: dict[str, str]
    controller: BannerController
    signals: BannerSignals
    multi_device: bool
    separate_consents: list[Literal["third_party_sharing", "cross_border"]]
    categories: list[BannerCategory]
    prompt: bool | None = Field(description="Null with `?state=0`.")
    notice: Literal["synced"] | None = Field(
        None, description="There once, after a login brought this device the choices of others; absent otherwise."
    )
    state: Consent | None = Field(description="The visitor's consent; null with `?state=0`.")
