"""A consent record as two short texts: `facts`, which no clock changes, and `times`.

The split lets the hot path remember what follows from equal facts (most visitors accept all or refuse all) while
the moments differ. Members that have their default value are left out; both texts are JSON.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from consent_service.domain.moments import from_micros, to_micros
from consent_service.domain.record import NOTHING, AccountState, CategoryChoice, Choices, ConsentRecord
from consent_service.domain.vocabulary import CATEGORIES, AgeBand, Category, Channel, Choice, Dnt, SeparateConsent

_GRANTED, _REFUSED, _WITHDRAWN, _SILENT = "g", "d", "w", "-"
_Group = tuple[str, datetime, datetime]
_Groups = Mapping[_Group, Sequence[str]]
_FIRST_END = 4
"""Behind created, updated, the earliest to ask again, and the first group's moment of decision."""
_PLACES = {category: place for place, category in enumerate(CATEGORIES)}


class StoredVisitor(NamedTuple):
    """A visitor's row as read: a time-free part that decisions can be remembered by, and the moments."""

    revision: int
    facts: str
    times: str
    account: str | None = None
    """The account's own row as text, where the visitor is logged in."""


def encode_record(record: ConsentRecord) -> StoredVisitor:
    """Write a record; the account's state has a row of its own and is only named."""
    times: list[int] = [to_micros(record.created_at), to_micros(record.updated_at)]
    times.append(0 if record.re_prompt_not_before is None else to_micros(record.re_prompt_not_before))
    groups = [_grouped(record.web), _grouped(record.email)]
    for _, decided_at, expires_at in chain(*groups):
        times += (to_micros(decided_at), to_micros(expires_at))
    account = record.account.account if record.account else None
    return StoredVisitor(record.revision, _facts(record, *groups), f"[{','.join(map(str, times))}]", account)


def _facts(record: ConsentRecord, web: _Groups, email: _Groups) -> str:
    """Write the members in the order of their names, by hand: JSON's own writer is slow to begin."""
    members = (
        f'"a":{_quoted(record.age_band)}' if record.age_band is not AgeBand.UNKNOWN else "",
        f'"d":{_quoted(record.dnt)}' if record.dnt is not None else "",
        f'"e":{_groups_text(email)}' if email else "",
        '"g":1' if record.gpc else "",
        f'"j":{_list_text(record.objections)}' if record.objections else "",
        f'"l":{_quoted(record.region)}' if record.region is not None else "",
        '"n":1' if record.notice_due else "",
        '"o":1' if record.opted_out else "",
        f'"p":{_quoted(record.policy_version)}' if record.policy_version is not None else "",
        '"r":1' if record.restricted else "",
        f'"s":{_list_text(record.separate)}' if record.separate else "",
        f'"w":{_groups_text(web)}' if web else "",
    )
    return f"{{{','.join(filter(None, members))}}}"


def _list_text(words: Iterable[str]) -> str:
    return f"[{','.join(map(_quoted, sorted(words)))}]"


def _groups_text(groups: _Groups) -> str:
    pairs = [(_quoted(group[0]), "".join(letters)) for group, letters in groups.items()]
    return "[" + ",".join([f'[{version},"{said}"]' for version, said in pairs]) + "]"


def decode_record(
    site: str, visitor_id: str, stored: StoredVisitor, account: AccountState | None = None
) -> ConsentRecord:
    """Read a record back; `account` is the state of the account that the row names."""
    facts = _read_facts(stored.facts)
    created_at, updated_at, re_prompt_not_before, *moments = json.loads(stored.times)
    web, email = _take_choices(facts.choices, moments)
    return ConsentRecord(
        site=site,
        visitor_id=visitor_id,
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
        revision=stored.revision,
        web=web,
        email=email,
        re_prompt_not_before=from_micros(re_prompt_not_before) if re_prompt_not_before else None,
        account=account,
        **facts.members,
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a text of facts says: members of the record, and the groups of choices that await their moments."""

    members: Mapping[str, Any]
    choices: Mapping[str, Sequence[Sequence[str]]]


@lru_cache(4_096)
def _read_facts(text: str) -> _Facts:
    facts = json.loads(text)
    members = {
        "separate": frozenset(map(SeparateConsent, facts.get("s", ()))),
        "dnt": Dnt(facts["d"]) if "d" in facts else None,
        "gpc": "g" in facts,
        "opted_out": "o" in facts,
        "age_band": AgeBand(facts.get("a", AgeBand.UNKNOWN)),
        "restricted": "r" in facts,
        "objections": frozenset(map(Category, facts.get("j", ()))),
        "region": facts.get("l"),
        "policy_version": facts.get("p"),
        "notice_due": "n" in facts,
    }
    return _Facts(members, facts)


def read_visitor(site: str, visitor_id: str, stored: StoredVisitor) -> ConsentRecord:
    """Read a record with its account's state, as a lookup brings them."""
    if stored.account is None:
        return decode_record(site, visitor_id, stored)
    account, _, state = stored.account.partition(" ")
    return decode_record(site, visitor_id, stored, decode_account(account, state))


def join_account(account: str | None, state: str | None) -> str | None:
    """Put an account's name and row into the one text that a lookup brings; the name holds no space."""
    return None if account is None else f"{account} {state or '[{},[]]'}"


def encode_account(account: AccountState) -> str:
    """Write an account's state, moments included."""
    facts: dict[str, object] = {}
    times: list[int] = []
    _put_choices(facts, times, account.web, account.email)
    _put_flags(facts, g=account.gpc, o=account.opted_out)
    return _dump([facts, times])


def decode_account(account: str, state: str) -> AccountState:
    """Read an account's state back."""
    facts, times = json.loads(state)
    web, email = _take_choices(facts, times)
    return AccountState(account, gpc="g" in facts, opted_out="o" in facts, web=web, email=email)


def ends(facts: str) -> dict[tuple[Channel, Category], int]:
    """Tell which of a row's moments ends each choice, so that it is found without reading the whole record."""
    found: dict[tuple[Channel, Category], int] = {}
    read, place = json.loads(facts), _FIRST_END
    for name, channel in (("w", Channel.WEB), ("e", Channel.EMAIL)):
        for _, letters in read.get(name, ()):
            found |= {(channel, c): place for c, x in zip(CATEGORIES, letters, strict=True) if x != _SILENT}
            place += 2
    return found


def passed(times: str, now: datetime) -> tuple[bool, ...]:
    """Tell which of a row's moments have passed: the earliest to ask again, and each end of a group of choices."""
    micros = to_micros(now)
    return tuple([int(moment) <= micros for moment in times[1:-1].split(",")[2::2]])


_dump = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
_quoted = json.encoder.encode_basestring_ascii


def _put_flags(facts: dict[str, object], **flags: bool) -> None:
    facts.update({name: 1 for name, on in flags.items() if on})


def _put_choices(facts: dict[str, object], times: list[int], web: Choices, email: Choices) -> None:
    for name, choices in (("w", web), ("e", email)):
        if not choices:
            continue
        groups = _grouped(choices)
        facts[name] = [[group[0], "".join(letters)] for group, letters in groups.items()]
        for _, decided_at, expires_at in groups:
            times += (to_micros(decided_at), to_micros(expires_at))


def _grouped(choices: Choices) -> dict[_Group, list[str]]:
    """Gather the letters of categories that were answered together: they share version and moments."""
    groups: dict[_Group, list[str]] = {}
    for category, choice in choices.items():
        group = (choice.policy_version, choice.decided_at, choice.expires_at)
        if group not in groups:
            groups[group] = [_SILENT] * len(CATEGORIES)
        letter = _GRANTED if choice.choice is Choice.GRANTED else _WITHDRAWN if choice.was_granted else _REFUSED
        groups[group][_PLACES[category]] = letter
    return groups


def _take_choices(facts: Mapping[str, Sequence[Sequence[str]]], times: list[int]) -> tuple[Choices, Choices]:
    moments = map(from_micros, times)
    found: list[Choices] = []
    for name in ("w", "e"):
        choices: dict[Category, CategoryChoice] = {}
        for version, letters in facts.get(name, ()):
            decided_at, expires_at = next(moments), next(moments)
            # Categories of a group that say the same share one value.
            said: dict[str, CategoryChoice] = {}
            for category, letter in zip(CATEGORIES, letters, strict=True):
                if letter == _SILENT:
                    continue
                if letter not in said:
                    choice = Choice.GRANTED if letter == _GRANTED else Choice.DENIED
                    said[letter] = CategoryChoice(choice, decided_at, expires_at, version, letter != _REFUSED)
                choices[category] = said[letter]
        found.append(choices or NOTHING)
    return found[0], found[1]
