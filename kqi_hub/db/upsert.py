"""Insert rows or update the ones that are there, in one statement for many rows."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

# Both databases know ON CONFLICT; SQLAlchemy has a construct of its own for each.
Insert = sqlite.Insert | postgresql.Insert
_INSERTS: Final[Mapping[str, type[sqlite.Insert] | type[postgresql.Insert]]] = {
    "sqlite": sqlite.Insert,
    "postgresql": postgresql.Insert,
}


def upsert(
    connection: Connection,
    table: Table,
    keep: Collection[str] = (),
    instead: Mapping[str, Any] | None = None,
) -> Insert:
    """Return the statement to execute with rows that name every column.

    In a row that exists, columns in `keep` stay as they are, and those in `instead`
    become the expression given there, which may speak of the new row as `excluded`.
    """
    statement = _INSERTS[connection.dialect.name](table)
    updated: dict[str, Any] = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key and column.name not in keep
    }
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_=updated | dict(instead or {}),
    )


def insert_missing(connection: Connection, table: Table) -> Insert:
    """Return the statement that leaves alone the rows which are there already."""
    return _INSERTS[connection.dialect.name](table).on_conflict_do_nothing()
