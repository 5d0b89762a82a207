"""What can go wrong, as types.

ConsentError
├── Problem               the service refused: RFC 9457 problem details
│   └── ServiceUnavailable    a problem that says "not now" (502, 503, 504); also an Unavailable
└── Unavailable           no useful answer within the time: down, slow, reset, garbage

A decision raises none of them: it denies.
"""


class ConsentError(Exception):
    """Anything that kept a call from being answered."""


class Unavailable(ConsentError):  # noqa: N818 - the contract names it so
    """The service could not be reached in time, or answered with something that is no answer."""


class Problem(ConsentError):  # noqa: N818 - the contract names it so
    """The service answered with problem details (RFC 9457)."""

    def __init__(self, status: int, code: str, detail: str, members: dict[str, object] | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}" if detail else f"{status} {code}")
        self.status = status
        self.code = code
        self.detail = detail
        self.members = members or {}
        """The whole problem document, with what the problem adds of its own, such as `errors`."""


class ServiceUnavailable(Problem, Unavailable):
    """A problem that tells to come back later, such as an unreachable store."""
