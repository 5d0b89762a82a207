"""Asking for decisions: the bodies of `POST /v1/decisions`, and its answers read so that garbage denies."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from consent_client.answers import UNAVAILABLE, Answer
from consent_client.calls import Call, Reply
from consent_client.signals import parse_dnt, parse_gpc
from consent_client.tokens import valid_visitor_id
from consent_client.vocabulary import ALLOWING_REASONS, CATEGORIES, DENYING_REASONS, NOBODY

MOST_NAMES = 200
"""Names that the service takes for one visitor in one call."""

_LONGEST_NAME = 255
_MOST_VISITORS = 1000
_MOST_BYTES = 900_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one visitor."""

    visitor_id: str
    names: tuple[str, ...]
    region: str | None = None
    dnt: str | None = None
    gpc: bool = False

    @property
    def askable(self) -> bool:
        """Tell whether the service would take it; what it would refuse is denied without asking."""
        return valid_visitor_id(self.visitor_id) and any(map(_askable, self.names))

    def body(self) -> dict[str, object]:
        """Give the request body for one visitor."""
        body: dict[str, object] = {"visitor_id": self.visitor_id, "dnt": self.dnt, "gpc": self.gpc}
        if self.region is not None:
            body["region"] = self.region
        # One name that the service refuses would cost the answers about all the others.
        body["trackers"] = [name for name in self.names if name not in CATEGORIES and _askable(name)]
        body["categories"] = [name for name in self.names if name in CATEGORIES]
        return body

    def parts(self) -> Iterator["Question"]:
        """Split a question with more names than one call takes."""
        for start in range(0, len(self.names), MOST_NAMES):
            names = self.names[start : start + MOST_NAMES]
            yield Question(self.visitor_id, names, self.region, self.dnt, self.gpc)


def _askable(name: str) -> bool:
    return 0 < len(name) <= _LONGEST_NAME and name.isprintable()


def ask(
    visitor_id: str | None,
    names: str | Iterable[str],
    region: str | None = None,
    dnt: str | None = None,
    gpc: object = None,
) -> Question:
    """Make a question; `dnt` and `gpc` may be the header's own text. Without a visitor id it asks as a new visitor."""
    unique = dict.fromkeys([names] if isinstance(names, str) else names)
    return Question(
        visitor_id=NOBODY if visitor_id is None else visitor_id,
        names=tuple(unique),
        region=region,
        dnt=parse_dnt([dnt]) if isinstance(dnt, str) else None,
        gpc=parse_gpc([gpc]) if isinstance(gpc, str) else gpc is True,
    )


def ask_mapping(request: Mapping[str, object]) -> Question:
    """Make a question of one entry of a batch: the contract's members, or `names` for trackers and categories alike."""
    names: list[str] = []
    for member in ("names", "trackers", "categories"):
        value = request.get(member) or ()
        names += [value] if isinstance(value, str) else [n for n in value if isinstance(n, str)]  # type: ignore[attr-defined]
    visitor_id, region, dnt = (request.get(member) for member in ("visitor_id", "region", "dnt"))
    return ask(
        visitor_id if visitor_id is None or isinstance(visitor_id, str) else "",
        names,
        region if isinstance(region, str) else None,
        dnt if isinstance(dnt, str) else None,
        request.get("gpc"),
    )


def single_call(question: Question, headers: dict[str, str], timeout: float) -> Call:
    """Make the request about one visitor."""
    return Call("POST", "/v1/decisions", question.body(), headers=headers, timeout=timeout)


def batch_call(questions: Sequence[Question], headers: dict[str, str], timeout: float) -> Call:
    """Make the request about many visitors."""
    body = {"requests": [question.body() for question in questions]}
    return Call("POST", "/v1/decisions", body, headers=headers, timeout=timeout)


def batches(questions: Iterable[Question]) -> Iterator[list[Question]]:
    """Split many questions into what the service takes at once: 1,000 visitors, 1 MiB."""
    batch: list[Question] = []
    size = 0
    for question in questions:
        length = len(json.dumps(question.body())) + 1
        if batch and (len(batch) == _MOST_VISITORS or size + length > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(question)
        size += length
    if batch:
        yield batch


Answers = tuple[dict[str, Answer], bool]
"""The answers by name, and whether the service was degraded."""


def read_single(reply: Reply, question: Question) -> Answers:
    """Read the answer about one visitor; raises ConsentError where it is none."""
    return _read(reply.success(), question)


def read_batch(reply: Reply, questions: Sequence[Question]) -> list[Answers]:
    """Read the answers about many, each by its own place and visitor; what is missing is denied."""
    document = reply.success()
    results = document.get("results")
    rows = results if isinstance(results, list) else []
    answers: list[Answers] = []
    for index, question in enumerate(questions):
        row = rows[index] if index < len(rows) else None
        if isinstance(row, dict) and row.get("visitor_id") == question.visitor_id:
            answers.append(_read({"degraded": document.get("degraded"), **row}, question))
        else:
            answers.append(denied(question))
    return answers


def denied(question: Question) -> Answers:
    """Deny everything that was asked."""
    return dict.fromkeys(question.names, UNAVAILABLE), True


def _read(document: Mapping[str, object], question: Question) -> Answers:
    rows = document.get("decisions")
    if not isinstance(rows, list):
        return denied(question)
    degraded = document.get("degraded") is True
    found: dict[str, Answer] = {}
    for row in rows:
        name, answer = _read_row(row)
        if name is not None:
            # Should a name come twice, both must allow.
            earlier = found.get(name)
            found[name] = earlier if earlier is not None and not earlier.allow else answer
    if degraded:
        found = {name: a if a.reason == "exempt" or not a.allow else UNAVAILABLE for name, a in found.items()}
    answers = {name: found.get(name, UNAVAILABLE) for name in question.names}
    missing = any(answer.reason == "unavailable" for name, answer in answers.items() if _askable(name))
    return answers, degraded or missing


def _read_row(row: object) -> tuple[str | None, Answer]:
    if not isinstance(row, dict):
        return None, UNAVAILABLE
    # A tracker's answer names its category as well, and it is the tracker that was asked about.
    name = row.get("tracker", row.get("category"))
    if not isinstance(name, str) or ("tracker" not in row) is not (name in CATEGORIES):
        return None, UNAVAILABLE
    allow, reason = row.get("allow"), row.get("reason")
    if not isinstance(allow, bool) or not isinstance(reason, str):
        return name, UNAVAILABLE
    # Both members must say so, and in words of the contract: half an answer is no permission.
    if allow is not (reason in ALLOWING_REASONS) or not (allow or reason in DENYING_REASONS):
        return name, UNAVAILABLE
    max_age = row.get("max_age")
    if isinstance(max_age, bool) or not isinstance(max_age, int) or max_age < 0:
        max_age = None
    return name, Answer(allow, reason, max_age)
