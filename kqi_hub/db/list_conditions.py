"""Conditions of lists as SQL: what people typed, as domain/filters.py has read it."""

import re
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, Text, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from kqi_hub.db.text import to_storable
from kqi_hub.domain.filters import Part, Span
from kqi_hub.domain.listing import MadeFilter

# One letter that is written in two ways when it is small.
_SIGMAS: Final = "Σσς"
Columns = ReadOnlyColumnCollection[str, Any]


class small(FunctionElement[str]):  # noqa: N801 - named as SQL's functions are
    """Text with the letters of English made small, as far as LIKE needs that.

    To make all languages' small takes PostgreSQL twice as long as all else of a list.
    """

    name = "small"
    inherit_cache = True
    type = Text()


@compiles(small)
def _lower(element: small, compiler: SQLCompiler, **about: Any) -> str:
    return f'lower({compiler.process(element.clauses, **about)} COLLATE "C")'


@compiles(small, "sqlite")
def _as_it_is(element: small, compiler: SQLCompiler, **about: Any) -> str:
    return compiler.process(element.clauses, **about)


class either(FunctionElement[bool]):  # noqa: N801 - named as SQL's functions are
    """A condition as PostgreSQL knows it, and the one that others are asked instead."""

    name = "either"
    inherit_cache = True
    type = Boolean()


@compiles(either)
def _first(element: either, compiler: SQLCompiler, **about: Any) -> str:
    ours, _ = element.clauses
    return f"({compiler.process(ours, **about)})"


@compiles(either, "sqlite")
def _second(element: either, compiler: SQLCompiler, **about: Any) -> str:
    _, others = element.clauses
    return f"({compiler.process(others, **about)})"


def has_part(column: ColumnElement[Any], part: Part) -> Iterator[ColumnElement[bool]]:
    """Yield the condition that a text has a part, or has not; case is no matter."""
    if part.text:
        low, same = to_storable(part.text.lower()), to_storable(part.text)
        text = small(column)
        found: ColumnElement[bool] = text.contains(low, autoescape=True)
        if any(len(_cases(letter)) > 1 for letter in same if not letter.isascii()):
            pattern = "".join(map(_in_any_case, same))
            typed = text.contains(same, autoescape=True)
            # SQLite makes only the letters of English small.
            found = either(text.regexp_match(pattern), or_(found, typed))
        yield ~found if part.is_refused else found


def _in_any_case(letter: str) -> str:
    """Return a letter for a pattern, of texts in which English is small already."""
    if letter.isascii():
        return re.escape(letter.lower())
    return f"[{''.join(sorted(_cases(letter)))}]"


def _cases(letter: str) -> set[str]:
    """Return the ways to write a letter that is not of English."""
    if letter in _SIGMAS:
        return set(_SIGMAS)
    # What becomes two letters, or one of English, is left out.
    return {
        one
        for one in (letter, letter.lower(), letter.upper())
        if len(one) == 1 and not one.isascii()
    }


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
