"""People's notebooks in the database."""

from collections.abc import Iterator
from typing import Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.list_conditions import has_part, in_order, is_within
from kqi_hub.db.notebook_rows import (
    NOTEBOOKS,
    SESSIONS,
    notebook_of,
    session_of,
    with_latest_session,
)
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.notebook_list import NotebookColumn, NotebookFilter, Status
from kqi_hub.domain.notebooks import Choices, Notebook, Session

_N: Final = NOTEBOOKS.c
_S: Final = SESSIONS.c
_ORDER: Final = (_N.is_favourite.desc(), _N.number.desc())
_COLUMNS: Final = {
    NotebookColumn.ID: _N.number,
    NotebookColumn.NAME: _N.name,
    NotebookColumn.QUEUE: _N.queue,
    NotebookColumn.CREATED_AT: _N.created_at,
    NotebookColumn.CREATED_BY: _N.owner,
}
# Double precision at our times tells a quarter of a microsecond.
_TICK: Final = 1e-6
# The same order of questions as domain/notebook_list.py, `status_of`.
_STATUS: Final = case(
    (_S.number.is_(None), Status.NEW.value),
    (_S.cause.is_not(None), _S.cause),
    (_S.stopping.is_not(None), Status.STOPPING.value),
    (_S.ready_at.is_not(None), Status.RUNNING.value),
    (
        or_(
            _S.node_at.is_not(None),
            _S.environment_at.is_not(None),
            _S.server_at.is_not(None),
        ),
        Status.STARTING.value,
    ),
    else_=Status.WAITING.value,
)


class SqlNotebookStore:
    """A NotebookStore (domain/notebook_ports.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, owner: str, choices: Choices, now: float) -> Notebook:
        """Add one; Conflict when the owner has one of this name."""
        values = {
            "owner": owner,
            **_columns(choices),
            "created_at": now,
            "changed_at": now,
            "is_favourite": False,
        }
        try:
            with writing(self._engine) as connection:
                done = connection.execute(insert(NOTEBOOKS), values)
                [number] = cast("tuple[int]", done.inserted_primary_key)
        except IntegrityError as error:
            raise _taken(choices.name) from error
        return Notebook(number, owner, choices, now, now)

    def one(self, notebook_id: int) -> Notebook | None:
        """Return one with its latest session, whoever it belongs to."""
        with reading(self._engine) as connection:
            return _one(connection, notebook_id)

    def page(
        self, owner: str, limit: int = 100, before: int | None = None
    ) -> tuple[Notebook, ...]:
        """Return a person's, favourites first, then newest first, with sessions."""
        query = with_latest_session().where(_N.owner == owner)
        if before is not None:
            query = query.where(_is_behind(before))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(*_ORDER).limit(limit))
            return tuple(map(notebook_of, rows))

    def search(self, wanted: NotebookFilter) -> tuple[tuple[Notebook, ...], int]:
        """Return a page of those that a filter lets through, and how many it does."""
        query = with_latest_session().where(*_conditions(wanted))
        counted = select(func.count()).select_from(query.subquery())
        order = in_order(
            _COLUMNS[wanted.sort], _N.number, is_descending=wanted.is_descending
        )
        ordered = query.order_by(_N.is_favourite.desc(), *order)
        page = ordered.limit(wanted.limit).offset(wanted.offset)
        with reading(self._engine) as connection:
            total = connection.scalar(counted) or 0
            return tuple(map(notebook_of, connection.execute(page))), total

    def count(self, owner: str) -> int:
        """Return how many a person has."""
        query = select(func.count()).where(_N.owner == owner)
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def change(
        self, notebook_id: int, choices: Choices, seen_at: float, now: float
    ) -> Notebook:
        """Replace the choices; Conflict if it changed after `seen_at`."""
        # Two changes within one tick of the clock are two changes all the same.
        later = case((_N.changed_at < now, now), else_=_N.changed_at + _TICK)
        statement = (
            update(NOTEBOOKS)
            .where(_N.number == notebook_id, _N.changed_at <= seen_at)
            .values(**_columns(choices), changed_at=later)
        )
        try:
            with writing(self._engine) as connection:
                changed = connection.execute(statement).rowcount
                found = _one(connection, notebook_id)
        except IntegrityError as error:
            raise _taken(choices.name) from error
        if found is None:
            raise _no_notebook()
        if not changed:
            raise Conflict(
                "This notebook was changed meanwhile, on another page or by kqi.",
                "Look at what it is now, then change it again.",
            )
        return found

    def set_favourite(self, notebook_id: int, is_favourite: bool) -> None:
        """Mark or unmark it."""
        statement = update(NOTEBOOKS).where(_N.number == notebook_id)
        with writing(self._engine) as connection:
            done = connection.execute(statement.values(is_favourite=is_favourite))
        if not done.rowcount:
            raise _no_notebook()

    def delete(self, notebook_id: int) -> None:
        """Remove it and its sessions; Conflict while a session of it lives."""
        theirs = _S.notebook == notebook_id
        with writing(self._engine) as connection:
            # Whoever starts it now waits for this, then finds no notebook.
            locked = select(_N.number).where(_N.number == notebook_id)
            if connection.scalar(locked.with_for_update()) is None:
                raise _no_notebook()
            live = select(func.count()).where(theirs, _S.ended_at.is_(None))
            if connection.scalar(live):
                raise Conflict("This notebook still runs or waits.", "Stop it first.")
            connection.execute(delete(SESSIONS).where(theirs))
            connection.execute(delete(NOTEBOOKS).where(_N.number == notebook_id))

    def sessions(self, notebook_id: int, limit: int = 20) -> tuple[Session, ...]:
        """Return its sessions, newest first."""
        query = select(SESSIONS).where(_S.notebook == notebook_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_S.number.desc()).limit(limit))
            return tuple(map(session_of, rows))


def _one(connection: Connection, notebook_id: int) -> Notebook | None:
    query = with_latest_session().where(_N.number == notebook_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else notebook_of(row)


def _columns(choices: Choices) -> dict[str, object]:
    return {
        "name": choices.name,
        "tenant": choices.tenant,
        "queue": choices.queue,
        "memo": choices.memo,
        "choices": choices,
    }


def _is_behind(before: int) -> ColumnElement[bool]:
    """Tell which come after notebook `before` in the order of pages."""
    mark = NOTEBOOKS.alias("mark")
    is_favourite = (
        select(mark.c.is_favourite).where(mark.c.number == before).scalar_subquery()
    )
    same = and_(_N.is_favourite == is_favourite, _N.number < before)
    return or_(same, and_(is_favourite, ~_N.is_favourite))


def _conditions(wanted: NotebookFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.owner is not None:
        yield _N.owner == wanted.owner
    if wanted.tenants is not None:
        yield _N.tenant.in_(wanted.tenants)
    if wanted.is_favourite is not None:
        yield _N.is_favourite.is_(wanted.is_favourite)
    if wanted.is_live is not None:
        is_live = and_(_S.number.is_not(None), _S.ended_at.is_(None))
        yield is_live if wanted.is_live else ~is_live
    yield from is_within(_N.number, wanted.id)
    yield from is_within(_N.created_at, wanted.created_at)
    for column, part in (
        (_N.name, wanted.name),
        (_N.memo, wanted.memo),
        (_N.owner, wanted.created_by),
        (_N.queue, wanted.queue),
        (_STATUS, wanted.status),
    ):
        yield from has_part(column, part)


def _taken(name: str) -> Conflict:
    return Conflict(
        "You have a notebook called {name} already.",
        "Choose another name.",
        name=name,
    )


def _no_notebook() -> NotFound:
    return NotFound("There is no such notebook.", "Look at the list again.")
