"""Conditions of lists as SQL: what people typed, as domain/filters.py has read it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, func, or_

from kqi_hub.db.text import to_storable
from kqi_hub.domain.filters import Part, Span


def has_part(column: ColumnElement[Any], part: Part) -> Iterator[ColumnElement[bool]]:
    """Yield the condition that a text has a part, or has not; case is no matter."""
    if part.text:
        low = to_storable(part.text.lower())
        same = to_storable(part.text)
        found = or_(
            func.lower(column).contains(low, autoescape=True),
            # SQLite makes only the letters of English small.
            column.contains(same, autoescape=True),
        )
        yield ~found if part.is_refused else found


def is_within(column: ColumnElement[Any], span: Span) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that a number or a moment lies within a span."""
    if span.at_least is not None:
        yield column >= span.at_least
    if span.below is not None:
        yield column < span.below
