"""A policy made ready for deciding: its trackers indexed by name, and what it changed for older consents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from consent_service.domain.policy import Policy, Tracker
from consent_service.domain.policy_changes import widened
from consent_service.domain.vocabulary import CATEGORIES, Category, TrackerKind

_EVERYTHING = frozenset(CATEGORIES)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What `decide` needs to know about a site: the policy in force and its relation to the versions before it."""

    policy: Policy
    exact: Mapping[str, tuple[Tracker, ...]]
    prefixes: Mapping[str, tuple[Tracker, ...]]
    prefix_lengths: tuple[int, ...]
    """Longest first: the most specific pattern speaks for a name."""
    widened_since: Mapping[str, frozenset[Category]]
    crossing: frozenset[Category]
    """The categories in which some tracker sends data across a border."""
    alike: tuple[Tracker, ...]
    """One tracker of each kind that the rules tell apart; trackers with equal traits are decided alike."""
    kinds: Mapping[str, tuple[int, ...]]
    """For each registered name or pattern: which of `alike` its entries are decided like."""
    stored: tuple[Tracker, ...]
    """The trackers that leave something on the device, in the policy's order."""

    def find(self, name: str) -> tuple[Tracker, ...]:
        """Give the entries registered for a name: an exact one before the longest pattern; none if unregistered."""
        found = self.exact.get(name)
        if found is not None:
            return found
        for length in self.prefix_lengths:
            found = self.prefixes.get(name[:length])
            if found is not None and len(name) >= length:
                return found
        return ()

    def covered(self, version: str, category: Category) -> bool:
        """Tell whether a grant under that version still covers what the category does now; an unknown one does not."""
        return category not in self.widened_since.get(version, _EVERYTHING)


def compile_ruleset(policy: Policy, earlier: Iterable[Policy] = ()) -> Ruleset:
    """Index a policy; `earlier` are the site's other published versions under which visitors may have consented."""
    exact: dict[str, tuple[Tracker, ...]] = {}
    prefixes: dict[str, tuple[Tracker, ...]] = {}
    for tracker in policy.trackers:
        table, key = (prefixes, tracker.name[:-1]) if tracker.name.endswith("*") else (exact, tracker.name)
        table[key] = (*table.get(key, ()), tracker)
    traits: dict[tuple[object, ...], int] = {}
    alike: list[Tracker] = []
    kinds: dict[str, tuple[int, ...]] = {}
    for tracker in policy.trackers:
        number = traits.setdefault(_traits(tracker), len(alike))
        alike += [tracker] if number == len(alike) else []
        kinds[tracker.name] = (*kinds.get(tracker.name, ()), number)
    widened_since = {other.version: widened(other, policy) for other in earlier}
    widened_since[policy.version] = frozenset()
    return Ruleset(
        policy=policy,
        exact=exact,
        prefixes=prefixes,
        prefix_lengths=tuple(sorted({len(stem) for stem in prefixes}, reverse=True)),
        widened_since=widened_since,
        crossing=frozenset(t.category for t in policy.trackers if t.cross_border),
        alike=tuple(alike),
        kinds=kinds,
        stored=tuple(t for t in policy.trackers if t.stored),
    )


def _traits(tracker: Tracker) -> tuple[object, ...]:
    """Give all that the rules look at of a tracker beside how long it stays."""
    email = tracker.kind is TrackerKind.EMAIL_PIXEL
    return (tracker.category, email, tracker.exempt, tracker.sells_or_shares, tracker.cross_border)
