"""The HTTP interface of the fake authority: as much of the contract as the SDK uses."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from consent_client.answers import Answer
from consent_client.signals import Signals, parse_dnt, parse_gpc
from consent_client.testing.authority import FakeAuthority
from consent_client.testing.visitor import FakeVisitor
from consent_client.vocabulary import CATEGORIES

Answered = tuple[int, dict[str, str], bytes]


def answer(authority: FakeAuthority, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answered:
    """Answer one request; header names in lower case."""
    path = urlsplit(target).path
    authority.calls.append((method, path))
    if path == "/.well-known/jwks.json":
        return _document(authority.jwks(), headers)
    if headers.get("authorization") != f"Bearer {authority.key}":
        return _problem(401, "unauthorized", "this key is not known")
    try:
        document = json.loads(body) if body else {}
    except ValueError:
        return _problem(400, "malformed-json", "the body is not JSON")
    match method, path.strip("/").split("/"):
        case "GET", ["v1", "trackers"]:
            answered = _document(authority.table(), headers)
        case "POST", ["v1", "decisions"]:
            answered = _decide(authority, document, headers)
        case "POST", ["v1", "visitors"]:
            answered = _json(201, {"visitor_id": authority.visitor().visitor_id})
        case "GET", ["v1", "visitors", visitor_id, "withdrawal-link"]:
            answered = _withdrawal_link(visitor_id)
        case _, ["v1", "visitors", visitor_id, *rest] if visitor_id in authority.visitors:
            answered = _about_visitor(authority, authority.visitors[visitor_id], method, rest, document)
        case _:
            answered = _problem(404, "not-found", "there is nothing here")
    return answered


def _decide(authority: FakeAuthority, document: dict[str, Any], headers: Mapping[str, str]) -> Answered:
    if "requests" in document:
        results = [
            {"visitor_id": request["visitor_id"], "decisions": _decisions(authority, request, headers)}
            for request in document["requests"]
        ]
        return _json(200, {"results": results})
    return _json(200, {"decisions": _decisions(authority, document, headers), "degraded": False})


def _decisions(authority: FakeAuthority, request: dict[str, Any], headers: Mapping[str, str]) -> list[dict[str, Any]]:
    visitor = authority.known(request["visitor_id"])
    dnt = request.get("dnt") or parse_dnt([headers["dnt"]] if "dnt" in headers else [])
    gpc = request.get("gpc") is True or parse_gpc([headers.get("sec-gpc", "")])
    if dnt is not None:
        visitor.dnt = dnt
    visitor.gpc = visitor.gpc or gpc
    judgement = authority.judgement(visitor, Signals(dnt, gpc), request.get("region"))
    table = judgement.table
    rows = []
    for name in request.get("trackers", ()):
        entries = table.find(name)
        category = {"category": entries[0].category} if entries else {}
        rows.append({"tracker": name, **category, **_members(judgement.tracker(name))})
    for name in request.get("categories", ()):
        rows.append({"category": name, **_members(judgement.category(name))})  # noqa: PERF401 - beside its twin
    return rows


def _about_visitor(
    authority: FakeAuthority, visitor: FakeVisitor, method: str, rest: list[str], document: dict[str, Any]
) -> Answered:
    match method, rest:
        case "GET", ["consent"]:
            pass
        case "PUT", ["consent"]:
            refusal = _record(authority, visitor, document)
            if refusal is not None:
                return refusal
        case "DELETE", ["consent"]:
            visitor.withdraw()
        case "PUT", ["account"]:
            visitor.account_ref = str(document.get("account_ref"))
        case "DELETE", ["account"]:
            visitor.account_ref = None
        case "GET", ["outputs", name] if name in authority.outputs:
            return _json(200, authority.outputs[name])
        case _:
            return _problem(404, "not-found", "there is nothing here")
    return _json(200, _consent(authority, visitor))


def _record(authority: FakeAuthority, visitor: FakeVisitor, document: dict[str, Any]) -> Answered | None:
    if document.get("policy_version") != authority.rules.policy_version:
        return _problem(422, "policy-version-unknown", "this policy version is not known")
    choices = document.get("choices")
    everything = dict.fromkeys(CATEGORIES, document.get("action") == "accept_all") | {"strictly_necessary": True}
    if document.get("action") == "custom":
        if not isinstance(choices, dict) or set(choices) != set(CATEGORIES):
            return _problem(422, "choices-incomplete", "exactly the eight categories are expected")
        everything = choices
    elif choices is not None or document.get("action") not in {"accept_all", "reject_all", "dismiss"}:
        return _problem(422, "action-unfit", "this action is not known, or takes no choices")
    if document.get("action") != "dismiss":
        visitor.choose(everything, channel=document.get("channel", "web"))
        visitor.separate = set(document.get("separate_consents", visitor.separate))
    return None


def _withdrawal_link(visitor_id: str) -> Answered:
    url = f"https://consent.test/withdraw/w1.{visitor_id}"
    headers = {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return _json(200, {"url": url, "headers": headers})


def _consent(authority: FakeAuthority, visitor: FakeVisitor) -> dict[str, Any]:
    judgement = authority.judgement(visitor, Signals(), None)
    return {
        "visitor_id": visitor.visitor_id,
        "site": authority.rules.site,
        "revision": visitor.revision,
        "policy_version": authority.rules.policy_version,
        "regime": judgement.regime,
        "dnt": visitor.dnt,
        "gpc": visitor.gpc,
        "sale_share_opt_out": visitor.opted_out or judgement.gpc_effective,
        "prompt": not visitor.choices,
        "categories": {name: _members(judgement.category(name)) for name in CATEGORIES},
    }


def _members(given: Answer) -> dict[str, Any]:
    age = {} if given.max_age is None else {"max_age": given.max_age}
    return {"allow": given.allow, "reason": given.reason, **age}


def _document(document: dict[str, object], headers: Mapping[str, str]) -> Answered:
    body = json.dumps(document).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if headers.get("if-none-match") == etag:
        return 304, {"etag": etag}, b""
    return 200, {"content-type": "application/json", "etag": etag}, body


def _json(status: int, document: Mapping[str, object]) -> Answered:
    return status, {"content-type": "application/json"}, json.dumps(document).encode()


def _problem(status: int, code: str, detail: str) -> Answered:
    document = {"type": f"/problems/{code}", "title": code, "status": status, "detail": detail, "code": code}
    return status, {"content-type": "application/problem+json"}, json.dumps(document).encode()
