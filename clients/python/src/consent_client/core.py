"""What both clients share: the requests, their answers and the caches, as flows that a transport drives."""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from consent_client import decisions
from consent_client.answers import UNAVAILABLE, Answer, Decisions
from consent_client.caches import Document, Recent, refresh
from consent_client.calls import Call, Reply
from consent_client.decisions import Question
from consent_client.errors import ConsentError
from consent_client.exchange import Breaker, Flow, exchange
from consent_client.local import LocalDecisions, exempt_answer
from consent_client.signals import Signals
from consent_client.tokens import Keys, parse_jwks, parse_token, verify_state
from consent_client.trackers import TrackerTable, parse_table

_UNHURRIED = 3
"""How many times the limit of a decision a call may take that no page waits for."""

_COMPLAINT_EVERY = 60.0

_log = logging.getLogger("consent_client")

MemoryKey = tuple[str, Signals, str | None]
"""A state, the signals and the region of a request."""

StateKey = tuple[str | None, Signals]


class Core:
    """The state and the flows of a client; `clock` counts seconds, `wall` tells the time of day."""

    def __init__(
        self,
        key: str,
        *,
        timeout: float,
        site: str | None = None,
        issuer: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.timeout, self.site, self.issuer, self.clock, self.wall = timeout, site, issuer, clock, wall
        self._credential = {"authorization": f"Bearer {key}"}
        self.breaker = Breaker(clock=clock)
        self.table: Document[TrackerTable] = Document("/v1/trackers", parse_table, fresh=300)
        self.keys: Document[Keys] = Document("/.well-known/jwks.json", parse_jwks, fresh=900)
        self.states: Recent[StateKey, LocalDecisions] = Recent(20_000)
        self.answered: Recent[MemoryKey, tuple[float, Decisions]] = Recent(5_000)
        """The service's answers about a state (or about anybody without an id), and until when they may be used."""
        self._complained = float("-inf")

    # Decisions: never raise ConsentError.

    def decide(self, question: Question) -> Flow[Decisions]:
        """Ask about one visitor, in one call; whatever goes wrong denies all but what is surely exempt."""
        parts = list(question.parts())
        if not question.askable:
            found = [decisions.denied(part) for part in parts]
        elif len(parts) == 1:
            found = [(yield from self._decide_one(question))]
        else:
            found = yield from self._decide_batch([part for part in parts if part.askable], self.timeout)
        answers = dict.fromkeys(question.names, UNAVAILABLE)
        for some, _ in found:
            answers |= some
        return self._decisions(answers, degraded=any(away for _, away in found))

    def decide_many(self, requests: Iterable[Mapping[str, object]]) -> Flow[list[Decisions]]:
        """Ask about many visitors, in as few calls as the service's limits permit; answers in the order given."""
        questions = [decisions.ask_mapping(request) for request in requests]
        parts = [(index, part) for index, question in enumerate(questions) for part in question.parts()]
        found: list[tuple[dict[str, Answer], bool]] = [({}, False) for _ in questions]
        askable = [(index, part) for index, part in parts if part.askable]
        answered = iter([index for index, _ in askable])
        for batch in decisions.batches(part for _, part in askable):
            for some, away in (yield from self._decide_batch(batch, self.timeout * _UNHURRIED)):
                index = next(answered)
                found[index] = (found[index][0] | some, found[index][1] or away)
        for index, part in parts:
            if not part.askable:
                found[index] = decisions.denied(part)
        return [self._decisions(answers, degraded=degraded) for answers, degraded in found]

    def _decide_one(self, part: Question) -> Flow[decisions.Answers]:
        reply = yield from self._decision_reply(decisions.single_call(part, self._credential, self.timeout))
        try:
            return decisions.read_single(reply, part) if reply is not None else decisions.denied(part)
        except ConsentError as error:
            self._complain(error)
            return decisions.denied(part)

    def _decide_batch(self, batch: list[Question], time_limit: float) -> Flow[list[decisions.Answers]]:
        call = decisions.batch_call(batch, self._credential, time_limit)
        reply = yield from self._decision_reply(call)
        try:
            return decisions.read_batch(reply, batch) if reply is not None else [decisions.denied(q) for q in batch]
        except ConsentError as error:
            self._complain(error)
            return [decisions.denied(question) for question in batch]

    def _decision_reply(self, call: Call) -> Flow[Reply | None]:
        if self.breaker.refuses():
            return None
        try:
            reply = yield from self._exchange(call, call.timeout)
            if reply.status >= 500:  # noqa: PLR2004
                raise reply.error()
        except ConsentError as error:
            self.breaker.failed()
            self._complain(error)
            return None
        self.breaker.succeeded()
        return reply

    def _complain(self, error: ConsentError) -> None:
        """Log why decisions are denied, once a minute: a wrong key must not look like careful visitors."""
        if self.clock() - self._complained >= _COMPLAINT_EVERY:
            self._complained = self.clock()
            _log.warning("consent decisions are denied: %s", error)

    def _decisions(self, answers: Mapping[str, Answer], *, degraded: bool) -> Decisions:
        """Let pass, where the service was away, what the last fetched table exempts for everybody everywhere."""
        table = self.table.value
        rescued = {
            name: exempt_answer(table, name) or answer if answer.reason == "unavailable" else answer
            for name, answer in answers.items()
        }
        return Decisions(rescued, degraded=degraded)

    # Local decisions.

    def remembered(self, cookie: str | None, signals: Signals) -> LocalDecisions | None:
        """Give the decisions of a cookie that was verified before, by its exact value, while table and token hold."""
        known = self.states.peek((cookie, signals))
        if known is None or known.table is not self.table.value or self.wall() >= known.expires_at:
            return None
        return None if self.table.due(self.clock()) else known

    def local(self, cookie: str | None, signals: Signals) -> Flow[LocalDecisions]:
        """Decide by a `consent_state` cookie: verify it, and remember it."""
        table = yield from self.current_table()
        token = parse_token(cookie)
        state = None
        if token is not None:
            keys = yield from self._keys_for(token.key_id)
            site = self.site if self.site is not None else table.site if table is not None else None
            if keys is not None and site is not None:
                state = verify_state(token, keys, site=site, issuer=self.issuer, now=self.wall())
        if state is not None and table is not None and table.policy_version != state.policy_version:
            table = yield from self.current_table(outdated=True)
        local = LocalDecisions(state, signals, table, self.wall)
        if state is not None and cookie is not None:
            self.states.put((cookie, signals), local)
        return local

    def current_table(self, *, outdated: bool = False) -> Flow[TrackerTable | None]:
        """Give the tracker table, fetched or revalidated where that is due."""
        return refresh(self.table, self.clock, timeout=self.timeout, headers=self._credential, outdated=outdated)

    def _keys_for(self, kid: str) -> Flow[Keys | None]:
        keys = yield from refresh(self.keys, self.clock, timeout=self.timeout, headers={})
        if keys is not None and kid not in keys:
            keys = yield from refresh(self.keys, self.clock, timeout=self.timeout, headers={}, outdated=True)
        return keys

    # Everything else: raises ConsentError.

    def request(self, method: str, path: str, body: object = None, **params: str) -> Flow[dict[str, object]]:
        """Make a call about something other than a decision; a write carries a key that makes repeating it safe."""
        headers = dict(self._credential)
        if method != "GET":
            headers["idempotency-key"] = str(uuid.uuid4())
        call = Call(method, path, body, params=params, headers=headers, timeout=self.timeout)
        reply = yield from self._exchange(call, self.timeout * _UNHURRIED)
        return reply.success()

    def _exchange(self, call: Call, budget: float) -> Flow[Reply]:
        return exchange(call, budget=budget, clock=self.clock, wall=self.wall)


def visitor_path(visitor_id: str, rest: str) -> str:
    """Give the path of something that belongs to a visitor; raises ValueError for an empty id."""
    if not visitor_id:
        raise ValueError("a visitor id is needed")
    return f"/v1/visitors/{quote(visitor_id, safe='')}/{rest}"
