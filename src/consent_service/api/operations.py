"""The operations plane: policies, trackers and keys (contract §6)."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from consent_service.api.deps import Administering, AnyKey, Auditing, Served
from consent_service.api.documented import KEY_ERRORS, errors
from consent_service.api.strict_route import StrictRoute
from consent_service.domain.errors import Forbidden, NotFound
from consent_service.domain.vocabulary import Scope
from consent_service.ports import ApiKey, StoredPolicy
from consent_service.service.policies import check_document
from consent_service.service.presenting import moment
from consent_service.service.sites import Site, Version
from consent_service.service.trackers import tracker_csv, tracker_table

router = APIRouter(tags=["operations"], route_class=StrictRoute)

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)
_READABLE = r"^[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*$"
"""No character that controls a terminal or turns the direction of writing."""
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class PolicyEntry(BaseModel):
    """A published policy version."""

    site: str
    version: str
    sha256: str = Field(description="Hash of the document as `GET /v1/policies/{version}` gives it.")
    effective_from: datetime
    published_at: datetime
    in_force: bool


class PolicyList(BaseModel):
    """All versions of a site."""

    policies: list[PolicyEntry]


class NewKey(BaseModel):
    """What a key is for."""

    model_config = _STRICT

    scope: Literal["decide", "manage", "audit", "admin"]
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=_READABLE, examples=["storefront backend"])]
    site: Slug | None = Field(None, description="The caller's own site where absent.")


class KeyEntry(BaseModel):
    """A key without the key."""

    id: str
    scope: str
    name: str
    site: str
    created_at: datetime


class CreatedKey(KeyEntry):
    """A fresh key, shown this once."""

    key: str


class KeyList(BaseModel):
    """The living keys of a site."""

    keys: list[KeyEntry]


@router.post(
    "/v1/policies",
    status_code=201,
    response_model=None,
    responses={201: {"model": PolicyEntry}, **errors(400, 409, 413, 415, *KEY_ERRORS, 503)},
)
async def publish_policy(
    services: Served, key: Administering, document: Annotated[dict[str, Any], Body(description="A policy document.")]
) -> Response:
    """Publish a policy version for good; every fault is named at once. Scope `admin`."""
    policy, _ = check_document(document)
    if policy.site != key.site and not key.every_site:
        raise Forbidden("This key publishes policies of its own site only.")
    stored = await services.publisher.publish(document)
    return Response(
        orjson.dumps(_entry(stored, in_force=_in_force(services, stored))), 201, media_type="application/json"
    )


@router.get("/v1/policies", response_model=None, responses={200: {"model": PolicyList}, **errors(*KEY_ERRORS, 404)})
async def list_policies(services: Served, key: Auditing) -> Response:
    """List the site's policy versions. Scope `audit` or `admin`."""
    versions = services.sites.get(key.site).versions
    entries = [_entry(v.stored, in_force=_in_force(services, v.stored)) for v in versions]
    return Response(orjson.dumps({"policies": entries}), media_type="application/json")


@router.get(
    "/v1/policies/{version}",
    response_model=None,
    responses={
        200: {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "The document."},
        304: {"description": "Not modified"},
        **errors(*KEY_ERRORS, 404),
    },
)
async def read_policy_version(
    request: Request, services: Served, key: Auditing, version: Annotated[str, Path(max_length=64)]
) -> Response:
    """Give a document by version or SHA-256, byte for byte what that names (EVD-03). Scope `audit` or `admin`."""
    found = _published(services.sites.get(key.site), version)
    if found is None:
        raise NotFound("There is no such policy version.")
    headers = {"ETag": f'"{found.stored.sha256}"', "Cache-Control": "private, max-age=86400, immutable"}
    if found.stored.sha256 in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.stored.document, 200, headers, "application/json")


@router.get(
    "/v1/trackers",
    response_model=None,
    responses={
        200: {
            "description": "The register of trackers.",
            "content": {"application/json": {"schema": {"type": "object"}}, "text/csv": {"schema": {"type": "string"}}},
        },
        304: {"description": "Not modified"},
        **errors(*KEY_ERRORS, 404),
    },
)
async def read_trackers(request: Request, services: Served, key: AnyKey) -> Response:
    """Give the register of trackers in force, as JSON or, by `Accept: text/csv`, as CSV. Any scope."""
    version = services.sites.get(key.site).current(services.clock())
    as_csv = "text/csv" in request.headers.get("accept", "")
    tag = f'"{version.stored.sha256[:16]}-{"csv" if as_csv else "json"}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if as_csv:
        return Response(tracker_csv(version.policy), 200, headers, "text/csv")
    return Response(orjson.dumps(tracker_table(version.policy)), 200, headers, "application/json")


@router.post(
    "/v1/keys",
    status_code=201,
    response_model=None,
    responses={201: {"model": CreatedKey}, **errors(400, 413, 415, *KEY_ERRORS, 503)},
)
async def create_key(services: Served, key: Administering, body: NewKey) -> Response:
    """Make a key; it is shown this once. Scope `admin`."""
    site = body.site or key.site
    if site != key.site and not key.every_site:
        raise Forbidden("This key makes keys of its own site only.")
    entry, secret = await services.keys.create(site, Scope(body.scope), body.name)
    return Response(orjson.dumps(_key(entry) | {"key": secret}), 201, media_type="application/json")


@router.get("/v1/keys", response_model=None, responses={200: {"model": KeyList}, **errors(*KEY_ERRORS, 503)})
async def list_keys(services: Served, key: Administering) -> Response:
    """List the site's living keys, without the keys. Scope `admin`."""
    entries = await services.keys.list(key.site)
    return Response(orjson.dumps({"keys": [_key(entry) for entry in entries]}), media_type="application/json")


@router.delete("/v1/keys/{key_id}", status_code=204, response_model=None, responses=errors(*KEY_ERRORS, 404, 503))
async def revoke_key(
    services: Served, key: Administering, key_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
) -> Response:
    """Revoke a key of the site. Scope `admin`."""
    await services.keys.revoke(None if key.every_site else key.site, key_id)
    return Response(status_code=204)


def _published(site: Site, name: str) -> Version | None:
    by_hash = (version for version in site.versions if version.stored.sha256 == name)
    return site.by_name.get(name) or next(by_hash, None)


def _in_force(services: Any, stored: StoredPolicy) -> bool:
    return bool(services.sites.get(stored.site).current(services.clock()).stored.sha256 == stored.sha256)


def _entry(stored: StoredPolicy, *, in_force: bool) -> dict[str, Any]:
    return {
        "site": stored.site,
        "version": stored.version,
        "sha256": stored.sha256,
        "effective_from": moment(stored.effective_from),
        "published_at": moment(stored.published_at),
        "in_force": in_force,
    }


def _key(entry: ApiKey) -> dict[str, Any]:
    return {
        "id": entry.id,
        "scope": " ".join(sorted(entry.scopes)),
        "name": entry.name,
        "site": entry.site,
        "created_at": moment(entry.created_at),
    }
