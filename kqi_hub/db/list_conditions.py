"""Conditions of lists as SQL: what people typed, as domain/filters.py has read it."""

import re
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from kqi_hub.db.text import to_storable
from kqi_hub.domain.filters import Part, Span
from kqi_hub.domain.listing import MadeFilter

# What PostgreSQL's index of words knows a text by: three letters or digits in a row,
# fewer where a word begins or ends.
_INDEXED: Final = re.compile(r"[^\W_]{3}|[\W_][^\W_]|[^\W_]{2}[\W_]")
Columns = ReadOnlyColumnCollection[str, Any]


class small(FunctionElement[str]):  # noqa: N801 - named as SQL's functions are
    """Text in small letters, as far as LIKE does not see to it by itself."""

    name = "small"
    inherit_cache = True
    type = Text()


@compiles(small)
def _lower(element: small, compiler: SQLCompiler, **about: Any) -> str:
    return f"lower({compiler.process(element.clauses, **about)})"


@compiles(small, "sqlite")
def _as_it_is(element: small, compiler: SQLCompiler, **about: Any) -> str:
    # SQLite's LIKE takes the letters of English in any case; it makes no others small.
    return compiler.process(element.clauses, **about)


class small_in_each(small):  # noqa: N801 - named as SQL's functions are
    """The same for words too short for an index of words: it would give every row."""

    inherit_cache = True


@compiles(small_in_each)
def _lower_in_each(element: small_in_each, compiler: SQLCompiler, **about: Any) -> str:
    # No index is of this; word_index.py has one of the text itself.
    return f"lower({compiler.process(element.clauses, **about)} || '')"


compiles(small_in_each, "sqlite")(_as_it_is)


def has_part(column: ColumnElement[Any], part: Part) -> Iterator[ColumnElement[bool]]:
    """Yield the condition that a text has a part, or has not; case is no matter."""
    if part.text:
        low = to_storable(part.text.lower())
        made_small = small if _INDEXED.search(low) else small_in_each
        found = made_small(column).contains(low, autoescape=True)
        same = to_storable(part.text)
        if same != low and not same.isascii():
            # SQLite makes only the letters of English small.
            found = or_(found, column.contains(same, autoescape=True))
        yield ~found if part.is_refused else found


def is_within(column: ColumnElement[Any], span: Span) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that a number or a moment lies within a span."""
    if span.at_least is not None:
        yield column >= span.at_least
    if span.below is not None:
        yield column < span.below


def made_as(table: Columns, wanted: MadeFilter) -> Iterator[ColumnElement[bool]]:
    """Yield what a list of things that somebody made is filtered by."""
    if wanted.tenants is not None:
        yield table.tenant.in_(wanted.tenants)
    yield from is_within(table.number, wanted.id)
    yield from is_within(table.created_at, wanted.created_at)
    yield from has_part(table.name, wanted.name)
    yield from has_part(table.memo, wanted.memo)
    yield from has_part(table.created_by, wanted.created_by)


def in_order(
    column: ColumnElement[Any], number: ColumnElement[int], *, is_descending: bool
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return an order in which no two rows are alike: their numbers tell them apart."""
    if is_descending:
        return column.desc(), number.desc()
    return column.asc(), number.asc()
