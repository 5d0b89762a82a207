"""What docs/scale.md says of the schema: it distributes by site."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Table

from consent_service.storage.tables import metadata

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text("utf-8")
REFERENCE = "catalog_epoch"
BY_SITE = [table for table in metadata.sorted_tables if table.name != REFERENCE]


@pytest.mark.parametrize("table", BY_SITE, ids=lambda table: table.name)
def test_the_primary_key_of_every_table_begins_with_the_site(table: Table) -> None:
    assert next(iter(table.primary_key.columns)).name == "site"


@pytest.mark.parametrize("table", BY_SITE, ids=lambda table: table.name)
def test_a_table_points_to_no_other_and_counts_by_no_sequence(table: Table) -> None:
    assert table.foreign_keys == set()
    assert [column.name for column in table.columns if column.autoincrement is True or column.identity] == []


def test_the_page_names_every_table() -> None:
    named = set(re.findall(r"\w+", PAGE))
    assert {table.name for table in metadata.sorted_tables} - named == set()
