"""Cookie lists in the open cookie database's column layout, read into policy entries without loss.

`draft` reads a list, `draft_document` puts a draft into a new policy document, `merge` adds it to an existing one.
Every row of the list has exactly one line in the report.
"""

from consent_service.service.cookie_lists.drafting import draft
from consent_service.service.cookie_lists.merging import merge
from consent_service.service.cookie_lists.report import FILL_IN, Draft, MergeResult, ReportLine, RowAction, summary
from consent_service.service.cookie_lists.skeleton import draft_document

__all__ = [
    "FILL_IN",
    "Draft",
    "MergeResult",
    "ReportLine",
    "RowAction",
    "draft",
    "draft_document",
    "merge",
    "summary",
]
