"""Looks many visitors up on SQLite in one step.

The driver gives the interpreter's lock away and takes it back for each row that it steps to, and the event loop is
there to take it: that costs more than the lookup. So the rows of a site come as one text, cut apart here.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence

from consent_service.domain.record_text import StoredVisitor, join_account
from consent_service.storage.reader import VisitorKey

# No column holds one of the separators: ids and accounts are URL-safe base64, and JSON escapes control characters.
_COLUMN, _ROW = "\x1f", "\x1e"
_LOOKUP = (
    "SELECT group_concat(v.visitor_id || char(31) || v.revision || char(31) || v.facts || char(31) || v.times "
    "|| char(31) || coalesce(v.account, '') || char(31) || coalesce(a.state, ''), char(30)) "
    "FROM json_each(?) AS k CROSS JOIN visitors v ON v.site = ? AND v.visitor_id = k.value "
    "LEFT JOIN accounts a ON a.site = v.site AND a.account = v.account"
)


def look_up(connection: sqlite3.Connection, keys: Sequence[VisitorKey]) -> dict[VisitorKey, StoredVisitor]:
    """Read visitors, one statement for each site; the unknown are left out."""
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for site, visitor_id in keys:
        wanted[site].append(visitor_id)
    found: dict[VisitorKey, StoredVisitor] = {}
    for site, visitor_ids in wanted.items():
        (text,) = connection.execute(_LOOKUP, (json.dumps(visitor_ids), site)).fetchone()
        for row in text.split(_ROW) if text else ():
            visitor_id, revision, facts, times, account, state = row.split(_COLUMN)
            linked = join_account(account or None, state or None)
            found[site, visitor_id] = StoredVisitor(int(revision), facts, times, linked)
    return found
