"""Time budget, retries and the pause after failures."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from consent_client.calls import Call, Reply
from consent_client.errors import Problem, ServiceUnavailable, Unavailable
from consent_client.exchange import Breaker, Flow, Pause, exchange

Result = TypeVar("Result")
Step = Reply | Unavailable


@dataclass
class Clock:
    """Seconds that pass only when told to."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        """Give the time."""
        return self.seconds


@dataclass
class Script:
    """Drives a flow with answers written beforehand, each of which takes some time."""

    steps: Iterable[Step]
    clock: Clock = field(default_factory=Clock)
    takes: float = 0.01
    calls: list[Call] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def run(self, flow: Flow[Result]) -> Result:
        """Drive a flow to its end; raises what it raises."""
        steps = iter(self.steps)
        given: Reply | Unavailable | None = None
        try:
            while True:
                wanted = flow.throw(given) if isinstance(given, Unavailable) else flow.send(given)
                given = self._answer(wanted, steps)
        except StopIteration as done:
            result: Result = done.value
            return result

    def _answer(self, wanted: Call | Pause, steps: Iterator[Step]) -> Reply | Unavailable | None:
        if isinstance(wanted, Pause):
            self.pauses.append(wanted.seconds)
            self.clock.seconds += wanted.seconds
            return None
        self.calls.append(wanted)
        self.clock.seconds += min(self.takes, wanted.timeout)
        return next(steps)


OK = Reply(200, {}, b"{}")
AWAY = Unavailable("reset")


def flow(script: Script, budget: float = 0.9) -> Flow[Reply]:
    """Make the flow of one call."""
    return exchange(Call("GET", "/"), budget=budget, clock=script.clock, wall=script.clock)


def busy(after: str | None, status: int = 503) -> Reply:
    """Make a refusal."""
    return Reply(status, {} if after is None else {"retry-after": after}, b'{"code": "busy", "detail": "later"}')


def test_a_first_answer_is_the_answer() -> None:
    script = Script([OK])
    assert script.run(flow(script)) is OK
    assert len(script.calls) == 1


def test_a_reset_is_tried_again() -> None:
    script = Script([AWAY, OK])
    assert script.run(flow(script)) is OK
    assert script.pauses == [0.02]


def test_three_attempts_are_the_most() -> None:
    script = Script([AWAY, AWAY, AWAY, OK])
    with pytest.raises(Unavailable):
        script.run(flow(script))
    assert len(script.calls) == 3


def test_an_attempt_that_used_up_the_time_is_the_last() -> None:
    script = Script([AWAY, OK], takes=5)
    with pytest.raises(Unavailable):
        script.run(flow(script, budget=0.3))
    assert [call.timeout for call in script.calls] == pytest.approx([0.3])


def test_the_attempts_together_stay_within_the_budget() -> None:
    script = Script([AWAY, AWAY, AWAY], takes=0.2)
    with pytest.raises(Unavailable):
        script.run(flow(script, budget=0.5))
    assert script.clock.seconds - 1000 <= 0.5


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_where_it_fits(status: int) -> None:
    script = Script([busy("1", status), OK])
    assert script.run(flow(script, budget=2)) is OK
    assert script.pauses == [1.0]


def test_retry_after_may_be_a_date() -> None:
    script = Script([busy("Thu, 01 Jan 1970 00:16:42 GMT"), OK])
    assert script.run(flow(script, budget=5)) is OK
    assert script.pauses == [pytest.approx(2, abs=0.1)]


@pytest.mark.parametrize("after", ["60", "Fri, 31 Dec 9999 23:59:59 GMT", "9" * 5000])
def test_retry_after_that_does_not_fit_gives_the_refusal_back(after: str) -> None:
    script = Script([busy(after), OK])
    assert script.run(flow(script)).status == 503
    assert script.pauses == []


@pytest.mark.parametrize("after", [None, "soon", "-1", "", "Thu, 99 Jan 1970", "²"])
def test_a_retry_after_that_says_nothing_means_a_short_wait(after: str | None) -> None:
    script = Script([busy(after), OK])
    assert script.run(flow(script)) is OK
    assert script.pauses == [0.02]


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500])
def test_other_refusals_are_not_tried_again(status: int) -> None:
    script = Script([Reply(status, {}), OK])
    assert script.run(flow(script)).status == status
    assert len(script.calls) == 1


def test_a_problem_says_status_code_and_detail() -> None:
    error = Reply(422, {}, b'{"code": "unfit", "detail": "no", "errors": [1]}').error()
    assert isinstance(error, Problem)
    assert (error.status, error.code, error.detail, error.members["errors"]) == (422, "unfit", "no", [1])
    assert not isinstance(error, Unavailable)


def test_a_problem_that_says_later_is_both_kinds_of_error() -> None:
    error = busy(None).error()
    assert isinstance(error, ServiceUnavailable)
    assert isinstance(error, Unavailable)
    assert isinstance(error, Problem)


def test_an_error_page_of_a_proxy_is_unavailable() -> None:
    assert isinstance(Reply(502, {}, b"<html>").error(), Unavailable)


def test_after_five_failures_decisions_rest_for_a_second() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(4):
        breaker.failed()
    assert not breaker.refuses()
    breaker.failed()
    assert breaker.refuses()
    clock.seconds += 1
    assert not breaker.refuses()
    assert breaker.refuses()


def test_one_success_ends_the_rest() -> None:
    breaker = Breaker(clock=Clock())
    for _ in range(9):
        breaker.failed()
    breaker.succeeded()
    assert not breaker.refuses()
