"""What the OpenAPI document says beyond what the framework can tell: names, header fields and examples.

The examples are in `examples.json` beside this file: requests by operation, answers by schema or by operation. Tests
hold them against the schemas and send them to a running service, so that a reader may rely on them (SVC-06).
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import orjson

Operation = dict[str, Any]

_EXAMPLES = Path(__file__).with_name("examples.json")
_JSON = "application/json"
_SIGNALS: list[dict[str, Any]] = [
    {
        "name": "DNT",
        "in": "header",
        "description": "The browser's Do Not Track field as it came; anything but `0…` and `1…` counts as absent.",
        "schema": {"type": "string"},
    },
    {
        "name": "Sec-GPC",
        "in": "header",
        "description": "The browser's Global Privacy Control field as it came; on only where it is exactly `1`.",
        "schema": {"type": "string"},
    },
]
_FIELDS = """

Optional header fields: `If-Match` with the revision that was read, such as `"3"`, of which another one is answered with
412; `Idempotency-Key`, quoted or bare, best a UUID, makes a repetition safe: it is answered as the first time, with
`Idempotency-Replayed: true`, and another request under the same key with 422."""
"""In words and not as parameters: which values fit depends on what went before, and no schema can say so."""
_SAME = {"visitor_receipt": "own_receipt", "export_visitor": "own_export", "visitor_proof": "own_proof"}
"""Operations that answer like another one."""
_CHANGES_NO_CONSENT = frozenset({"decide", "erase_own", "erase_visitor"})


def describe(document: dict[str, Any]) -> None:
    """Complete a document that the framework has made."""
    examples = _examples()
    document["components"]["examples"] = {
        _component(name): {"value": value} for name, value in examples["responses"].items()
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _name(operation, path, method)
            _call(operation, method)
            _exemplify(operation, examples["requests"], examples["responses"])


def _name(operation: Operation, path: str, method: str) -> None:
    # The framework appends path and method to the handler's name; the name alone is unique and reads better.
    operation["operationId"] = operation["operationId"].removesuffix(re.sub(r"\W", "_", f"{path}_{method}"))
    operation["summary"] = operation["description"].splitlines()[0].rstrip(".")


def _call(operation: Operation, method: str) -> None:
    """Say which header fields count and that a visitor without a cookie is served as well."""
    tag = operation["tags"][0]
    if tag == "browser":
        operation["security"] = [*operation["security"], {}]
    if tag not in {"browser", "storefront"}:
        return
    operation["parameters"] = [*operation.get("parameters", []), *_SIGNALS]
    if method != "get" and operation["operationId"] not in _CHANGES_NO_CONSENT:
        operation["description"] += _FIELDS


def _exemplify(operation: Operation, requests: dict[str, Any], responses: dict[str, Any]) -> None:
    if operation["operationId"] in requests:
        operation["requestBody"]["content"][_JSON]["example"] = requests[operation["operationId"]]
    name = _SAME.get(operation["operationId"], operation["operationId"])
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            known = next((key for key in (schema, f"{name} {media_type}", name) if key in responses), None)
            if status.startswith("2") and known is not None:
                content["examples"] = {"example": {"$ref": f"#/components/examples/{_component(known)}"}}


def _component(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


@cache
def _examples() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(_EXAMPLES.read_bytes())
    return found
