"""A few visitors' histories through the real transitions, varied enough that every counter of the reports moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_service.domain.record import ConsentRecord
from consent_service.domain.transitions import choices, rights, signals
from consent_service.domain.transitions.choices import Submission
from consent_service.domain.transitions.context import Context, Transition
from consent_service.domain.vocabulary import CATEGORIES, Action, Category, Channel, Dnt, Method
from consent_service.ports import Change, LogEntry, Reply, Subject
from tests.support.builders import NOW, SITE, context

Step = Callable[[ConsentRecord, Context], Transition]


def answer(action: Action, channel: Channel = Channel.WEB) -> Step:
    """Give the step of one answer."""
    return lambda record, ctx: choices.submit(record, Submission(action, channel=channel), ctx)


def custom(*granted: Category) -> Step:
    """Give the step of one answer that grants these."""
    chosen = {category: category in granted or category is Category.STRICTLY_NECESSARY for category in CATEGORIES}
    return lambda record, ctx: choices.submit(record, Submission(Action.CUSTOM, chosen), ctx)


@dataclass(frozen=True)
class Told:
    """What one visitor does at one moment."""

    visitor_id: str
    step: Step
    ctx: Context

    @property
    def change(self) -> Change:
        """Give it as a change for a store."""
        return Change(SITE, self.visitor_id, self.ctx.now, self._apply, _numbered)

    def _apply(self, subject: Subject) -> Transition:
        found = subject.record or ConsentRecord(SITE, self.visitor_id, self.ctx.now, self.ctx.now)
        return self.step(found, self.ctx)


def _numbered(transition: Transition, entries: Sequence[LogEntry]) -> Reply:
    return Reply(200, (), ",".join(str(entry.seq) for entry in entries).encode())


def _at(days: int) -> datetime:
    return NOW + timedelta(days=days)


accept, reject, dismiss = (answer(action) for action in (Action.ACCEPT_ALL, Action.REJECT_ALL, Action.DISMISS))

HISTORIES: tuple[Told, ...] = (
    Told("a", accept, context(now=_at(0))),
    Told("a", custom(Category.STATISTICAL), context(now=_at(1), method=Method.PREFERENCES)),
    Told("a", answer(Action.ACCEPT_ALL, Channel.EMAIL), context(now=_at(1))),
    Told("a", choices.withdraw, context(now=_at(2), method=Method.WITHDRAW_LINK)),
    Told("b", reject, context(now=_at(0), region="US-CA", gpc=True)),
    Told("b", reject, context(now=_at(300), region="US-CA")),
    Told("b", rights.opt_out, context(now=_at(301), region="US-CA")),
    Told("b", rights.opt_in, context(now=_at(302), region="US-CA")),
    Told("c", dismiss, context(now=_at(0), region=None, dnt=Dnt.DO_NOT_TRACK)),
    Told("c", accept, context(now=_at(1), region=None, dnt=Dnt.DO_NOT_TRACK)),
    Told("c", signals.observe, context(now=_at(1), region=None, gpc=True)),
    Told("d", accept, context(now=_at(0), method=Method.IMPORT)),
    Told("d", lambda record, ctx: rights.set_restriction(record, ctx=ctx, restricted=True), context(now=_at(0))),
    Told("e", dismiss, context(now=_at(0), region="DE")),
    Told("e", dismiss, context(now=_at(1), region="DE")),
)
"""In the order in which they happened, so that each finds what came before."""
