"""A coming signal is one class and one line, and nothing that is stored changes (REG-11)."""

from collections.abc import Mapping, Sequence

import pytest

from consent_service.domain.policy import Policy
from consent_service.domain.signal_adapters.expression import NOTHING_EXPRESSED, Expression
from consent_service.domain.signal_adapters.registry import ADAPTERS, read_expression
from consent_service.domain.vocabulary import Category
from tests.domain.outputs.visitors import EVERYTHING, shop_policy

POLICY = shop_policy()
WITHDRAW_ALL = (b"adpc", b"withdraw=*")


class EuropeanSignal:
    """A made-up signal: `EU-Consent: none` refuses everything, `EU-Consent: statistics` allows statistics."""

    name = "eu"
    header = b"eu-consent"

    def read(self, fields: Sequence[str], policy: Policy) -> Expression:
        """Read the two words."""
        if "none" in fields:
            return Expression((self.name,), withdrawals=EVERYTHING)
        if "statistics" in fields:
            return Expression((self.name,), consents=frozenset({Category.STATISTICAL}))
        return NOTHING_EXPRESSED

    def link(self, resource: str) -> None:
        """Announce nothing."""

    def document(self, policy: Policy, language: str) -> Mapping[str, object] | None:
        """Publish nothing."""


BOTH = (*ADAPTERS, EuropeanSignal())


def test_adpc_is_the_first_of_them() -> None:
    """OUT-11."""
    assert [(adapter.name, adapter.header) for adapter in ADAPTERS] == [("adpc", b"adpc")]


def test_a_request_without_such_headers_says_nothing() -> None:
    """REG-11."""
    assert read_expression([(b"dnt", b"1"), (b"sec-gpc", b"1")], POLICY) is NOTHING_EXPRESSED


def test_all_fields_of_a_header_are_read() -> None:
    """OUT-11."""
    headers = [(b"adpc", b"consent=statistical.1"), (b"host", b"shop.example"), (b"adpc", b"withdraw=technical.1")]
    expression = read_expression(headers, POLICY)
    assert expression.consents == {Category.STATISTICAL}
    assert expression.withdrawals == {Category.TECHNICAL}


def test_bytes_that_are_no_text_are_no_error() -> None:
    """OUT-11."""
    assert not read_expression([(b"adpc", bytes(range(256)))], POLICY)


def test_a_new_signal_is_read_beside_the_others() -> None:
    """REG-11."""
    expression = read_expression([(b"eu-consent", b"statistics"), (b"adpc", b"object=direct-marketing")], POLICY, BOTH)
    assert expression.signals == ("adpc", "eu")
    assert expression.consents == {Category.STATISTICAL}
    assert expression.objections == {Category.ADVERTISING}


@pytest.mark.parametrize(
    "headers",
    [
        [(b"eu-consent", b"statistics"), WITHDRAW_ALL],
        [WITHDRAW_ALL, (b"eu-consent", b"statistics")],
        [(b"eu-consent", b"none"), (b"adpc", b"consent=statistical.1")],
    ],
)
def test_two_signals_that_contradict_each_other_give_no_consent(headers: list[tuple[bytes, bytes]]) -> None:
    """REG-11: what is contradictory is not unambiguous (GDPR Art. 4(11))."""
    expression = read_expression(headers, POLICY, BOTH)
    assert expression.consents == frozenset()
    assert expression.withdrawals == EVERYTHING
