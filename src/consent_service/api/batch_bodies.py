"""Reads what a batch asks, each way of asking once: bodies differ in whom they ask about, hardly in what.

A body of the ordinary form is cut where one visitor's question ends and the next begins. Each piece is then read as a
whole JSON document by `strict_json` and the schema, with some visitor's id in the place of the real one, and what it
says is remembered by its text. That is as strict as reading the body at once: documents with commas between them, in
brackets, are a JSON array of just these documents, and a cut in the wrong place leaves a piece that is none. An id of
22 plain characters changes nothing about how the rest is read. Any other body is read at once.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from pydantic import TypeAdapter, ValidationError

from consent_service.api.schemas.decisions import (
    MAX_VISITORS,
    AnyDecisionRequest,
    DecisionRequest,
    DecisionRequests,
)
from consent_service.api.strict_json import strict_json
from consent_service.domain.errors import ConsentError
from consent_service.domain.regions import parse_region
from consent_service.domain.vocabulary import Category
from consent_service.service.batch_answers import Asked, Batch

_ID = 22
"""Characters of a visitor's id."""
_IDS = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 4_096
"""Characters of a piece that is remembered: some two hundred names."""
_FORMS = tuple(
    [
        (f'{{"requests":{gap}[{{"visitor_id":{gap}"', f'}},{gap}{{"visitor_id":{gap}"', f'{{"visitor_id":{gap}"')
        for gap in (" ", "")
    ]
)
"""How the writers of JSON begin a body about many, go on to the next visitor, and begin a body about one."""
_any_request: TypeAdapter[DecisionRequest | DecisionRequests] = TypeAdapter(AnyDecisionRequest)


def read_whole(body: bytes) -> DecisionRequest | DecisionRequests | None:
    """Read a body at once; None where the framework must say what is wrong with it."""
    try:
        return _any_request.validate_python(strict_json(body))
    except (ConsentError, ValidationError):
        return None


def read_asked(body: bytes) -> Batch | None:
    """Read what is asked about whom.

    None where a question shows a signal, which may have to be stored first, or where something is wrong.
    """
    batch = _cut(body)
    if batch is not None:
        return batch
    whole = read_whole(body)
    if whole is None:
        return None
    several = isinstance(whole, DecisionRequests)
    items = whole.requests if isinstance(whole, DecisionRequests) else [whole]
    return _joined([item.visitor_id for item in items], [_asked(item) for item in items], several=several)


def _cut(body: bytes) -> Batch | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    for many, following, one in _FORMS:
        if text.startswith(many) and text.endswith("}]}"):
            return _pieces(text[len(many) : -3].split(following), several=True)
        if text.startswith(one) and text.endswith("}"):
            return _pieces([text[len(one) : -1]], several=False)
    return None


def _pieces(pieces: Sequence[str], *, several: bool) -> Batch | None:
    visitors = [piece[:_ID] for piece in pieces]
    if len(pieces) > MAX_VISITORS or max(map(len, pieces)) > _LONGEST or not _IDS.fullmatch("".join(visitors)):
        return None
    return _joined(visitors, [_read_piece(piece[_ID:]) for piece in pieces], several=several)


@lru_cache(1_024)
def _read_piece(piece: str) -> Asked | None:
    """Read one visitor's question from behind the id on; None where it does not stand for itself."""
    try:
        item = DecisionRequest.model_validate(strict_json(f'{{"visitor_id":"{"A" * _ID}{piece}}}'.encode()))
    except (ConsentError, ValidationError):
        return None
    return _asked(item)


def _asked(item: DecisionRequest) -> Asked | None:
    if item.dnt is not None or item.gpc:
        return None
    where = None if item.region is None else parse_region(item.region)
    return Asked(where, tuple(item.trackers), tuple(map(Category, item.categories)))


def _joined(visitors: Sequence[str | None], asked: Sequence[Asked | None], *, several: bool) -> Batch | None:
    questions = [(visitor, each) for visitor, each in zip(visitors, asked, strict=True) if each is not None]
    return Batch(several, questions) if len(questions) == len(asked) else None
