"""What an automated signal says about the categories, and the interface of whatever reads one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consent_service.domain.policy import Policy
from consent_service.domain.vocabulary import Category

NO_CATEGORIES: frozenset[Category] = frozenset()


@dataclass(frozen=True, slots=True)
class Expression:
    """What the visitor's automated means expressed in one request; no category is both consented and withdrawn."""

    signals: tuple[str, ...] = ()
    """The names of the adapters that something was heard by."""
    consents: frozenset[Category] = NO_CATEGORIES
    withdrawals: frozenset[Category] = NO_CATEGORIES
    objections: frozenset[Category] = NO_CATEGORIES

    def __bool__(self) -> bool:
        """Tell whether anything was expressed at all."""
        return bool(self.consents or self.withdrawals or self.objections)

    @property
    def protective(self) -> "Expression":
        """Give the part that takes something away: all that counts where the caller may not record a grant."""
        return Expression(self.signals, NO_CATEGORIES, self.withdrawals, self.objections)

    @property
    def denies(self) -> frozenset[Category]:
        """Give the categories that may not run for one whose expression cannot be recorded."""
        return self.withdrawals | self.objections

    def joined(self, other: "Expression") -> "Expression":
        """Join two expressions of one request; where they contradict each other there is no consent."""
        withdrawals = self.withdrawals | other.withdrawals
        objections = self.objections | other.objections
        return Expression(
            signals=self.signals + other.signals,
            consents=(self.consents | other.consents) - withdrawals - objections,
            withdrawals=withdrawals,
            objections=objections,
        )


NOTHING_EXPRESSED = Expression()


class SignalAdapter(Protocol):
    """One signal: the request header it is read from, and what a site publishes so that browsers may send it."""

    @property
    def name(self) -> str:
        """The signal's name in addresses and in the evidence log."""

    @property
    def header(self) -> bytes:
        """The request header's name in lower case, as ASGI gives it."""

    def read(self, fields: Sequence[str], policy: Policy) -> Expression:
        """Read all fields of the header in the order received; malformed text says nothing and is never an error."""

    def link(self, resource: str) -> str | None:
        """Give the value of the `Link` header that announces the document at this address; None where there is none."""

    def document(self, policy: Policy, language: str) -> Mapping[str, object] | None:
        """Give the JSON document that browsers read, its texts in the language or the policy's own; or None."""
