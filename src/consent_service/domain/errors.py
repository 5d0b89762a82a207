"""Every error the service raises on purpose.

    ConsentError
    ├── InvalidInput            the request says something that cannot be meant
    │   ├── PolicyInvalid       a policy document with faults, all of them listed
    │   ├── PolicyVersionUnknown
    │   ├── IdempotencyKeyReused
    │   ├── IdempotencyKeyTooShort
    │   └── OutOfRange
    ├── Unauthenticated         no credential, or none that is known
    ├── Forbidden               a credential that may not do this
    │   └── OriginNotAllowed
    ├── NotFound                unknown, foreign and erased alike: the answer is the same
    ├── Conflict
    │   ├── PolicyVersionSuperseded
    │   ├── PolicyVersionExists
    │   ├── ImportOutdated
    │   └── IdempotencyInProgress
    ├── PreconditionFailed      If-Match names a revision that is no longer current
    ├── TooManyRequests
    └── StoreUnavailable        nothing was stored; trying again is safe

`code` is the stable name a client may rely on (RFC 9457, the last part of `type`). Status numbers belong to
`api/errors.py`; no message carries the submitted value.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document: where (RFC 6901 pointer), which rule, and what to do about it."""

    pointer: str
    code: str
    message: str


class ConsentError(Exception):
    """The root of all errors that a caller can do something about."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Error"

    def __init__(self, detail: str = "") -> None:
        """Keep the sentence that a person reads; the class's docstring stands in where none is given."""
        super().__init__(detail or (type(self).__doc__ or "").strip())

    @property
    def detail(self) -> str:
        """The sentence that a person reads."""
        return str(self)


class InvalidInput(ConsentError):
    """The request is well-formed but says something that cannot be meant."""

    code = "invalid-input"
    title = "Invalid input"

    def __init__(self, detail: str = "", faults: tuple[Fault, ...] = (), missing: tuple[str, ...] = ()) -> None:
        """Name every fault at once, and the members that are missing."""
        super().__init__(detail)
        self.faults = faults
        self.missing = missing


class PolicyInvalid(InvalidInput):
    """The policy document has faults."""

    code = "policy-invalid"
    title = "Policy refused"


class PolicyVersionUnknown(InvalidInput):
    """The site has published no policy of this version."""

    code = "policy-version-unknown"
    title = "Unknown policy version"


class IdempotencyKeyReused(InvalidInput):
    """The Idempotency-Key was used before with another request."""

    code = "idempotency-key-reused"
    title = "Idempotency key reused"


class IdempotencyKeyTooShort(InvalidInput):
    """A write without a visitor cookie needs an Idempotency-Key of 20 characters or more, such as a UUID."""

    code = "idempotency-key-too-short"
    title = "Idempotency key too short"


class OutOfRange(InvalidInput):
    """The log has no such entry or size."""

    code = "out-of-range"
    title = "Out of range"


class Unauthenticated(ConsentError):
    """A valid key is needed."""

    code = "unauthenticated"
    title = "Not authenticated"


class Forbidden(ConsentError):
    """The key does not have the scope this needs."""

    code = "forbidden"
    title = "Forbidden"


class OriginNotAllowed(Forbidden):
    """This origin may not act for the visitor."""

    code = "origin-not-allowed"
    title = "Origin not allowed"


class NotFound(ConsentError):
    """There is no such thing here."""

    code = "not-found"
    title = "Not found"


class Conflict(ConsentError):
    """The request does not fit the current state."""

    code = "conflict"
    title = "Conflict"


class PolicyVersionSuperseded(Conflict):
    """A newer policy version is in force; show it and ask again."""

    code = "policy-version-superseded"
    title = "Policy version superseded"


class PolicyVersionExists(Conflict):
    """A published policy version is immutable; choose a new version."""

    code = "policy-version-exists"
    title = "Policy version exists"


class ImportOutdated(Conflict):
    """What is on record is newer than the imported choice."""

    code = "import-outdated"
    title = "Import outdated"


class IdempotencyInProgress(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "idempotency-in-progress"
    title = "Request in progress"


class PreconditionFailed(ConsentError):
    """The record has changed since the revision that If-Match names."""

    code = "precondition-failed"
    title = "Precondition failed"


class TooManyRequests(ConsentError):
    """The limit for this caller is reached."""

    code = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str = "", retry_after: int = 1) -> None:
        """Say in how many whole seconds trying again makes sense."""
        super().__init__(detail)
        self.retry_after = retry_after


class StoreUnavailable(ConsentError):
    """The store cannot be reached; nothing was stored and trying again is safe."""

    code = "store-unavailable"
    title = "Store unavailable"

    def __init__(self, detail: str = "", retry_after: int = 2) -> None:
        """Say in how many whole seconds trying again makes sense."""
        super().__init__(detail)
        self.retry_after = retry_after
