"""Between rows and notebooks: what a row says, and the latest session beside it."""

from typing import Any, Final, cast

from sqlalchemy import Row, Select, Table, func, select

from kqi_hub.db.notebook_tables import NotebookRow, SessionRow
from kqi_hub.domain.notebooks import Cause, Notebook, Phase, Session

NOTEBOOKS: Final = cast(Table, NotebookRow.__table__)
SESSIONS: Final = cast(Table, SessionRow.__table__)
# The column that holds the time of a phase. A session is asked for when it begins.
PHASE_COLUMNS: Final = {
    Phase.QUEUED: SESSIONS.c.queued_at,
    Phase.NODE: SESSIONS.c.node_at,
    Phase.ENVIRONMENT: SESSIONS.c.environment_at,
    Phase.SERVER: SESSIONS.c.server_at,
    Phase.READY: SESSIONS.c.ready_at,
}
# Both tables have a number, an owner and a time of change.
_PREFIX: Final = "session_"
_SESSION_COLUMNS: Final = [
    column.label(_PREFIX + column.name) for column in SESSIONS.columns
]


def with_latest_session() -> Select[Any]:
    """Return the query of notebooks, each with the columns of its latest session."""
    newest = SESSIONS.alias("newest")
    latest = (
        select(func.max(newest.c.number))
        .where(newest.c.notebook == NOTEBOOKS.c.number)
        .scalar_subquery()
    )
    joined = NOTEBOOKS.outerjoin(SESSIONS, SESSIONS.c.number == latest)
    return select(NOTEBOOKS, *_SESSION_COLUMNS).select_from(joined)


def notebook_of(row: Row[Any]) -> Notebook:
    """Read a row of `with_latest_session`."""
    has_session = getattr(row, _PREFIX + "number") is not None
    return Notebook(
        id=row.number,
        owner=row.owner,
        choices=row.choices,
        created_at=row.created_at,
        changed_at=row.changed_at,
        is_favourite=row.is_favourite,
        session=session_of(row, _PREFIX) if has_session else None,
    )


def session_of(row: Row[Any], prefix: str = "") -> Session:
    """Read a session out of a row whose columns have this prefix."""

    def of(name: str) -> Any:
        return getattr(row, prefix + name)

    reached = [(phase, of(c.name)) for phase, c in PHASE_COLUMNS.items()]
    return Session(
        id=of("number"),
        notebook_id=of("notebook"),
        owner=of("owner"),
        key=of("key"),
        chosen=of("chosen"),
        asked_at=of("asked_at"),
        changed_at=of("changed_at"),
        job_id=of("job_id"),
        node=of("node"),
        port=of("port"),
        reached=(
            (Phase.ASKED, of("asked_at")),
            *((phase, at) for phase, at in reached if at is not None),
        ),
        stopping=_cause(of("stopping")),
        ended_at=of("ended_at"),
        cause=_cause(of("cause")),
        detail=of("detail"),
        exit_code=of("exit_code"),
        seen=of("seen"),
    )


def _cause(text: str | None) -> Cause | None:
    return None if text is None else Cause(text)
