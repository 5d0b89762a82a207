"""One RFC 9457 problem document as bytes, for the layers that answer before the application does."""

import json

MEDIA_TYPE = b"application/problem+json"


def problem_body(status: int, code: str, title: str, detail: str, instance: str) -> bytes:
    """Write a problem document; `instance` is the request's id as a URI, never its path."""
    members = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
    }
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
