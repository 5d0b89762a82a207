"""The OpenAPI document: committed, complete, and true to the service (SVC-06)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from jsonschema import Draft202012Validator

from consent_service.api.documentation import openapi_document
from consent_service.config import Settings
from consent_service.main import create_app
from tests.support.builders import document
from tests.support.service import Running

COMMITTED = Path(__file__).parents[2] / "openapi" / "openapi.json"
DOCUMENT = openapi_document(create_app(Settings.model_construct()))


class Operation(NamedTuple):
    """One operation of the document."""

    method: str
    path: str
    spec: dict[str, Any]


def operations() -> Iterator[Operation]:
    """Go through all operations."""
    for path, methods in DOCUMENT["paths"].items():
        for method, spec in methods.items():
            yield Operation(method.upper(), path, spec)


OPERATIONS = list(operations())
NAMES = [operation.spec["operationId"] for operation in OPERATIONS]
WITH_BODY = [operation for operation in OPERATIONS if "requestBody" in operation.spec]


def contents(operation: Operation) -> list[tuple[str, str, dict[str, Any]]]:
    """Give status, media type and content of each documented answer."""
    answers = operation.spec["responses"].items()
    return [
        (status, kind, content) for status, answer in answers for kind, content in answer.get("content", {}).items()
    ]


def example(content: dict[str, Any]) -> object:
    """Give the example of a content, wherever it stands."""
    if "example" in content:
        return content["example"]
    name = content["examples"]["example"]["$ref"].rpartition("/")[2]
    return DOCUMENT["components"]["examples"][name]["value"]


async def test_the_service_serves_the_committed_document(browser: httpx.AsyncClient) -> None:
    """No drift; `make openapi` writes the file anew."""
    served = (await browser.get("/openapi.json")).json()

    assert served == json.loads(COMMITTED.read_text("utf-8"))
    assert served["openapi"].startswith("3.1")


def test_every_operation_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(name.isidentifier() and "__" not in name for name in NAMES)


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_an_operation_says_what_it_does_and_who_may_call_it(operation: Operation) -> None:
    schemes: dict[str, object] = {
        "browser": [{"visitor": []}, {}],
        "storefront": [{"key": []}],
        "operations": [{"key": []}],
        "public": None,
    }
    (tag,) = operation.spec["tags"]

    assert operation.spec["summary"]
    assert operation.spec["description"]
    assert operation.spec.get("security") == schemes[tag]
    assert (tag in {"storefront", "operations"}) <= (
        "Scope" in operation.spec["description"] or "scope" in operation.spec["description"]
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_an_operation_shows_an_example_of_every_answer(operation: Operation) -> None:
    found = contents(operation)
    problems = [(status, kind) for status, kind, _ in found if status >= "400"]

    assert all(example(content) for _, _, content in found)
    assert {kind for _, kind in problems} <= {"application/problem+json"}
    assert any(status.startswith("2") for status in operation.spec["responses"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_an_example_fits_its_schema(operation: Operation) -> None:
    faults = [
        f"{status} {kind}: {fault.message}"
        for status, kind, content in contents(operation)
        for fault in Draft202012Validator(DOCUMENT | content["schema"]).iter_errors(example(content))
    ]

    assert faults == []


@pytest.mark.parametrize("operation", WITH_BODY, ids=[operation.spec["operationId"] for operation in WITH_BODY])
async def test_an_example_of_a_request_is_taken_by_the_service(service: Running, operation: Operation) -> None:
    """SVC-06: the reader may copy it."""
    body = operation.spec["requestBody"]["content"]["application/json"]["example"]
    async with service.shop() as shop:
        await shop.post("/v1/policies", json=DOCUMENT["components"]["examples"]["read_policy_version"]["value"])
        visitor = (await shop.post("/v1/visitors")).json()["visitor_id"]
        webhook = (await shop.post("/v1/webhooks", json={"url": "https://mail.example/consent"})).json()["id"]
        path = operation.path.replace("{visitor_id}", visitor).replace("{webhook_id}", webhook)
        shop.cookies.set("consent_visitor", service.services.identity.visitor_cookie("default", visitor))
        answer = await shop.request(operation.method, path, json=body)

    assert answer.status_code in {200, 201}


WITH_KEY = [operation for operation in OPERATIONS if operation.spec.get("security") == [{"key": []}]]


@pytest.mark.parametrize("operation", WITH_KEY, ids=[operation.spec["operationId"] for operation in WITH_KEY])
def test_an_operation_with_a_key_names_its_refusals(operation: Operation) -> None:
    assert {"401", "403", "429"} <= set(operation.spec["responses"])


async def test_the_page_of_the_document_asks_no_other_host(browser: httpx.AsyncClient) -> None:
    """No request of the page leaves the host, and the policy would not let it."""
    page = await browser.get("/docs")
    script = await browser.get("/static/docs.js")
    bundle = await browser.get("/docs/assets/swagger-ui-bundle.js")
    style = await browser.get("/docs/assets/swagger-ui.css")

    assert [answer.status_code for answer in (page, script, bundle, style)] == [200] * 4
    assert "://" not in page.text
    assert "://" not in script.text
    assert "validatorUrl: null" in script.text
    assert "url(http" not in style.text
    assert "<script>" not in page.text
    directives = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert (directives["connect-src"], directives["script-src"], directives["default-src"]) == (
        "'self'",
        "'self'",
        "'none'",
    )


def test_the_example_policy_is_one() -> None:
    shown = DOCUMENT["components"]["examples"]["read_policy_version"]["value"]

    assert set(shown) == set(document())
