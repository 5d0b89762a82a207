"""The visitors of the fake authority, and what is decided about them."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from consent_client.answers import UNREGISTERED, Answer, allowed
from consent_client.signals import Signals
from consent_client.testing.facts import ChoiceWord, Facts
from consent_client.testing.reasons import Reasons
from consent_client.trackers import Tracker, TrackerTable
from consent_client.vocabulary import CATEGORIES, TRACKING_CATEGORIES

_DNT_FACTS: dict[str, Literal["respect", "strict"]] = {"respect": "respect", "strict": "strict"}
_CHILD_PROTECTED = frozenset({"advertising", "social_media", "personalization"})


@dataclass
class FakeVisitor:
    """One visitor of a test: set what the test is about."""

    visitor_id: str
    choices: dict[str, ChoiceWord] = field(default_factory=dict)
    email: dict[str, ChoiceWord] = field(default_factory=dict)
    """Choices about e-mail tracking, made apart from the web's."""
    dnt: str | None = None
    gpc: bool = False
    opted_out: bool = False
    child: bool = False
    restricted: bool = False
    objections: set[str] = field(default_factory=set)
    separate: set[str] = field(default_factory=set)
    account_ref: str | None = None
    revision: int = 0
    expires_at: float = field(default_factory=lambda: time.time() + 180 * 86_400)
    """When the choices lapse, as a time of day in seconds."""

    def grant(self, *categories: str) -> None:
        """Grant categories; all eight where none is named."""
        self.choose(dict.fromkeys(categories or CATEGORIES, True))

    def refuse(self, *categories: str, channel: str = "web") -> None:
        """Refuse categories, or withdraw what was granted; all that can be where none is named."""
        refusable = [category for category in CATEGORIES if category != "strictly_necessary"]
        self.choose(dict.fromkeys(categories or refusable, False), channel)

    def withdraw(self) -> None:
        """Withdraw everything on both channels, as one change."""
        revision = self.revision + 1
        self.refuse()
        self.refuse(channel="email")
        self.revision = revision

    def choose(self, choices: Mapping[str, bool], channel: str = "web") -> None:
        """Make one choice about several categories, of the web or of mails."""
        known = self.email if channel == "email" else self.choices
        for category, granted in choices.items():
            before = known.get(category) in {"granted", "withdrawn", "expired", "policy_changed"}
            known[category] = "granted" if granted else "withdrawn" if before else "denied"
        self.revision += 1


@dataclass(frozen=True)
class Judgement:
    """A visitor, a request's signals and region, and the site's rules: everything an answer depends on."""

    visitor: FakeVisitor
    signals: Signals
    region: str | None
    regime: str
    gpc_effective: bool
    needs: dict[str, dict[str, list[str]]]
    """By category and region what must be agreed apart."""
    table: TrackerTable
    reasons: Reasons

    def category(self, name: str) -> Answer:
        """Decide for a category."""
        sells = name in self.table.selling_categories
        needs = self._needs(name)
        if not any(t.cross_border for found in self.table.entries.values() for t in found if t.category == name):
            needs.discard("cross_border")
        return allowed(self._judge(name, self.visitor.choices, name == "strictly_necessary", sells, needs))

    def tracker(self, name: str) -> Answer:
        """Decide for a tracker."""
        answers = [self._entry(entry) for entry in self.table.find(name)]
        if not answers:
            return UNREGISTERED
        ages = [a.max_age for a in answers if a.max_age is not None]
        denied = next((a for a in answers if not a.allow), None)
        return denied or allowed(answers[0].reason, min(ages, default=None))

    def _entry(self, tracker: Tracker) -> Answer:
        exempt = tracker.surely_exempt or self._exempt_here(tracker)
        choices = self.visitor.email if tracker.kind == "email_pixel" else self.visitor.choices
        needs = self._needs(tracker.category)
        if not tracker.cross_border:
            needs.discard("cross_border")
        reason = self._judge(tracker.category, choices, exempt, tracker.sells_or_shares, needs)
        left = math.inf if reason != "granted" else max(0, int(self.visitor.expires_at - time.time()))
        return allowed(reason, None if tracker.lifetime is None else int(min(tracker.lifetime, left)))

    def _exempt_here(self, tracker: Tracker) -> bool:
        if "*" not in tracker.exempt_regions and self.region not in tracker.exempt_regions:
            return False
        if tracker.exempt_basis == "social_share_member":
            return self.visitor.account_ref is not None
        objectable = tracker.exempt_basis in {"audience_measurement", "ui_customisation"}
        return not (objectable and tracker.category in self.visitor.objections)

    def _judge(self, category: str, choices: dict[str, ChoiceWord], exempt: bool, shares: bool, needs: set[str]) -> str:
        visitor = self.visitor
        dnt = self.signals.dnt if self.signals.dnt is not None else visitor.dnt
        mode = self.table.dnt_mode if dnt == "1" and category in TRACKING_CATEGORIES else "record"
        facts = Facts(
            exempt=exempt,
            restricted=visitor.restricted,
            child=visitor.child and category in _CHILD_PROTECTED,
            objected=category in visitor.objections,
            shares=shares,
            gpc=self.gpc_effective,
            opted_out=visitor.opted_out,
            choice=choices.get(category, "none"),
            dnt=_DNT_FACTS.get(mode, "off"),
            open_regime=self.regime != "opt_in",
            separate_missing=bool(needs - visitor.separate),
        )
        return self.reasons(facts)

    def _needs(self, category: str) -> set[str]:
        return set(self.needs.get(category, {}).get(self.region or "", []))
