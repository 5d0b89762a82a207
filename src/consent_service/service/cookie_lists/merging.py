"""Adds a drafted cookie list to an existing policy document; what the document says already, stays."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from urllib.parse import urlsplit

from consent_service.domain.errors import InvalidInput
from consent_service.service.cookie_lists.drafting import differing
from consent_service.service.cookie_lists.entries import LANGUAGE
from consent_service.service.cookie_lists.providers import provider_key
from consent_service.service.cookie_lists.report import Draft, Entry, MergeResult, ReportLine, RowAction


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one drafted tracker."""

    notes: tuple[str, ...]
    review: str = ""
    added: bool = False


def merge(document: Mapping[str, object], draft: Draft) -> MergeResult:
    """Give a copy of the document with the draft's trackers and providers added.

    An entry of the document wins over one of the draft, and each difference is reported. Raises InvalidInput where
    the document's trackers, providers or languages have not the form of a policy document.
    """
    merging = _Merging(document)
    outcomes = [merging.take(tracker, draft.providers) for tracker in draft.trackers]
    report = tuple(_line(line, [outcomes[place] for place in line.entries]) for line in draft.report)
    return MergeResult(merging.document, report)


def _line(line: ReportLine, outcomes: list[_Outcome]) -> ReportLine:
    """Say what became of a row; where the document had it all, the doubts about the row's own entry are settled."""
    if line.action is RowAction.MERGED or not outcomes:
        return line
    added = any(outcome.added for outcome in outcomes)
    doubts = line.review if added else ()
    review = (*doubts, *(outcome.review for outcome in outcomes if outcome.review))
    notes = (*line.notes, *(note for outcome in outcomes for note in outcome.notes))
    action = RowAction.NEEDS_PERSON if review else RowAction.ADDED if added else RowAction.MERGED
    return ReportLine(line.row, line.line, line.name, action, notes, review, line.entries)


class _Merging:
    """A policy document that grows, beside what it held at the start."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self.document = deepcopy(dict(document))
        self._trackers = _list_of_objects(self.document.setdefault("trackers", []), "trackers")
        self._providers = _object(self.document.setdefault("providers", {}), "providers")
        self._names = frozenset(str(entry.get("name")) for entry in self._trackers)
        self._held: dict[tuple[object, object], list[Mapping[str, object]]] = {}
        for entry in self._trackers:
            self._held.setdefault((str(entry.get("kind")), str(entry.get("domain", ""))), []).append(entry)
        self._languages = _languages(self.document.get("languages"))
        self._hosts = _hosts(self.document.get("origins"))
        self._provider_names = {
            key: provider_key(str(entry.get("name", "")))
            for key, entry in self._providers.items()
            if isinstance(entry, dict)
        }
        self._keys: dict[str, str] = {}

    def take(self, tracker: Entry, providers: Mapping[str, Entry]) -> _Outcome:
        """Add one drafted tracker unless the document has it."""
        own = self._as_own(tracker)
        place = (own["kind"], own["domain"])
        held = next((entry for entry in self._held.get(place, ()) if _covers(entry, own)), None)
        if held is not None:
            return _Outcome(self._kept(held, own))
        drafted_key = str(own["provider"])
        key, notes = self._provider(drafted_key, providers[drafted_key])
        purpose = own["purpose"][LANGUAGE] if isinstance(own["purpose"], dict) else ""
        self._trackers.append({**own, "provider": key, "purpose": dict.fromkeys(self._languages, purpose)})
        repeated = [language for language in self._languages if language != LANGUAGE]
        if repeated:
            notes.append("the list's English text is repeated as the purpose in " + ", ".join(repeated))
        elsewhere = own["name"] in self._names
        review = "the document has this name for another domain or kind" if elsewhere else ""
        return _Outcome(tuple(notes), review, added=True)

    def _as_own(self, tracker: Entry) -> dict[str, object]:
        """Take a tracker of one of the shop's own domains for the shop's own."""
        domain = str(tracker["domain"])
        if domain and any(host == domain or host.endswith("." + domain) for host in self._hosts):
            return {**tracker, "third_party": False}
        return dict(tracker)

    def _kept(self, held: Mapping[str, object], own: Entry) -> tuple[str, ...]:
        differences = [
            f"the document's {member} stays ({held.get(member)}; the list says {own.get(member)})"
            for member in differing(held, own)
        ]
        if self._known(str(own["provider"])) != held.get("provider"):
            differences.append(
                f"the document's provider stays ({held.get('provider')}; the list says {own['provider']})"
            )
        covered = "" if held.get("name") == own["name"] else f" as {held.get('name')}"
        return (f"the document has it already{covered}", *differences)

    def _provider(self, drafted_key: str, entry: Entry) -> tuple[str, list[str]]:
        """Give the document's key of a provider, which is added where no entry bears its name."""
        if drafted_key in self._keys:
            return self._keys[drafted_key], []
        key = self._known(drafted_key)
        if key is None:
            key, count = drafted_key, 2
            while key in self._providers:
                key, count = f"{drafted_key}_{count}", count + 1
            self._providers[key] = dict(entry)
            notes = [f"provider {key} is new"]
        else:
            held, address = self._providers[key], entry.get("privacy_policy")
            other = isinstance(held, dict) and address and address != held.get("privacy_policy")
            notes = [f"the document's privacy policy address of provider {key} stays"] if other else []
        self._keys[drafted_key] = key
        return key, notes

    def _known(self, drafted_key: str) -> str | None:
        """Find the provider in the document: by its name, or by its key where the name begins alike."""
        by_key = self._provider_names.get(drafted_key, "")
        if by_key == drafted_key or by_key.startswith(drafted_key + "_"):
            return drafted_key
        return next((key for key, name in self._provider_names.items() if name == drafted_key), None)


def _covers(held: Mapping[str, object], own: Entry) -> bool:
    """Tell whether the document's entry bears the same name or a pattern that matches it."""
    name = str(held.get("name", ""))
    return name == own["name"] or (len(name) > 1 and name.endswith("*") and str(own["name"]).startswith(name[:-1]))


def _list_of_objects(value: object, member: str) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise InvalidInput(f"The policy document's {member} must be a list of objects.")
    return value


def _object(value: object, member: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidInput(f"The policy document's {member} must be an object.")
    return value


def _languages(value: object) -> list[str]:
    available = value.get("available") if isinstance(value, dict) else None
    if not isinstance(available, list) or not available or not all(isinstance(tag, str) for tag in available):
        raise InvalidInput("The policy document's languages must name those that are available.")
    return available


def _hosts(origins: object) -> list[str]:
    """Give the hosts of the shop's origins; an origin that is none has no host and is refused by the validation."""
    hosts = []
    for origin in origins if isinstance(origins, list) else []:
        try:
            hosts.append(urlsplit(str(origin)).hostname or "")
        except ValueError:
            continue
    return [host for host in hosts if host]
