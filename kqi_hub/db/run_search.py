"""Lists of runs in the database: what a filter lets through, and in which order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select

from kqi_hub.db.dataset_rows import DATASETS
from kqi_hub.db.list_conditions import has_part, in_order, is_within
from kqi_hub.db.list_plans import plan_for_lists
from kqi_hub.db.run_rows import PARENTS, RUNS, TAGS, WORDS, runs_of, with_spec
from kqi_hub.domain.filters import ANY_TEXT, Part, Span, TagRule, in_one_case
from kqi_hub.domain.run_list import RunColumn, RunFilter
from kqi_hub.domain.runs import LIVE, Run

_R, _P, _T, _W = RUNS.c, PARENTS.c, TAGS.c, WORDS.c
Conditions = Sequence[ColumnElement[bool]]
_SORTED_BY: Final = {
    RunColumn.ID: _R.number,
    RunColumn.NAME: _R.name,
    RunColumn.STATE: _R.state,
    RunColumn.OWNER: _R.owner,
    RunColumn.QUEUE: _R.queue,
    RunColumn.ASKED_AT: _R.asked_at,
    RunColumn.ENDED_AT: _R.ended_at,
    RunColumn.VALUE: _R.value_number,
}
# What the table of words has, by the names that a filter has for it.
_IN_WORDS: Final[Mapping[str, ColumnElement[str]]] = {
    "memo": _W.memo,
    "command": _W.command,
    "parent_name": _W.parents,
}
# Of more than these it takes longer to sort all than to walk to a page of them.
_MANY: Final = 20_000


def page_of(connection: Connection, wanted: RunFilter) -> tuple[tuple[Run, ...], int]:
    """Return a page of those that a filter lets through, and how many it does.

    The numbers are found first: the search reads no row that it does not show.
    """
    plan_for_lists(connection)
    conditions = list(_conditions(wanted))
    numbers, total = _found(connection, wanted, conditions)
    found = runs_of(connection, with_spec().where(_R.number.in_(numbers)))
    place = {number: at for at, number in enumerate(numbers)}
    runs = tuple(sorted(found, key=lambda one: place[one.id]))
    if total is None:
        total = _total(connection, wanted, conditions, len(runs))
    return runs, total


def _found(
    connection: Connection, wanted: RunFilter, conditions: Conditions
) -> tuple[list[int], int | None]:
    """Return the numbers of a page in order, and how many have any if that is known."""
    order = _order(wanted, _SORTED_BY[wanted.sort], _R.number)
    ordered = select(_R.number).where(*conditions).order_by(*order)
    if _asks_nothing(wanted):
        if wanted.sort is RunColumn.VALUE:
            return _by_value(connection, wanted, conditions), None
        return _numbers(connection, wanted, ordered), None
    if _asks_only_words(wanted):
        words = select(_W.number).where(*_words(wanted))
        if wanted.sort is RunColumn.ID:
            order = _order(wanted, _W.number, _W.number)
            return _numbers(connection, wanted, words.order_by(*order)), None
        if wanted.sort is RunColumn.NAME:
            total = _count(connection, words)
            if total > _MANY:
                # A walk through the index of names soon meets a page of them.
                return _numbers(connection, wanted, ordered), total
    elif wanted.sort is RunColumn.ID:
        return _numbers(connection, wanted, ordered), None
    return _sorted(connection, wanted, conditions)


def _sorted(
    connection: Connection, wanted: RunFilter, conditions: Conditions
) -> tuple[list[int], int | None]:
    """Return a page of what is found before it is sorted, and how many that is.

    What is sorted has all been read: to count it reads nothing a second time. None
    behind the last page, where there is no row to say it.
    """
    by = _SORTED_BY[wanted.sort].label("by")
    found = select(_R.number, by).where(*conditions).cte("found")
    # Asked for twice, it is kept by both databases in between.
    total = select(func.count()).select_from(found).scalar_subquery()
    query = select(found.c.number, total.label("total")).order_by(
        *_order(wanted, found.c.by, found.c.number)
    )
    rows = connection.execute(query.limit(wanted.limit).offset(wanted.offset)).all()
    return [row.number for row in rows], rows[0].total if rows else None


def _numbers(
    connection: Connection, wanted: RunFilter, ordered: Select[tuple[int]]
) -> list[int]:
    return list(connection.scalars(ordered.limit(wanted.limit).offset(wanted.offset)))


def _by_value(
    connection: Connection, wanted: RunFilter, conditions: Conditions
) -> list[int]:
    """Return a page out of the index of values, with those that have none behind.

    A search reads rows besides: there it is quicker to find first, and sort after.
    """
    column, number = in_order(
        _R.value_number, _R.number, is_descending=wanted.is_descending
    )
    asked = select(_R.number).where(*conditions)
    valued = asked.where(_R.value_number.is_not(None))
    page = _numbers(connection, wanted, valued.order_by(column, number))
    missing = wanted.limit - len(page)
    if not missing:
        return page
    before = wanted.offset + len(page)
    if wanted.offset and not page:
        before = _count(connection, valued)
    rest = replace(wanted, limit=missing, offset=max(0, wanted.offset - before))
    without = asked.where(_R.value_number.is_(None))
    return page + _numbers(connection, rest, without.order_by(number))


def _asks_nothing(wanted: RunFilter) -> bool:
    """Tell whether all runs of a kind are listed, of some tenants or of all."""
    return wanted == RunFilter(
        wanted.kind,
        wanted.tenants,
        sort=wanted.sort,
        is_descending=wanted.is_descending,
        limit=wanted.limit,
        offset=wanted.offset,
    )


def _asks_only_words(wanted: RunFilter) -> bool:
    """Tell whether the table of words has all that is asked for, but the order."""
    words: dict[str, Any] = dict.fromkeys(_IN_WORDS, ANY_TEXT)
    return _asks_nothing(replace(wanted, **words))


def _total(
    connection: Connection, wanted: RunFilter, conditions: Conditions, shown: int
) -> int:
    """Return how many there are; a page that is not full has the last of them."""
    if shown < wanted.limit and (shown or not wanted.offset):
        return wanted.offset + shown
    if _asks_only_words(wanted):
        return _count(connection, select(_W.number).where(*_words(wanted)))
    asked = select(_R.number)
    names = [name for name in _TEXTS if getattr(wanted, name).is_refused]
    allowing: dict[str, Any] = dict.fromkeys(names, ANY_TEXT)
    rest = replace(wanted, tags=TagRule(wanted.tags.wanted), **allowing)
    if rest == wanted or not _asks_nothing(rest):
        return _count(connection, asked.where(*conditions))
    # To look for it at each run costs most: those that have what is refused are fewer.
    others = asked.where(*_conditions(rest))
    refused = [_has_tag(wanted, tag) for tag in wanted.tags.refused]
    for name in names:
        refused += _TEXTS[name](Part(getattr(wanted, name).text))
    return _count(connection, others) - _count(connection, others.where(or_(*refused)))


def _count(connection: Connection, asked: Select[tuple[int]]) -> int:
    return (
        connection.scalar(
            asked.with_only_columns(func.count(), maintain_column_froms=True)
        )
        or 0
    )


def _order(
    wanted: RunFilter, column: ColumnElement[Any], number: ColumnElement[int]
) -> tuple[ColumnElement[Any], ...]:
    column, number = in_order(column, number, is_descending=wanted.is_descending)
    if wanted.sort in (RunColumn.VALUE, RunColumn.ENDED_AT):
        # What has no value yet comes last, whichever way one looks.
        column = column.nulls_last()
    return column, number


def _conditions(wanted: RunFilter) -> Iterator[ColumnElement[bool]]:
    yield _R.kind == wanted.kind.value
    if wanted.tenants is not None:
        yield _R.tenant.in_(wanted.tenants)
    if wanted.states and wanted.states <= LIVE:
        # Few live among the many that have ended: an index has just those.
        yield _R.number.in_(select(_R.number).where(_R.settled_at.is_(None)))
    if wanted.states and wanted.states != LIVE:
        yield _R.state.in_(sorted(one.value for one in wanted.states))
    if wanted.is_favourite is not None:
        yield _R.is_favourite.is_(wanted.is_favourite)
    for column, number in (
        (_R.preprocessing, wanted.preprocessing),
        (_R.data, wanted.data),
    ):
        if number is not None:
            yield column == number
    yield from is_within(_R.number, wanted.id)
    yield from is_within(_R.asked_at, wanted.asked_at)
    yield from _parents(wanted.parent_id)
    for name, condition in _TEXTS.items():
        yield from condition(getattr(wanted, name))
    yield from _tags(wanted)


def _parents(numbers: Span) -> Iterator[ColumnElement[bool]]:
    if conditions := list(is_within(_P.parent, numbers)):
        yield _R.number.in_(select(_P.run).where(*conditions))


def _words(wanted: RunFilter) -> Iterator[ColumnElement[bool]]:
    """Yield what the table of words alone is asked."""
    yield _W.kind == wanted.kind.value
    if wanted.tenants is not None:
        yield _W.tenant.in_(wanted.tenants)
    for name, column in _IN_WORDS.items():
        yield from _has_word(column, getattr(wanted, name))


def _has_word(column: ColumnElement[str], part: Part) -> Iterator[ColumnElement[bool]]:
    if part.text:
        found = column.contains(in_one_case(part.text), autoescape=True)
        yield ~found if part.is_refused else found


def _word(column: ColumnElement[str], part: Part) -> Iterator[ColumnElement[bool]]:
    for condition in _has_word(column, part):
        yield _R.number.in_(select(_W.number).where(condition))


def _dataset(part: Part) -> Iterator[ColumnElement[bool]]:
    if part.text:
        named = has_part(DATASETS.c.name, Part(part.text))
        uses = _R.dataset.in_(select(DATASETS.c.number).where(*named))
        yield or_(_R.dataset.is_(None), ~uses) if part.is_refused else uses


# Conditions on texts, by the names that a filter has for them.
_TEXTS: Final[Mapping[str, Callable[[Part], Iterator[ColumnElement[bool]]]]] = {
    "owner": partial(has_part, _R.owner),
    "queue": partial(has_part, _R.queue),
    "name": partial(has_part, _R.name),
    **{name: partial(_word, column) for name, column in _IN_WORDS.items()},
    "dataset": _dataset,
}


def _tags(wanted: RunFilter) -> Iterator[ColumnElement[bool]]:
    for tag in wanted.tags.wanted:
        yield _has_tag(wanted, tag)
    for tag in wanted.tags.refused:
        # Most have not got it: each run is asked, rather than all that have it.
        mine = exists().where(_T.tenant == _R.tenant, _T.run == _R.number)
        yield ~mine.where(_T.tag == tag)


def _has_tag(wanted: RunFilter, tag: str) -> ColumnElement[bool]:
    return _R.number.in_(select(_T.run).where(*_tagged(wanted, tag)))


def _tagged(wanted: RunFilter, tag: str) -> Iterator[ColumnElement[bool]]:
    yield _T.tag == tag
    if wanted.tenants is not None:
        yield _T.tenant.in_(wanted.tenants)
