"""The register of trackers for storefronts, SDKs and the policy page (TRK-10), as JSON and as CSV."""

import csv
import io

from consent_service.domain.policy import Policy, Tracker
from consent_service.domain.vocabulary import CATEGORIES
from consent_service.service.banner import duration_text

CSV_COLUMNS = ("name", "kind", "category", "provider", "domain", "path", "duration", "purpose", "third_party")


def tracker_table(policy: Policy) -> dict[str, object]:
    """Give everything that a storefront needs to decide by itself from a signed state."""
    return {
        "site": policy.site,
        "policy_version": policy.version,
        "dnt_mode": policy.dnt.value,
        "gpc_mode": policy.gpc.value,
        "cookie_cap": str(policy.cookie_cap),
        "cross_device": policy.cross_device,
        "categories": {
            c.value: {"sells_or_shares": policy.categories[c].sells_or_shares, "needs": _needs(policy, c.value)}
            for c in CATEGORIES
        },
        "trackers": [_entry(policy, tracker) for tracker in policy.trackers],
    }


def tracker_csv(policy: Policy) -> str:
    """Give the register as CSV (RFC 4180), in the default language; cells that look like formulas are quoted."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for tracker in policy.trackers:
        provider = policy.providers[tracker.provider].name
        purpose = tracker.purpose[policy.default_language]
        cells = (tracker.name, tracker.kind, tracker.category, provider, tracker.domain, tracker.path)
        writer.writerow(
            map(_safe, (*cells, duration_text(tracker.duration), purpose, str(tracker.third_party).lower()))
        )
    return stream.getvalue()


def _safe(cell: str) -> str:
    # A spreadsheet would run what begins like a formula.
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _needs(policy: Policy, category: str) -> dict[str, list[str]]:
    needs: dict[str, set[str]] = {}
    for rule in policy.separate_consent:
        for region in sorted(rule.regions):
            if category in rule.categories:
                needs.setdefault(region, set()).update(need.value for need in rule.needs)
    return {region: sorted(values) for region, values in needs.items()}


def _entry(policy: Policy, tracker: Tracker) -> dict[str, object]:
    exempt = tracker.exempt
    return {
        "name": tracker.name,
        "kind": tracker.kind.value,
        "category": tracker.category.value,
        "provider": policy.providers[tracker.provider].name,
        "duration": duration_text(tracker.duration),
        "domain": tracker.domain,
        "path": tracker.path,
        "third_party": tracker.third_party,
        "sells_or_shares": tracker.sells_or_shares,
        "cross_border": tracker.cross_border,
        "http_only": tracker.http_only,
        "scope": tracker.scope.value,
        "exempt": None if exempt is None else {"basis": exempt.basis.value, "regions": sorted(exempt.regions)},
        "purpose": dict(tracker.purpose),
    }
