"""What a request's handlers see as `request.consent`: answers, tags and the cache key of this visitor."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from consent_client import html
from consent_client.answers import UNAVAILABLE, UNREGISTERED, Answer, Decisions
from consent_client.local import LocalDecisions
from consent_client.signals import NO_SIGNALS, Signals
from consent_client.tokens import visitor_in_cookie
from consent_client.trackers import TrackerTable
from consent_client.vocabulary import CATEGORIES, STATE_COOKIE, VISITOR_COOKIE


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request shows of its visitor."""

    cookies: Mapping[str, str] = field(default_factory=dict)
    signals: Signals = NO_SIGNALS
    region: str | None = None
    """As a trusted proxy tells it."""
    host: str | None = None
    vector: str | None = None
    """The value of the request's `Consent-Vector` field, which a cache in front may have put there."""

    @property
    def state_cookie(self) -> str | None:
        """The signed state."""
        return self.cookies.get(STATE_COOKIE)

    @property
    def visitor_cookie(self) -> str | None:
        """The id of the visitor, as the browser tells it."""
        return visitor_in_cookie(self.cookies.get(VISITOR_COOKIE))


class Consent:
    """The consent of one request's visitor. Every question has an answer; in doubt it is no."""

    def __init__(self, visit: Visit, local: LocalDecisions, table: TrackerTable | None) -> None:
        self.visit = visit
        self.local = local
        self.table = table
        self.asked: Decisions | None = None
        """The service's answers, where it was asked; they count before the local ones."""
        self.away = False
        """True where the service was asked and gave no answer."""
        self.consulted = False
        """True once a handler asked: the page depends on the visitor's consent."""

    @property
    def visitor_id(self) -> str | None:
        """The visitor's id; None before a first choice."""
        return self.local.visitor_id or self.visit.visitor_cookie

    def allows(self, name: str) -> bool:
        """Tell whether a tracker or category may run."""
        return self[name].allow

    def __getitem__(self, name: str) -> Answer:
        self.consulted = True
        return self.answer(name)

    @property
    def vector(self) -> str:
        """Eight characters, `1` where a category is allowed in this request: a key for full-page caches."""
        self.consulted = True
        return self.current_vector()

    def script(self, name: str, src: str, *, nonce: str | None = None, **attributes: html.Attribute) -> html.Markup:
        """Write a script tag where the tracker is allowed, else nothing."""
        return html.script_tag(src, nonce, attributes) if self.allows(name) else html.NOTHING

    def pixel(self, name: str, src: str, **attributes: html.Attribute) -> html.Markup:
        """Write an image tag of one pixel where the tracker is allowed, else nothing."""
        return html.pixel_tag(src, attributes) if self.allows(name) else html.NOTHING

    # For the middleware: the same answers, without counting as a question of the page.

    def answer(self, name: str) -> Answer:
        """Give the answer about a name."""
        if self.asked is None:
            return self.local[name]
        if name in self.asked or name in CATEGORIES:
            return self.asked[name]
        if self.table is None:
            return UNAVAILABLE
        registered = self.table.registered_name(name)
        return UNREGISTERED if registered is None else self.asked[registered]

    def current_vector(self) -> str:
        """Give the vector."""
        return "".join("1" if self.answer(category).allow else "0" for category in CATEGORIES)
