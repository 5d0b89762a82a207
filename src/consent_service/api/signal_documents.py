"""What browsers read so that they may send signals beside DNT and GPC, such as ADPC's consent requests (OUT-11)."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from consent_service.api.deps import Served, visitor_scheme
from consent_service.api.documented import errors
from consent_service.api.origins import page_of
from consent_service.domain.errors import NotFound
from consent_service.domain.signal_adapters.registry import ADAPTERS
from consent_service.service.banner import best_language

router = APIRouter(tags=["browser"], dependencies=[Depends(visitor_scheme)])

_PATH = "/v1/consent/signals"


def signal_links(address: str) -> str:
    """Give the `Link` field that announces the documents of all signals."""
    found = (adapter.link(f"{address}{_PATH}/{adapter.name}") for adapter in ADAPTERS)
    return ", ".join(link for link in found if link is not None)


@router.head(_PATH + "/{name}", include_in_schema=False)
@router.get(
    _PATH + "/{name}",
    response_model=None,
    responses={200: {"description": "For ADPC the consent requests resource."}, **errors(403, 404, 422)},
)
async def signal_document(
    request: Request,
    services: Served,
    name: Annotated[str, Path(max_length=32, description="The signal's name, such as `adpc`.")],
    lang: Annotated[str | None, Query(max_length=255, description="Preferred language, BCP 47.")] = None,
) -> Response:
    """Give what a signal asks the visitor's browser: for ADPC one consent request for each category that needs one."""
    adapter = next((known for known in ADAPTERS if known.name == name), None)
    policy = page_of(request, services).site.current(services.clock()).policy
    language = best_language(policy, lang, request.headers.get("accept-language"))
    document = adapter.document(policy, language) if adapter is not None else None
    if document is None:
        raise NotFound
    headers = {"Cache-Control": "public, max-age=300", "Vary": "Accept-Language, Origin", "Content-Language": language}
    return Response(orjson.dumps(document), 200, headers, "application/json")
