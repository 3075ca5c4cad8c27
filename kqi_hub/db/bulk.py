"""Add many rows at once, as quickly as each of the databases can."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import sql
from sqlalchemy import Connection, Table, text

# Of the pages that a batch changes; the default of 2 MB is read again and again.
CACHE_KB: Final = 32 * 1024


def insert_many(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Add rows of the columns `names`, values as the database takes them.

    Text is stored as it is: of what people typed, give `to_storable(text)`.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, names, rows)
        return
    columns = ", ".join(f'"{table.c[name].name}"' for name in names)
    places = ", ".join("?" * len(names))
    statement = f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})'  # noqa: S608  names of our own columns
    connection.exec_driver_sql(statement, list(rows))


def reserve_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Return numbers for so many new rows of a table with a column `id`."""
    if connection.dialect.name == "postgresql":
        query = text(
            "SELECT nextval(pg_get_serial_sequence(:name, 'id'))"
            " FROM generate_series(1, :count)"
        )
        return list(connection.scalars(query, {"name": table.name, "count": count}))
    # Nobody else writes to SQLite before this transaction is over.
    newest = connection.exec_driver_sql(f'SELECT max(id) FROM "{table.name}"')  # noqa: S608  as above
    first = int(newest.scalar() or 0) + 1
    return range(first, first + count)


def fetch_all(
    connection: Connection, statement: str, parameters: tuple[Any, ...]
) -> list[tuple[Any, ...]]:
    """Return rows as the driver has them; the statement is in the database's words."""
    cursor: Any = connection.exec_driver_sql(statement, parameters).cursor
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def widen_cache(connection: Connection) -> None:
    """Let SQLite hold the indexes of a million rows while it adds to them."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KB}")


def _copy(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    # psycopg's own way past SQLAlchemy, on the same connection and transaction.
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
