"""What several routes ask of a request: the services, the signals, the region, a key, a precondition."""

import re
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from consent_service.api.callers import peer_trusted
from consent_service.api.services import Services
from consent_service.domain.errors import Forbidden, InvalidInput, Unauthenticated
from consent_service.domain.regions import parse_region
from consent_service.domain.signal_adapters.expression import Expression
from consent_service.domain.signal_adapters.registry import read_expression
from consent_service.domain.signals import Signals, parse_signals
from consent_service.domain.vocabulary import Scope
from consent_service.ports import ApiKey
from consent_service.service.asking import ANY_REVISION, ClientKey, fingerprint
from consent_service.service.sites import Version

VISITOR_COOKIE = "consent_visitor"
STATE_COOKIE = "consent_state"

bearer_scheme = HTTPBearer(
    scheme_name="key",
    description="A key `cs_<scope>_…` of the site; its scope is named at each operation.",
    auto_error=False,
)
visitor_scheme = APIKeyCookie(
    name=VISITOR_COOKIE, scheme_name="visitor", description="Set by the first write; proves who asks.", auto_error=False
)

_KEY_IN_SCOPE = "consent_service.key"
_ETAG = re.compile(r'"(\d{1,18})"')
_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/=-]{1,200})")
_IDEMPOTENCY_KEY = re.compile(r'"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')


def services_of(request: Request) -> Services:
    """Give the services."""
    services: Services = request.state.services
    return services


Served = Annotated[Services, Depends(services_of)]


def header_signals(request: Request) -> Signals:
    """Read DNT and Sec-GPC, all fields of them (SIG-04, SIG-10)."""
    headers = request.headers
    return parse_signals(headers.getlist("dnt"), headers.getlist("sec-gpc"))


def header_expression(request: Request, version: Version) -> Expression:
    """Read the signals beside DNT and GPC that have an adapter, such as ADPC (REG-11).

    A question takes only what is `protective` of it: a key that cannot record a grant must not do so by signal.
    """
    return read_expression(request.headers.raw, version.policy)


def header_region(request: Request, services: Services) -> str | None:
    """Read the region that a trusted proxy set; fields that disagree leave it unknown, which is strictest (REG-09)."""
    name = services.http.region_header
    if not name or not peer_trusted(request, services.http.trusted_proxies):
        return None
    found = {parse_region(field) for field in request.headers.getlist(name)}
    return found.pop() if len(found) == 1 else None


def if_match(request: Request) -> frozenset[int] | None:
    """Read If-Match (RFC 9110 §13.1.1): the revisions that are acceptable; weak and foreign tags match nothing."""
    fields = request.headers.getlist("if-match")
    if not fields:
        return None
    tags = [tag.strip() for field in fields for tag in field.split(",")]
    if "*" in tags:
        return frozenset({ANY_REVISION})
    return frozenset(int(match[1]) for match in map(_ETAG.fullmatch, tags) if match)


async def client_key(request: Request) -> ClientKey | None:
    """Read Idempotency-Key, quoted or bare (draft-ietf-httpapi-idempotency-key-header), at most 255 characters."""
    fields = request.headers.getlist("idempotency-key")
    if not fields:
        return None
    if len(fields) > 1:
        raise _unfit_key()
    return read_client_key(fields[0], request.method, request.url.path, await request.body())


def read_client_key(field: str, method: str, path: str, body: bytes) -> ClientKey:
    """Read one field of Idempotency-Key for a request; raises InvalidInput."""
    match = _IDEMPOTENCY_KEY.fullmatch(field.strip())
    if match is None:
        raise _unfit_key()
    return ClientKey(match[1] or match[2], fingerprint(method, path, body))


def _unfit_key() -> InvalidInput:
    return InvalidInput("Idempotency-Key must be one string of 1 to 255 visible ASCII characters.")


class KeyGuard:
    """Asks for a key that has one of several scopes."""

    def __init__(self, *scopes: Scope) -> None:
        """Name the scopes, each of which is enough."""
        self._scopes = frozenset(scopes)

    async def __call__(self, request: Request, _scheme: Annotated[Any, Depends(bearer_scheme)]) -> ApiKey:
        """Give the caller's key to a route that asks for it."""
        return await self.admit(request)

    async def admit(self, request: Request) -> ApiKey:
        """Give the caller's key; raises Unauthenticated, Forbidden and Limited. A request is looked at once."""
        known: ApiKey | None = request.scope.get(_KEY_IN_SCOPE)
        if known is None:
            known = request.scope[_KEY_IN_SCOPE] = await self._find(request)
        return known

    async def _find(self, request: Request) -> ApiKey:
        services = services_of(request)
        fields = request.headers.getlist("authorization")
        match = _BEARER.fullmatch(fields[0]) if len(fields) == 1 else None
        key = await services.sites.key(match[1]) if match else None
        if key is None:
            raise Unauthenticated
        if not key.scopes & self._scopes:
            raise Forbidden(f"This needs a key with the scope {' or '.join(sorted(self._scopes))}.")
        services.limits.storefront(key.id)
        return key


Deciding = Annotated[ApiKey, Depends(KeyGuard(Scope.DECIDE, Scope.MANAGE))]
Managing = Annotated[ApiKey, Depends(KeyGuard(Scope.MANAGE))]
Auditing = Annotated[ApiKey, Depends(KeyGuard(Scope.AUDIT, Scope.ADMIN))]
Administering = Annotated[ApiKey, Depends(KeyGuard(Scope.ADMIN))]
AnyKey = Annotated[ApiKey, Depends(KeyGuard(*Scope))]
