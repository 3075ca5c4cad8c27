"""Sessions of notebooks in the database: each change is one statement, and may repeat.

A session that has ended changes no more: every statement says so itself, whoever is
quicker.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, case, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.notebook_rows import NOTEBOOKS, PHASE_COLUMNS, SESSIONS, session_of
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Choices, Phase, Session

_S: Final = SESSIONS.c
_IS_LIVE: Final = _S.ended_at.is_(None)
# Large enough to be seen in a sum of many times.
_TICK: Final = 1e-3


class SqlSessionStore:
    """A SessionStore (domain/notebook_ports.py); any thread may call it."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def ask(self, notebook_id: int, chosen: Choices, key: str, now: float) -> Session:
        """Store the wish for a session; Conflict when the notebook has a live one."""
        owner = select(NOTEBOOKS.c.owner).where(NOTEBOOKS.c.number == notebook_id)
        values = {
            "notebook": notebook_id,
            "key": key,
            "chosen": chosen,
            "asked_at": now,
            "changed_at": now,
            "node": "",
            "detail": "",
            "seen": (),
        }
        try:
            with writing(self._engine) as connection:
                # A notebook that is being deleted is waited for, then not there.
                name = connection.scalar(owner.with_for_update(key_share=True))
                if name is None:
                    raise NotFound(
                        "There is no such notebook.", "Look at the list again."
                    )
                statement = insert(SESSIONS).values(owner=name, **values)
                row = connection.execute(statement.returning(SESSIONS)).one()
        except IntegrityError as error:
            raise Conflict(
                "This notebook runs or waits already.",
                "Open it, or stop it before you start it again.",
            ) from error
        return session_of(row)

    def one(self, session_id: int) -> Session | None:
        """Return one."""
        found = self._where(_S.number == session_id)
        return found[0] if found else None

    def live_of_server(self, owner: str, notebook_id: int) -> Session | None:
        """Return the live session behind a server of the hub."""
        found = self._where(_IS_LIVE, _S.notebook == notebook_id, _S.owner == owner)
        return found[0] if found else None

    def live(self, owner: str | None = None) -> tuple[Session, ...]:
        """Return every live session, of one person or of all."""
        if owner is None:
            return self._where(_IS_LIVE)
        return self._where(_IS_LIVE, _S.owner == owner)

    def submitted(self, session_id: int, job_id: int, now: float) -> Session:
        """Note the job, and that the session is queued; the first job wins."""
        values = {"job_id": job_id, "queued_at": func.coalesce(_S.queued_at, now)}
        return self._note(session_id, now, values, _S.job_id.is_(None))

    def reached(self, session_id: int, phase: Phase, now: float) -> Session:
        """Note a phase; one that was noted before keeps its time."""
        column = PHASE_COLUMNS.get(phase)
        if column is None:
            return self._known(session_id)
        return self._note(session_id, now, {column.name: now}, column.is_(None))

    def heard_port(self, session_id: int, port: int, now: float) -> Session:
        """Note the port its server has told; one that was noted before stays."""
        return self._note(session_id, now, {"port": port}, _S.port.is_(None))

    def placed(self, session_id: int, node: str, port: int, now: float) -> Session:
        """Note where its server listens."""
        is_new = (_S.node != node) | _S.port.is_distinct_from(port)
        return self._note(session_id, now, {"node": node, "port": port}, is_new)

    def stopping(self, session_id: int, cause: Cause, now: float) -> Session:
        """Note why it is about to end: the first cause told wins."""
        values = {"stopping": cause.value}
        return self._note(session_id, now, values, _S.stopping.is_(None))

    def ended(self, session_id: int, end: SessionEnd) -> Session:
        """Note its end; a `stopping` cause told before outranks `end.cause`."""
        values = {
            "ended_at": end.at,
            "cause": func.coalesce(_S.stopping, end.cause.value),
            "detail": end.detail,
            "exit_code": end.exit_code,
            "seen": end.seen,
        }
        # Slurm may say so long afterwards; pages are told of it now.
        return self._note(session_id, max(end.at, self._clock()), values)

    def changed_since(
        self, moment: float, owners: Collection[str] | None = None
    ) -> tuple[Session, ...]:
        """Return sessions changed at or after the moment, for live pages."""
        if owners is None:
            return self._where(_S.changed_at >= moment)
        return self._where(_S.changed_at >= moment, _S.owner.in_(owners))

    def stamps(self, owners: Collection[str]) -> Mapping[str, float]:
        """Return a number for each of these people that every change changes.

        Only live sessions change, and each one's time only grows: their sum differs
        even where a change bears an earlier time than another session's.
        """
        query = (
            select(_S.owner, func.sum(_S.changed_at))
            .where(_IS_LIVE, _S.owner.in_(owners))
            .group_by(_S.owner)
        )
        with reading(self._engine) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def _note(
        self,
        session_id: int,
        now: float,
        values: dict[str, Any],
        *unless: ColumnElement[bool],
    ) -> Session:
        """Change a live session for which all of `unless` hold, and return it."""
        # Two changes within one tick of the clock, or after it was set back, are two.
        later = case((_S.changed_at < now, now), else_=_S.changed_at + _TICK)
        statement = (
            update(SESSIONS)
            .where(_S.number == session_id, _IS_LIVE, *unless)
            .values(changed_at=later, **values)
        )
        with writing(self._engine) as connection:
            row = connection.execute(statement.returning(SESSIONS)).one_or_none()
        return self._known(session_id) if row is None else session_of(row)

    def _known(self, session_id: int) -> Session:
        found = self.one(session_id)
        if found is None:
            raise NotFound(
                "There is no session {id}.",
                "Look at the notebook again.",
                id=session_id,
            )
        return found

    def _where(self, *conditions: ColumnElement[bool]) -> tuple[Session, ...]:
        query = select(SESSIONS).where(*conditions).order_by(_S.number)
        with reading(self._engine) as connection:
            return tuple(map(session_of, connection.execute(query)))
