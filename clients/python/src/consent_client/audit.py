"""The audit: what would have been set without consent, counted by tracker. No visitor and no value is kept."""

import logging
import threading
from collections import Counter

_log = logging.getLogger("consent_client.audit")

_MOST_NAMES = 200
_OTHERS = "(other)"
_REPEAT_EVERY = 1000

Row = tuple[str, str, str]
"""Outcome, tracker name, reason."""


class Audit:
    """Counts by outcome, name and reason; safe to use from several threads.

    Outcomes: `removed` a Set-Cookie taken out · `would_remove` the same in report-only mode, left in ·
    `shortened` a lifetime cut down · `would_shorten` · `expired` a cookie deleted that is allowed no longer ·
    `would_expire`. The first of each kind is logged, and then every thousandth.
    """

    def __init__(self) -> None:
        self._counts: Counter[Row] = Counter()
        self._names: set[str] = set()
        self._lock = threading.Lock()

    def count(self, outcome: str, name: str, reason: str) -> None:
        """Count one event; beyond the first 200 names the others share one row."""
        with self._lock:
            if name not in self._names:
                name = name if len(self._names) < _MOST_NAMES else _OTHERS
                self._names.add(name)
            row = (outcome, name, reason)
            self._counts[row] += 1
            count = self._counts[row]
        if count % _REPEAT_EVERY == 1:
            _log.warning("consent audit: outcome=%s tracker=%r reason=%s count=%d", outcome, name, reason, count)

    def counts(self) -> dict[Row, int]:
        """Give what was counted so far."""
        with self._lock:
            return dict(self._counts)

    def total(self, outcome: str) -> int:
        """Give how often one outcome occurred."""
        return sum(count for (counted, _, _), count in self.counts().items() if counted == outcome)

    def unregistered(self) -> list[str]:
        """Give the names that no policy entry registers: what a shop has to look at first."""
        return sorted({name for (_, name, reason) in self.counts() if reason == "unregistered"})

    def prometheus(self) -> str:
        """Give the counts in the Prometheus text format."""
        lines = [
            "# HELP consent_audit_total Cookies kept from being set, or deleted, for want of consent.",
            "# TYPE consent_audit_total counter",
        ]
        for (outcome, name, reason), count in sorted(self.counts().items()):
            escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            lines.append(f'consent_audit_total{{outcome="{outcome}",tracker="{escaped}",reason="{reason}"}} {count}')
        return "\n".join(lines) + "\n"
