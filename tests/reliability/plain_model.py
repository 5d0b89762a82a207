"""The rules of consent once more, as plainly as they can be said: dictionaries, and one function for each call.

Written from the contract (§4, §5, "The order of the rules") and not from the code, to be compared with it. The policy
it knows is `POLICY` below: two regions, one regime each, account-wide choices, one separate consent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support.builders import document

CATEGORIES = (
    "technical", "personalization", "advertising", "statistical", "social_media", "strictly_necessary",
    "analytical_performance", "functionality",
)  # fmt: skip
ALWAYS = "strictly_necessary"
SHARES = {"advertising", "social_media"}
TRACKS = {"advertising", "social_media", "statistical", "analytical_performance"}
NOT_FOR_CHILDREN = {"advertising", "social_media", "personalization"}
YOUNGEST = {"child": 0, "under_13": 0, "13_15": 13, "16_17": 16, "adult": 18}
LIFE = timedelta(days=30)

POLICY: dict[str, Any] = document(
    lifetimes={"default": "P30D"},
    regimes=[{"regions": ["FR"], "regime": "opt_in"}, {"regions": ["US-TX"], "regime": "opt_out"}],
    age_of_consent={"default": 16, "FR": 15},
    separate_consent=[{"regions": ["FR"], "categories": ["social_media"], "needs": ["third_party_sharing"]}],
    cross_device=True,
)


@dataclass
class Said:
    """What was said about one category."""

    granted: bool
    decided_at: datetime
    once_granted: bool


Answers = dict[str, Said]


@dataclass
class Account:
    """A customer."""

    gpc: bool = False
    opted_out: bool = False
    answers: Answers = field(default_factory=dict)


@dataclass
class Visitor:
    """A visitor."""

    revision: int = 0
    answers: Answers = field(default_factory=dict)
    dnt: str | None = None
    gpc: bool = False
    opted_out: bool = False
    band: str = "unknown"
    restricted: bool = False
    objections: frozenset[str] = frozenset()
    separate: bool = False
    account: str | None = None


class Refused(Exception):
    """The call has no effect; the status that says so."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Model:
    """All visitors and accounts, and the number of events."""

    visitors: dict[str, Visitor] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    events: int = 0

    def submit(
        self, who: str, yes: Iterable[str], now: datetime, dnt: str | None, *, gpc: bool, separate: bool | None = None,
        imported: datetime | None = None,
    ) -> None:  # fmt: skip
        """Record an answer; `imported` is when one from elsewhere was given."""
        v = self.visitors[who]
        before = self._answers(v)
        when = imported or now
        if imported and any(when < said.decided_at for said in before.values()):
            raise Refused(409)
        granted = {ALWAYS, *yes}
        if imported:
            granted = {c for c in granted if c == ALWAYS or not self._withdrawn(before.get(c))}
        self._say(v, granted, when)
        if granted == {ALWAYS}:
            v.separate = False
        elif separate is not None:
            v.separate = separate
        lifted = bool(granted & SHARES) and not gpc and not imported
        self._signal(v, dnt, gpc=gpc, lifted=lifted)
        self._event(v)

    def dismiss(self, who: str, dnt: str | None, *, gpc: bool) -> None:
        """Close the banner."""
        self._signal(self.visitors[who], dnt, gpc=gpc)
        self._event(self.visitors[who])

    def withdraw(self, who: str, now: datetime) -> None:
        """Withdraw everything."""
        v = self.visitors[who]
        self._say(v, {ALWAYS}, now)
        v.separate = False
        self._event(v)

    def observe(self, who: str, dnt: str | None, *, gpc: bool) -> None:
        """See a request's signals; those of a stranger are not kept."""
        v = self.visitors.get(who)
        if v is None:
            return
        account = self.accounts[v.account] if v.account else None
        news = gpc and (not v.gpc or (account is not None and not account.gpc))
        if news or (dnt is not None and dnt != v.dnt):
            self._signal(v, dnt, gpc=gpc)
            self._event(v)

    def log_in(self, who: str, name: str) -> None:
        """Join a visitor with an account: what either refused is refused."""
        v = self.visitors[who]
        if v.account == name:
            return
        account = self.accounts.setdefault(name, Account())
        account.gpc |= v.gpc
        account.opted_out |= v.opted_out
        account.answers = _joined(v.answers, account.answers)
        v.account = name
        self._event(v)

    def log_out(self, who: str) -> None:
        """Part them; the browser's own answers count again."""
        v = self.visitors[who]
        if v.account is not None:
            v.account = None
            self._event(v)

    def opt_out(self, who: str) -> None:
        """Opt out of sale and sharing."""
        v = self.visitors[who]
        account = self.accounts[v.account] if v.account else None
        if v.opted_out and (account is None or account.opted_out):
            return
        v.opted_out = True
        if account is not None:
            account.opted_out = True
        self._event(v)

    def opt_in(self, who: str) -> None:
        """Opt in again, which lifts a stored signal too."""
        v = self.visitors[who]
        account = self.accounts[v.account] if v.account else Account()
        if not (v.opted_out or v.gpc or account.opted_out or account.gpc):
            return
        v.opted_out = v.gpc = account.opted_out = account.gpc = False
        self._event(v)

    def set_fact(self, who: str, name: str, value: object) -> None:
        """Set the age band, the restriction or the objections; the same again is nothing new."""
        v = self.visitors[who]
        if getattr(v, name) != value:
            setattr(v, name, value)
            self._event(v)

    def erase(self, who: str) -> None:
        """Forget a visitor, and the account that nobody else is logged in to."""
        account = self.visitors.pop(who).account
        if account is not None and account not in {v.account for v in self.visitors.values()}:
            del self.accounts[account]
        self.events += 1

    def decide(
        self, who: str, region: str | None, now: datetime, dnt: str | None = None, *, gpc: bool = False
    ) -> dict[str, str]:
        """Give the reason for each category: the first rule that applies."""
        v = self.visitors.get(who, Visitor())
        return {category: self._reason(v, category, region, now, dnt or v.dnt, gpc=gpc) for category in CATEGORIES}

    def _reason(
        self, v: Visitor, category: str, region: str | None, now: datetime, dnt: str | None, *, gpc: bool
    ) -> str:
        account = self.accounts[v.account] if v.account else Account()
        age = YOUNGEST.get(v.band)
        shares = category in SHARES
        if category == ALWAYS:
            return "exempt"
        if v.restricted:
            return "restricted"
        if age is not None and age < (15 if region == "FR" else 16) and category in NOT_FOR_CHILDREN:
            return "child"
        if category in v.objections:
            return "objected"
        if shares and (gpc or v.gpc or account.gpc):
            return "gpc"
        if shares and (v.opted_out or account.opted_out):
            return "opted_out"
        return self._reason_of_answer(v, category, region, now, dnt, minor=age is not None and age < 16)

    def _reason_of_answer(
        self, v: Visitor, category: str, region: str | None, now: datetime, dnt: str | None, *, minor: bool
    ) -> str:
        said = self._answers(v).get(category)
        if said is not None and not said.granted:
            return "withdrawn" if said.once_granted else "refused"
        if said is not None and now < said.decided_at + LIFE:
            bundled = region == "FR" and category == "social_media" and not v.separate
            return "separate_consent" if bundled else "granted"
        if dnt == "1" and category in TRACKS:
            return "dnt"
        if region == "US-TX" and not (category in SHARES and minor):
            return "region_default"
        return "no_record" if said is None else "expired"

    def _answers(self, v: Visitor) -> Answers:
        return self.accounts[v.account].answers if v.account else v.answers

    def _say(self, v: Visitor, granted: set[str], when: datetime) -> None:
        before = self._answers(v)
        after = {
            c: Said(c in granted, when, c in granted or (c in before and before[c].once_granted)) for c in CATEGORIES
        }
        if v.account:
            self.accounts[v.account].answers = after
        else:
            v.answers = after

    def _signal(self, v: Visitor, dnt: str | None, *, gpc: bool, lifted: bool = False) -> None:
        v.dnt = dnt or v.dnt
        v.gpc = gpc or (v.gpc and not lifted)
        if v.account:
            account = self.accounts[v.account]
            account.gpc = gpc or (account.gpc and not lifted)

    def _event(self, v: Visitor) -> None:
        v.revision += 1
        self.events += 1

    @staticmethod
    def _withdrawn(said: Said | None) -> bool:
        return said is not None and said.once_granted and not said.granted


def _joined(one: Answers, other: Answers) -> Answers:
    if not one or not other:
        return dict(one or other)
    joined = {}
    for category in CATEGORIES:
        sides = [one[category], other[category]]
        kept = min([side for side in sides if not side.granted] or sides, key=lambda side: side.decided_at)
        joined[category] = Said(kept.granted, kept.decided_at, any(side.once_granted for side in sides))
    return joined
