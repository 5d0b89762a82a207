"""The names of the service's contract, §12, to the letter: shops are written against them."""

import inspect
from typing import Any

import pytest

import consent_client
from consent_client import AsyncConsentClient, ConsentClient, ConsentError, Problem, Unavailable, asgi, django, wsgi

CLIENTS = [ConsentClient, AsyncConsentClient]
METHODS = {
    "decide": ["visitor_id", "names", "*region=None", "*dnt=None", "*gpc=None"],
    "decide_many": ["requests"],
    "consent": ["visitor_id"],
    "record": ["visitor_id", "action", "choices=None"],
    "withdraw": ["visitor_id"],
    "link_account": ["visitor_id", "account_ref"],
    "unlink_account": ["visitor_id"],
    "output": ["visitor_id", "format"],
    "from_state": ["cookie", "headers=None"],
}


def parameters(function: Any) -> list[str]:
    """Write the parameters as the contract does; a star marks those that are given by name."""
    found = list(inspect.signature(function).parameters.values())
    return [
        ("*" if one.kind is one.KEYWORD_ONLY else "")
        + one.name
        + ("" if one.default is one.empty else f"={one.default}")
        for one in found
        if one.name != "self"
    ]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("method", METHODS)
def test_each_method_takes_what_the_contract_says_first(client: type, method: str) -> None:
    assert parameters(getattr(client, method))[: len(METHODS[method])] == METHODS[method]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_waits_three_tenths_of_a_second_unless_told_otherwise(client: type) -> None:
    assert parameters(client)[:3] == ["base_url", "key", "*timeout=0.3"]


@pytest.mark.parametrize("middleware", [asgi.ConsentMiddleware, wsgi.ConsentMiddleware])
def test_the_middlewares_are_made_as_the_contract_says(middleware: type) -> None:
    assert parameters(middleware)[:3] == ["app", "client", "*report_only=False"]
    assert parameters(django.ConsentMiddleware) == ["get_response"]


def test_errors_are_one_family() -> None:
    assert issubclass(Problem, ConsentError)
    assert issubclass(Unavailable, ConsentError)
    problem = Problem(422, "choices-missing", "say all eight")
    assert (problem.status, problem.code, problem.detail) == (422, "choices-missing", "say all eight")
    assert set(consent_client.__all__) >= {
        "ConsentClient",
        "AsyncConsentClient",
        "ConsentError",
        "Problem",
        "Unavailable",
    }
