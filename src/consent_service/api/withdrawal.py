"""Withdrawing from a mail: the link for the shop, the page for the reader, one click for the mail program (TRK-04).

Link scanners follow links and send GET or HEAD; those show the page and change nothing. Only a POST withdraws: the
page's own form, or `List-Unsubscribe=One-Click`, which RFC 8058 lets mail programs post without a cookie or a page.
"""

from collections.abc import Mapping
from email import message_from_bytes
from typing import Annotated
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from consent_service.api.answers import PRIVATE
from consent_service.api.deps import Deciding, Served
from consent_service.api.documented import KEY_ERRORS, errors
from consent_service.api.problems import UnsupportedMediaType
from consent_service.api.schemas.consent import VisitorId
from consent_service.api.schemas.manage import WithdrawalLink
from consent_service.api.services import Services
from consent_service.api.strict_route import StrictRoute
from consent_service.domain.errors import Fault, InvalidInput, NotFound
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.transitions import choices
from consent_service.domain.transitions.choices import Submission
from consent_service.domain.transitions.context import Context, Transition
from consent_service.domain.vocabulary import Action, Channel, Method
from consent_service.service.asking import Asking
from consent_service.service.banner import best_language
from consent_service.service.sites import Site
from consent_service.service.withdrawal.links import ONE_CLICK, PATH, Bearer, headers_of
from consent_service.service.withdrawal.page import EVERYTHING, FIELD, MAILS, withdrawal_page

router = APIRouter(route_class=StrictRoute)

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = PRIVATE | {"Content-Security-Policy": _POLICY, "X-Robots-Tag": "noindex"}
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"

Token = Annotated[str, Path(max_length=160)]
Lang = Annotated[str | None, Query(max_length=255)]


@router.get(
    "/v1/visitors/{visitor_id}/withdrawal-link",
    tags=["storefront"],
    response_model=None,
    responses={200: {"model": WithdrawalLink}, **errors(*KEY_ERRORS, 404)},
)
async def withdrawal_link(services: Served, key: Deciding, visitor_id: Annotated[VisitorId, Path()]) -> Response:
    """Give the link and the header fields for a mail to this visitor. Scope `decide`.

    Nothing is stored or looked up, so an unknown visitor is answered like a known one. The link does not expire.
    """
    url = services.withdrawal_links.url(services.sites.get(key.site).slug, visitor_id)
    return Response(orjson.dumps({"url": url, "headers": headers_of(url)}), 200, PRIVATE, "application/json")


@router.head(PATH + "/{token}", include_in_schema=False)
@router.get(PATH + "/{token}", include_in_schema=False)
async def show_withdrawal(request: Request, services: Served, token: Token, lang: Lang = None) -> Response:
    """Show the page; whoever follows the link changes nothing, and the visitor is not even looked up."""
    site, _ = _bearer(services, token)
    return _page(request, services, site, lang, done=False)


@router.post(PATH + "/{token}", include_in_schema=False)
async def withdraw_by_link(request: Request, services: Served, token: Token, lang: Lang = None) -> Response:
    """Withdraw what the form names, or by one click the consent for mails; again is answered alike.

    A visitor who was erased has nothing left to withdraw and is answered like any other.
    """
    site, bearer = _bearer(services, token)
    # Counted by the link alone: one server of a mail provider clicks for very many readers.
    services.limits.browser_write(token, bearer.visitor_id, refusal=True)
    everything = _everything(_fields(request, await request.body()))
    asking = Asking(site, bearer.visitor_id, method=Method.WITHDRAW_LINK)
    version = site.current(services.clock())
    response = _page(request, services, site, lang, done=True)
    try:
        answer = await services.consents.change(
            asking, version, _withdraw_everything if everything else _withdraw_mails
        )
    except NotFound:
        return response
    if answer.changed:
        response.headers["Tk"] = "U"
    return response


def _bearer(services: Services, token: str) -> tuple[Site, Bearer]:
    bearer = services.withdrawal_links.read(token)
    if bearer is None:
        raise NotFound
    return services.sites.get(bearer.site), bearer


def _page(request: Request, services: Services, site: Site, lang: str | None, *, done: bool) -> Response:
    policy = site.current(services.clock()).policy
    language = best_language(policy, lang, request.headers.get("accept-language"))
    headers = _HEADERS | {"Content-Language": language}
    return Response(withdrawal_page(policy, language, done=done), 200, headers, "text/html")


def _withdraw_mails(record: ConsentRecord, _: AccountState | None, ctx: Context) -> Transition:
    return choices.submit(record, Submission(Action.REJECT_ALL, channel=Channel.EMAIL), _at_home(record, ctx))


def _withdraw_everything(record: ConsentRecord, _: AccountState | None, ctx: Context) -> Transition:
    return choices.withdraw(record, _at_home(record, ctx))


def _at_home(record: ConsentRecord, ctx: Context) -> Context:
    # A mail program's server posts for its user, from wherever it stands: the place on record is the visitor's.
    return ctx._replace(region=record.region)


def _everything(fields: Mapping[str, str]) -> bool:
    """Tell what the form asks for; raises InvalidInput where it is neither ours nor RFC 8058's."""
    if fields.get(FIELD) == EVERYTHING:
        return True
    if fields.get(FIELD) == MAILS or fields.get(ONE_CLICK[0]) == ONE_CLICK[1]:
        return False
    fault = Fault("", "withdrawal-unfit", "`List-Unsubscribe=One-Click` or the page's own form is expected")
    raise InvalidInput("The form does not say what to withdraw.", (fault,))


def _fields(request: Request, body: bytes) -> Mapping[str, str]:
    """Read the form in either encoding (RFC 8058 §3.1); what cannot be read holds no field."""
    declared = request.headers.get("content-type", "")
    media_type = declared.partition(";")[0].strip().lower()
    if media_type == _FORM:
        return dict(parse_qsl(body.decode("latin-1")))
    if media_type != _MULTIPART:
        raise UnsupportedMediaType("The body must be a form.")
    head = f"Content-Type: {declared}\r\n\r\n".encode("latin-1")
    parts = message_from_bytes(head + body).walk()
    named = [(part.get_param("name", header="content-disposition"), part.get_payload()) for part in parts]
    return {name: value.strip() for name, value in named if isinstance(name, str) and isinstance(value, str)}
