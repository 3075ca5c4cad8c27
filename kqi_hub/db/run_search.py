"""Lists of runs in the database: what a filter lets through, and in which order."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select

from kqi_hub.db.dataset_rows import DATASETS
from kqi_hub.db.list_conditions import has_part, is_within
from kqi_hub.db.run_rows import PARENTS, RUNS, TAGS, runs_of, with_spec
from kqi_hub.domain.filters import Part
from kqi_hub.domain.run_list import RunColumn, RunFilter
from kqi_hub.domain.runs import LIVE, Run

_R, _P, _T = RUNS.c, PARENTS.c, TAGS.c
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


def page_of(connection: Connection, wanted: RunFilter) -> tuple[tuple[Run, ...], int]:
    """Return a page of those that a filter lets through, and how many it does.

    The numbers are found first: the search reads no row that it does not show.
    """
    conditions = list(_conditions(wanted))
    query = select(_R.number).where(*conditions).order_by(*_order(wanted))
    page = query.limit(wanted.limit).offset(wanted.offset)
    numbers = list(connection.scalars(page))
    found = runs_of(connection, with_spec().where(_R.number.in_(numbers)))
    place = {number: at for at, number in enumerate(numbers)}
    runs = tuple(sorted(found, key=lambda one: place[one.id]))
    return runs, _total(connection, wanted, conditions, len(runs))


def _total(
    connection: Connection,
    wanted: RunFilter,
    conditions: list[ColumnElement[bool]],
    shown: int,
) -> int:
    """Return how many there are; a page that is not full has the last of them."""
    if shown < wanted.limit and (shown or not wanted.offset):
        return wanted.offset + shown
    counted = select(func.count()).select_from(RUNS).where(*conditions)
    return connection.scalar(counted) or 0


def _order(wanted: RunFilter) -> tuple[ColumnElement[Any], ...]:
    column = _SORTED_BY[wanted.sort]
    if not wanted.is_descending:
        order = [column.asc(), _R.number.asc()]
    else:
        order = [column.desc(), _R.number.desc()]
    if wanted.sort in (RunColumn.VALUE, RunColumn.ENDED_AT):
        # What has no value yet comes last, whichever way one looks.
        order[0] = order[0].nulls_last()
    return tuple(order)


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
    yield from _texts(wanted)
    yield from _parents(wanted)
    yield from _dataset(wanted.dataset)
    yield from _tags(wanted)


def _texts(wanted: RunFilter) -> Iterator[ColumnElement[bool]]:
    for column, part in (
        (_R.owner, wanted.owner),
        (_R.queue, wanted.queue),
        (_R.name, wanted.name),
        (_R.memo, wanted.memo),
        (_R.command, wanted.command),
    ):
        yield from has_part(column, part)


def _parents(wanted: RunFilter) -> Iterator[ColumnElement[bool]]:
    spans = list(is_within(_P.parent, wanted.parent_id))
    if spans:
        yield _R.number.in_(select(_P.run).where(*spans))
    part = wanted.parent_name
    if part.text:
        parent = RUNS.alias("parent")
        named = has_part(parent.c.name, Part(part.text))
        joined = select(_P.run).join_from(PARENTS, parent, parent.c.number == _P.parent)
        is_child = _R.number.in_(joined.where(*named))
        yield ~is_child if part.is_refused else is_child


def _dataset(part: Part) -> Iterator[ColumnElement[bool]]:
    if part.text:
        named = has_part(DATASETS.c.name, Part(part.text))
        uses = _R.dataset.in_(select(DATASETS.c.number).where(*named))
        yield or_(_R.dataset.is_(None), ~uses) if part.is_refused else uses


def _tags(wanted: RunFilter) -> Iterator[ColumnElement[bool]]:
    for tag in wanted.tags.wanted:
        yield _R.number.in_(select(_T.run).where(*_tagged(wanted, tag)))
    for tag in wanted.tags.refused:
        # Most have not got it: each run is asked, rather than all that have it.
        mine = exists().where(_T.tenant == _R.tenant, _T.run == _R.number)
        yield ~mine.where(_T.tag == tag)


def _tagged(wanted: RunFilter, tag: str) -> Iterator[ColumnElement[bool]]:
    yield _T.tag == tag
    if wanted.tenants is not None:
        yield _T.tenant.in_(wanted.tenants)
