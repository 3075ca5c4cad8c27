"""Add numbers to rows of sums, or raise peaks, or begin such rows: many at once."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from psycopg import sql
from sqlalchemy import Connection, Table

_CAST: Final = {"TEXT": "text[]", "BIGINT": "bigint[]"}


def add_to_sums(
    connection: Connection, table: Table, rows: Sequence[Sequence[Any]]
) -> None:
    """Add rows, each with every column of the table in its order.

    Where the key is there, the other columns are added to what they are.
    """
    _put(connection, table, rows, "{0} + {1}")


def raise_peaks(
    connection: Connection, table: Table, rows: Sequence[Sequence[Any]]
) -> None:
    """Add rows; where the key is there, the higher of both numbers stays."""
    most = "greatest" if connection.dialect.name == "postgresql" else "max"
    _put(connection, table, rows, most + "({0}, {1})")


def _put(
    connection: Connection, table: Table, rows: Sequence[Sequence[Any]], both: str
) -> None:
    """Add rows; `both` says what becomes of the number there and the new one."""
    if not rows:
        return
    names = [column.name for column in table.columns]
    if connection.dialect.name == "postgresql":
        _add_arrays(connection, table, list(zip(*rows, strict=True)), both)
        return
    columns = ", ".join(f'"{name}"' for name in names)
    places = ", ".join("?" * len(names))
    statement = (
        f'INSERT INTO "{table.name}" ({columns}) VALUES ({places}) '  # noqa: S608  names of our own columns
        + _on_conflict(table, both)
    )
    # In the order of the key, a tree of the disk is walked once.
    place = itemgetter(*(names.index(c.name) for c in table.primary_key.columns))
    connection.exec_driver_sql(statement, sorted(map(tuple, rows), key=place))


def _on_conflict(table: Table, both: str) -> str:
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    added = ", ".join(
        f'"{column.name}" = '
        + both.format(f'"{table.name}"."{column.name}"', f'excluded."{column.name}"')
        for column in table.columns
        if not column.primary_key
    )
    return f"ON CONFLICT ({keys}) DO UPDATE SET {added}"


def _add_arrays(
    connection: Connection,
    table: Table,
    columns: Sequence[Sequence[Any]],
    both: str,
) -> None:
    # One statement with an array for each column: psycopg sends single rows slowly.
    arrays = ", ".join(
        f"%s::{_CAST[_kind(column.type.compile(connection.dialect))]}"
        for column in table.columns
    )
    names = sql.SQL(", ").join(sql.Identifier(c.name) for c in table.columns)
    statement = sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({}) {}").format(
        sql.Identifier(table.name),
        names,
        sql.SQL(arrays),
        sql.SQL(_on_conflict(table, both)),
    )
    driver: Any = connection.connection
    with driver.cursor() as cursor:
        cursor.execute(statement, [list(column) for column in columns])


def _kind(compiled: str) -> str:
    return compiled.partition(" ")[0]
