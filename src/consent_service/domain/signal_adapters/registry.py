"""The signals that are read, and how a request's headers are read for all of them."""

from collections.abc import Iterable

from consent_service.domain.policy import Policy
from consent_service.domain.signal_adapters.adpc import Adpc
from consent_service.domain.signal_adapters.expression import NOTHING_EXPRESSED, Expression, SignalAdapter

ADAPTERS: tuple[SignalAdapter, ...] = (Adpc(),)

ADAPTED = frozenset(adapter.header for adapter in ADAPTERS)
"""The header fields that they read."""

Headers = Iterable[tuple[bytes, bytes]]
"""Header fields in the order received, their names in lower case."""


def read_expression(headers: Headers, policy: Policy, adapters: Iterable[SignalAdapter] = ADAPTERS) -> Expression:
    """Read what all signals of one request say together; cheap where no such header is there."""
    received = list(headers)
    heard = NOTHING_EXPRESSED
    for adapter in adapters:
        fields = [value.decode("latin-1") for name, value in received if name == adapter.header]
        if fields:
            heard = heard.joined(adapter.read(fields, policy))
    return heard
