"""The audit log in the database: added to and read, never changed (see 0002_login)."""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import Engine, Row, Table, insert, select

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.login_tables import AuditRow
from kqi_hub.domain.login import AuditEvent

_LOG: Final = cast(Table, AuditRow.__table__)
_LONGEST: Final = {"actor": 100, "action": 50, "target": 200, "outcome": 50}
_LONGEST_ADDRESS: Final = 64
_LONGEST_DETAIL: Final = 500
_MOST_DETAILS: Final = 20


class SqlAuditLog:
    """An AuditLog (domain/login.py); any thread may call it, off the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, event: AuditEvent) -> None:
        """Add one event; what is too long is cut."""
        row = {
            **{name: getattr(event, name)[:most] for name, most in _LONGEST.items()},
            "at": event.at,
            "address": event.address[:_LONGEST_ADDRESS],
            "detail": json.dumps(_short(event.detail)),
        }
        with writing(self._engine) as connection:
            connection.execute(insert(_LOG), row)

    def read(
        self,
        actor: str | None = None,
        action: str | None = None,
        since: float | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[tuple[int, AuditEvent], ...]:
        """Return events newest first with their numbers, below `before`."""
        columns = _LOG.c
        query = select(_LOG).order_by(columns.number.desc()).limit(limit)
        if actor is not None:
            query = query.where(columns.actor == actor)
        if action is not None:
            query = query.where(columns.action == action)
        if since is not None:
            query = query.where(columns.at >= since)
        if before is not None:
            query = query.where(columns.number < before)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return tuple((row.number, _event(row)) for row in rows)


def _event(row: Row[Any]) -> AuditEvent:
    return AuditEvent(
        at=row.at,
        actor=row.actor,
        action=row.action,
        target=row.target,
        outcome=row.outcome,
        address=row.address,
        detail=json.loads(row.detail),
    )


def _short(detail: Mapping[str, str]) -> dict[str, str]:
    kept = list(detail.items())[:_MOST_DETAILS]
    return {key[:_LONGEST_DETAIL]: value[:_LONGEST_DETAIL] for key, value in kept}
