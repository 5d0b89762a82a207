"""The settings: environment variables with the prefix CONSENT_, read by `main` and `cli` only.

The table in docs/configuration.md is compared with this class by a test.
"""

import hashlib
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network

DNT_POLICY_SHA1 = "a18e8dba6848d3fc241b03b88291cb75a3cfec3b"
"""The SHA-1 by which the EFF names version 1.0 of its DNT policy (github.com/EFForg/dnt-policy)."""


class Settings(BaseSettings):
    """Everything that can be set; the defaults serve a sample shop from a SQLite file."""

    # An empty variable counts as none: compose files and charts pass on what was not set.
    model_config = SettingsConfigDict(env_prefix="CONSENT_", env_ignore_empty=True, frozen=True, extra="ignore")

    database_url: str = Field(
        default="sqlite:///var/consent.db",
        description="`sqlite:///path`, or `postgresql://user@host/database`; of several hosts the primary is found.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    public_url: str = Field(default="", description="Where visitors reach the service; empty: made from host and port.")
    policy: Path | None = Field(
        default=None,
        description="Policy file published at start if its version is new; without any policy the packaged sample.",
    )
    keys_dir: Path = Field(
        default=Path("var/keys"), description="Signing keys and secrets; made on first start, one for all replicas."
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(),
        description="Comma-separated networks whose X-Forwarded-For, X-Forwarded-Host and region header are believed.",
    )
    region_header: str = Field(
        default="", description="Header with the visitor's ISO 3166 region, set by a trusted proxy."
    )
    bootstrap_key: SecretStr | None = Field(
        default=None, description="A key with every scope for site `default`, for first start and for checks."
    )
    dev: bool = Field(
        default=False, description="Readable logs, loopback origins allowed, widening policies without notice."
    )
    insecure_cookies: bool = Field(
        default=False, description="Leaves `Secure` off cookies, for plain http on loopback only."
    )
    token_minutes: int = Field(default=15, ge=1, le=1_440, description="Life of a `consent_state` token, in minutes.")
    jwks_max_age: int = Field(default=900, ge=0, le=86_400, description="Seconds for which the JWKS may be cached.")
    visitor_writes_per_minute: int = Field(default=30, ge=1, description="Browser writes of one visitor in a minute.")
    address_writes_per_minute: int = Field(
        default=600, ge=1, description="Browser writes of one client address in a minute."
    )
    address_reads_per_minute: int = Field(
        default=6_000, ge=1, description="Browser reads of one client address in a minute."
    )
    key_requests_per_minute: int = Field(
        default=0, ge=0, description="Requests of one storefront key in a minute; 0: no limit."
    )
    checkpoint_seconds: int = Field(
        default=60, ge=1, le=86_400, description="Seconds after which new events are covered by a signed checkpoint."
    )
    checkpoint_events: int = Field(
        default=10_000, ge=1, description="New events that are covered by a signed checkpoint at once."
    )
    checkpoint_dir: Path | None = Field(
        default=None, description="Directory outside the database to which signed checkpoints are written as well."
    )
    checkpoint_webhook: str = Field(
        default="", description="Address to which each signed checkpoint is posted as text."
    )
    webhook_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(),
        description="Comma-separated networks that webhooks may reach beside public addresses, such as `10.0.0.0/8`.",
    )
    metrics_public: bool = Field(default=False, description="Opens `/metrics` to callers that are not on loopback.")
    log_decisions: bool = Field(
        default=False, description="One log line for each decision on the hot path instead of one a second for all."
    )
    tracing: bool = Field(
        default=False,
        description="Sends OpenTelemetry traces where `OTEL_EXPORTER_OTLP_ENDPOINT` says; needs the extra `tracing`.",
    )
    report_smallest_count: int = Field(
        default=10,
        ge=1,
        description="Counts below this are withheld from reports, so that they describe nobody; 1: none.",
    )
    gpc_last_update: str = Field(
        default="2026-11-24", description="`lastUpdate` of `/.well-known/gpc.json`, an RFC 3339 date."
    )
    security_contact: str = Field(
        default="",
        description="Contact address (URI) in `/.well-known/security.txt`; empty: the controller's e-mail address.",
    )

    dnt_policy: Path | None = Field(
        default=None,
        description="File with the EFF's DNT policy 1.0, served at `/.well-known/dnt-policy.txt`; off by default.",
    )

    @field_validator("dnt_policy")
    @classmethod
    def _the_text_that_is_promised(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        try:
            found = hashlib.sha1(value.read_bytes(), usedforsecurity=False).hexdigest()
        except OSError:
            raise ValueError("the file cannot be read") from None
        if found != DNT_POLICY_SHA1:
            raise ValueError("the file is not the EFF's DNT policy 1.0, byte for byte")
        return value

    @model_validator(mode="after")
    def _promised_over_https(self) -> "Settings":
        if self.dnt_policy is not None and not self.public_url.startswith("https://"):
            raise ValueError(
                "CONSENT_DNT_POLICY is a promise made over https; CONSENT_PUBLIC_URL does not begin with it"
            )
        return self

    @field_validator("trusted_proxies", "webhook_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip())
        return value

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("an http or https address is expected")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("sqlite:///path or postgresql://… is expected")
        return value.replace("postgres://", "postgresql://", 1)

    @property
    def address(self) -> str:
        """Give the public address, made up where none is set."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104  # nosec B104 - compared, not bound
        return self.public_url or f"http://{host}:{self.port}"
