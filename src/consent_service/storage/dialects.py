"""What is written differently on the two databases."""

import json
from collections.abc import Sequence

from sqlalchemy import JSON, ColumnElement, Connection, Table, and_, cast, func, literal
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Begin an INSERT that can say what happens on conflict."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def among(connection: Connection, keys: Sequence[Sequence[str]], *columns: ColumnElement[str]) -> ColumnElement[bool]:
    """Ask that these columns together are one of these keys; each key is looked up by index.

    For `(a, b) IN (…)` SQLite would walk through the whole table, and each number of keys would be a statement to
    plan anew. So the keys come as one JSON parameter, which both databases read as a table.
    """
    given = literal(json.dumps(keys))
    if connection.dialect.name == "postgresql":
        element = func.json_array_elements(cast(given, JSON)).column_valued("wanted")
        return and_(*(column == element.op("->>")(number) for number, column in enumerate(columns)))
    value = func.json_each(given).table_valued("value", name="wanted").c.value
    return and_(*(column == func.json_extract(value, f"$[{number}]") for number, column in enumerate(columns)))
