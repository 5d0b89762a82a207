"""Advanced Data Protection Control (unofficial draft of noyb and the Sustainable Computing Lab; OUT-11).

Source: dataprotectioncontrol.org/spec, §6 "Signals" and §7 "HTTP-based interaction". A site links to a list of consent
requests, and the browser answers with a header such as `ADPC: withdraw=*, consent="a b", object=direct-marketing`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from consent_service.domain.policy import Policy, Texts
from consent_service.domain.signal_adapters.expression import NOTHING_EXPRESSED, Expression
from consent_service.domain.vocabulary import CATEGORIES, Category

REQUESTED: tuple[Category, ...] = tuple(c for c in CATEGORIES if c is not Category.STRICTLY_NECESSARY)
"""What consent is asked for; what is strictly necessary needs none."""

_MEMBER = re.compile(r'[ \t]*(consent|withdraw|object)=(?:"([^"]*)"|([^" \t]*))[ \t]*')
_EVERYTHING = "*"
_DIRECT_MARKETING = "direct-marketing"


class Adpc:
    """The adapter for ADPC."""

    name = "adpc"
    header = b"adpc"

    def read(self, fields: Sequence[str], policy: Policy) -> Expression:
        """Read what was decided; the specific stands before the general, and contradictions give no consent.

        Consent counts for requests of the policy in force only and never by `*`. A withdrawal counts for the requests
        of older policies as well, since the browser may answer one that it remembers.
        """
        said = _members(fields)
        asked = {request_id(category, policy): category for category in REQUESTED}
        consented = {asked[word] for word in said["consent"] if word in asked}
        withdrawn = {category for word in said["withdraw"] for category in _category_of(word)}
        objections = frozenset({Category.ADVERTISING} if _DIRECT_MARKETING in said["object"] else ())
        consents = frozenset(consented - withdrawn - objections)
        everything = frozenset(REQUESTED) if _EVERYTHING in said["withdraw"] else frozenset(withdrawn)
        withdrawals = everything - consents
        if not (consents or withdrawals or objections):
            return NOTHING_EXPRESSED
        return Expression((self.name,), consents, withdrawals, objections)

    def link(self, resource: str) -> str:
        """Point to the consent requests resource."""
        return f'<{resource}>; rel="consent-requests"'

    def document(self, policy: Policy, language: str) -> Mapping[str, object]:
        """Give the consent requests resource: one request for each category that needs consent."""
        requests = [{"id": request_id(c, policy), "text": _text(policy, c, language)} for c in REQUESTED]
        return {"consentRequests": requests}


def request_id(category: Category, policy: Policy) -> str:
    """Name the request for a category; other texts need another identifier, so the policy's version is part of it."""
    return f"{category.value}.{policy.version}"


def _members(fields: Iterable[str]) -> Mapping[str, set[str]]:
    """Collect the identifiers by what is said of them; several fields and several members of one field add up."""
    said: dict[str, set[str]] = {"consent": set(), "withdraw": set(), "object": set()}
    for field in fields:
        for member in _split(field):
            match = _MEMBER.fullmatch(member)
            if match:
                said[match[1]].update((match[2] or match[3] or "").split())
    return said


def _split(field: str) -> list[str]:
    # Commas within quotes belong to an identifier. With an odd number of quotes nobody can tell which those are.
    if field.count('"') % 2:
        return []
    return re.findall(r'(?:[^,"]|"[^"]*")+', field)


def _category_of(word: str) -> frozenset[Category]:
    name, _, _ = word.partition(".")
    return frozenset(category for category in REQUESTED if category.value == name)


def _text(policy: Policy, category: Category, language: str) -> str:
    entry = policy.categories[category]
    return f"{_in(entry.title, policy, language)}: {_in(entry.description, policy, language)}"


def _in(texts: Texts, policy: Policy, language: str) -> str:
    return texts.get(language) or texts.get(policy.default_language, "")
