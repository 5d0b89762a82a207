"""From facts to the reason of the decision: by the service's own rules where they are installed, else as recorded.

`python -m consent_client.testing.reasons` records the answers of the installed service anew.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from consent_client.testing.facts import Facts, all_facts

Reasons = Callable[[Facts], str]

_FILE = "recorded.json"
_NOW = datetime(2026, 6, 1, tzinfo=UTC)


def reasons() -> Reasons:
    """Give the best source of answers there is."""
    return service_reason if find_spec("consent_service") is not None else recorded_reason


def recorded_reason(facts: Facts) -> str:
    """Look the reason up in the table that ships with this package."""
    letters, rows = _recorded()
    return letters[rows[facts.index()]]


def service_reason(facts: Facts) -> str:
    """Let the service's `judge` decide."""
    from consent_service.domain.decision import judge  # noqa: PLC0415 - only where it is installed
    from consent_service.domain.vocabulary import Category, Channel, SeparateConsent  # noqa: PLC0415

    needs = frozenset({SeparateConsent.THIRD_PARTY_SHARING} if facts.separate_missing else ())
    reason = judge(
        _situation(facts), Category.ADVERTISING, Channel.WEB, exempt=facts.exempt, shares=facts.shares, needs=needs
    )
    return str(reason.value)


def _situation(facts: Facts) -> Any:  # noqa: ANN401 - a type of the service, which need not be installed
    """Put a visitor into the service's words; advertising stands for any category that tracks and protects children."""
    from consent_service.domain import vocabulary as words  # noqa: PLC0415
    from consent_service.domain.decision import Situation  # noqa: PLC0415
    from consent_service.domain.record import CategoryChoice, ConsentRecord  # noqa: PLC0415

    category = words.Category.ADVERTISING
    choices = {}
    if facts.choice != "none":
        choices[category] = CategoryChoice(
            choice=words.Choice.DENIED if facts.choice in {"denied", "withdrawn"} else words.Choice.GRANTED,
            decided_at=_NOW - timedelta(days=1),
            expires_at=_NOW + timedelta(days=-1 if facts.choice == "expired" else 1),
            policy_version="old" if facts.choice == "policy_changed" else "new",
            was_granted=facts.choice != "denied",
        )
    objections = frozenset({category} if facts.objected else ())
    record = ConsentRecord(
        site="test",
        visitor_id="A" * 22,
        created_at=_NOW,
        updated_at=_NOW,
        web=choices,
        restricted=facts.restricted,
        objections=objections,
    )
    rules: Any = _Ruleset(words.DntMode(facts.dnt) if facts.dnt != "off" else words.DntMode.RECORD)
    return Situation(
        rules=rules,
        record=record,
        region=None,
        now=_NOW,
        regime=words.Regime.OPT_OUT if facts.open_regime else words.Regime.OPT_IN,
        dnt=words.Dnt.DO_NOT_TRACK if facts.dnt != "off" else None,
        gpc=facts.gpc,
        gpc_effective=facts.gpc,
        opted_out=facts.opted_out,
        child=facts.child,
        minor=False,
        objections=objections,
    )


class _Ruleset:
    """As much of the service's ruleset as `judge` looks at."""

    cross_device = False

    def __init__(self, dnt: object) -> None:
        self.dnt = dnt
        self.policy = self

    def covered(self, version: str, category: object) -> bool:  # noqa: ARG002 - the service's signature
        return version == "new"


@cache
def _recorded() -> tuple[dict[str, str], str]:
    document = json.loads((files("consent_client.testing") / _FILE).read_text("utf-8"))
    return document["reasons"], document["rows"]


def record() -> str:
    """Give the text of the recorded table."""
    found = [service_reason(facts) for facts in all_facts()]
    letters = {reason: chr(ord("a") + place) for place, reason in enumerate(sorted(set(found)))}
    rows = "".join(letters[reason] for reason in found)
    named = {letter: reason for reason, letter in letters.items()}
    return json.dumps({"reasons": named, "rows": rows}, indent=1) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / _FILE).write_text(record(), "utf-8")
