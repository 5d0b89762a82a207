"""The tracker table: what `GET /v1/trackers` says about the site's policy, indexed for deciding."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_UNIT_SECONDS = (365 * 86_400, 28 * 86_400, 7 * 86_400, 86_400, 3_600, 60, 1)
_THIRTEEN_MONTHS = 13 * 28 * 86_400

# Whether these hold depends on what only the service knows: an objection, a login.
_OBJECTABLE = frozenset({"audience_measurement", "ui_customisation"})
_NEEDS_LOGIN = frozenset({"social_share_member"})
_STORED = frozenset({"cookie", "local_storage", "indexed_db", "lso"})


@dataclass(frozen=True, slots=True)
class Tracker:
    """One entry of the table, reduced to what a local decision looks at."""

    name: str
    kind: str
    category: str
    lifetime: int | None
    """Seconds it may stay by declaration, site cap and law, months at 28 days: never too long. None for a session."""
    domain: str = ""
    path: str = "/"
    third_party: bool = False
    sells_or_shares: bool = True
    cross_border: bool = True
    exempt_basis: str | None = None
    exempt_regions: frozenset[str] = frozenset()

    @property
    def surely_exempt(self) -> bool:
        """Tell whether it needs no consent for any visitor in any region."""
        if self.category == "strictly_necessary":
            return True
        return "*" in self.exempt_regions and self.exempt_basis not in _OBJECTABLE | _NEEDS_LOGIN

    @property
    def exempt_unless_objected(self) -> bool:
        """Tell whether only the visitor's objection could end its exemption."""
        return "*" in self.exempt_regions and self.exempt_basis in _OBJECTABLE


@dataclass(frozen=True)
class TrackerTable:
    """A site's trackers and signal rules, under one policy version."""

    site: str
    policy_version: str
    dnt_mode: str
    gpc_mode: str
    selling_categories: frozenset[str]
    crossing_categories: frozenset[str]
    """Categories that need a separate consent for crossing a border in some region."""
    entries: Mapping[str, tuple[Tracker, ...]]
    _prefix_lengths: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        lengths = {len(name) - 1 for name in self.entries if name.endswith("*")}
        object.__setattr__(self, "_prefix_lengths", tuple(sorted(lengths, reverse=True)))

    def registered_name(self, name: str) -> str | None:
        """Give the table's own name for a tracker: the exact one before the longest pattern; None if unregistered."""
        if name in self.entries:
            return name
        for length in self._prefix_lengths:
            pattern = name[:length] + "*"
            if len(name) >= length and pattern in self.entries:
                return pattern
        return None

    def find(self, name: str) -> tuple[Tracker, ...]:
        """Give every entry registered for a name; none if unregistered."""
        registered = self.registered_name(name)
        return self.entries[registered] if registered is not None else ()

    def page_names(self) -> Iterator[str]:
        """Go through the registered names and patterns of what a page may hold: all but e-mail pixels."""
        return (name for name, found in self.entries.items() if any(e.kind != "email_pixel" for e in found))


def parse_table(document: object) -> TrackerTable:
    """Read the JSON of `GET /v1/trackers`; raises ValueError, TypeError or KeyError where it is not one.

    What an entry leaves out is taken in the protective sense: it sells, it crosses borders, it is not exempt.
    """
    if not isinstance(document, dict):
        raise TypeError("the tracker table is no object")
    categories: dict[str, dict[str, object]] = document["categories"]
    cap = parse_duration(document["cookie_cap"])
    entries: dict[str, tuple[Tracker, ...]] = {}
    for raw in document["trackers"]:
        tracker = _parse_tracker(raw, cap)
        entries[tracker.name] = (*entries.get(tracker.name, ()), tracker)
    return TrackerTable(
        site=_text(document["site"]),
        policy_version=_text(document["policy_version"]),
        dnt_mode=_text(document["dnt_mode"]),
        gpc_mode=_text(document["gpc_mode"]),
        selling_categories=frozenset(n for n, entry in categories.items() if entry.get("sells_or_shares") is not False),
        crossing_categories=frozenset(n for n, entry in categories.items() if _crosses(entry.get("needs"))),
        entries=entries,
    )


def parse_duration(text: str) -> int:
    """Give the seconds of an ISO 8601 duration, months at 28 days; raises ValueError where it is none."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"not a duration: {text!r}")
    return sum(int(part or 0) * unit for part, unit in zip(match.groups(), _UNIT_SECONDS, strict=True))


def _parse_tracker(raw: dict[str, object], cap: int) -> Tracker:
    kind, exempt = _text(raw["kind"]), raw.get("exempt")
    basis = _text(exempt["basis"]) if isinstance(exempt, dict) else None
    return Tracker(
        name=_text(raw["name"]),
        kind=kind,
        category=_text(raw["category"]),
        lifetime=_lifetime(_text(raw["duration"]), kind, cap, basis),
        domain=_text(raw.get("domain") or ""),
        path=_text(raw.get("path") or "/"),
        third_party=raw.get("third_party") is True,
        sells_or_shares=raw.get("sells_or_shares") is not False,
        cross_border=raw.get("cross_border") is not False,
        exempt_basis=basis,
        exempt_regions=frozenset(exempt["regions"]) if isinstance(exempt, dict) else frozenset(),
    )


def _lifetime(duration: str, kind: str, cap: int, basis: str | None) -> int | None:
    if duration == "session" or kind not in _STORED:
        return None
    bounds = [parse_duration(duration), cap]
    # CNIL 2020-091: an exempt audience measurement lives 13 months at most.
    return min([*bounds, _THIRTEEN_MONTHS] if basis == "audience_measurement" else bounds)


def _crosses(needs: object) -> bool:
    return isinstance(needs, dict) and any("cross_border" in needed for needed in needs.values())


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {type(value).__name__}")
    return value
