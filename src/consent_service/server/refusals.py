"""What the protocol answers by itself, before any application has seen a request."""

from enum import Enum
from http import HTTPStatus
from secrets import token_bytes
from uuid import UUID

from consent_service.problem import MEDIA_TYPE, problem_body


class Refusal(Enum):
    """A reason to answer and to close the connection: status, code, and a sentence that echoes no input."""

    MALFORMED = (400, "malformed-request", "The request does not follow HTTP/1.1 (RFC 9112).")
    UPGRADE_WITH_BODY = (400, "malformed-request", "No protocol upgrade is offered; send the request without it.")
    PIPELINE_TOO_LONG = (400, "pipeline-too-long", "Too many requests were sent ahead of their answers.")
    TIMEOUT = (408, "request-timeout", "The request did not arrive in time.")
    BODY_TOO_LARGE = (413, "body-too-large", "The body is larger than any that is taken here.")
    HEADER_TOO_LARGE = (431, "header-too-large", "The request line and header fields are too large or too many.")
    UNKNOWN_CODING = (501, "transfer-coding-unknown", "The only transfer coding taken is chunked.")
    TOO_MANY_CONNECTIONS = (503, "too-many-connections", "All connections are in use; try again.")
    VERSION_UNKNOWN = (505, "http-version-unknown", "The versions taken are HTTP/1.0 and HTTP/1.1.")

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status = status
        self.code = code
        self.detail = detail


_RETRY = {Refusal.TOO_MANY_CONNECTIONS: b"retry-after: 1\r\n"}


def refusal_response(refusal: Refusal, common: list[tuple[bytes, bytes]], request_id: str) -> bytes:
    """Write the whole response; `common` are the header fields that every response of the server bears."""
    phrase = HTTPStatus(refusal.status).phrase
    body = problem_body(refusal.status, refusal.code, phrase, refusal.detail, f"urn:uuid:{request_id}")
    fields = [b"%b: %b\r\n" % field for field in common]
    return b"".join(
        (
            b"HTTP/1.1 %d %b\r\n" % (refusal.status, phrase.encode()),
            *fields,
            b"content-type: %b\r\ncontent-length: %d\r\n" % (MEDIA_TYPE, len(body)),
            b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n",
            b"x-request-id: %b\r\n" % request_id.encode(),
            _RETRY.get(refusal, b""),
            b"connection: close\r\n\r\n",
            body,
        )
    )


def new_request_id() -> str:
    """Make the id of a request that no application will give one."""
    return str(UUID(bytes=token_bytes(16), version=4))
