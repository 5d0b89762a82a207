"""Which pages may act for a visitor: Origin and Sec-Fetch-Site against the site's own origins (contract §2).

Cross-site requests are refused by these two fields, so that no token is needed and a page can still send its
answer while it closes (SVC-08).
"""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from consent_service.api.callers import peer_trusted
from consent_service.api.services import Services
from consent_service.domain.errors import NotFound, OriginNotAllowed
from consent_service.service.sites import Site

_OWN_FETCH_SITES = frozenset({"same-origin", "same-site", "none"})


@dataclass(frozen=True, slots=True)
class Page:
    """The site a request belongs to and, if a page made it, that page's origin."""

    site: Site
    origin: str | None


def page_of(request: Request, services: Services) -> Page:
    """Find the site by Origin, then by Host, then as the only one.

    Raises OriginNotAllowed for pages of other sites and NotFound where the site cannot be told.
    """
    fields = request.headers.getlist("origin")
    if len(fields) > 1:
        raise OriginNotAllowed
    if fields:
        site = site_of_origin(fields[0], request, services)
        if site is None:
            raise OriginNotAllowed
        return Page(site, fields[0])
    # A request without Origin that a browser calls cross-site is an image, a form or a frame on somebody's page.
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None and fetch_site not in _OWN_FETCH_SITES:
        raise OriginNotAllowed
    return Page(_site_of_host(request, services), None)


def site_of_origin(origin: str, request: Request, services: Services) -> Site | None:
    """Find the site whose pages have this origin; None where no site allows it."""
    site = services.sites.by_origin(origin.lower())
    if site is not None:
        return site
    own = origin.lower() in {services.http.address, f"{request.url.scheme}://{host_of(request, services)}"}
    if own or (services.http.dev and _is_loopback(origin)):
        try:
            return _site_of_host(request, services)
        except NotFound:
            return None
    return None


def host_of(request: Request, services: Services) -> str:
    """Give the host that the browser asked for, as a trusted proxy tells it."""
    forwarded = request.headers.get("x-forwarded-host")
    if forwarded and peer_trusted(request, services.http.trusted_proxies):
        return forwarded.split(",")[0].strip().lower()
    return request.headers.get("host", "").lower()


def _site_of_host(request: Request, services: Services) -> Site:
    site = services.sites.by_host(host_of(request, services)) or services.sites.only()
    if site is None:
        raise NotFound("Neither Origin nor Host tells which site this is about.")
    return site


def _is_loopback(origin: str) -> bool:
    try:
        host = urlsplit(origin).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False
