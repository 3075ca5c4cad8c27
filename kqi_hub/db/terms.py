"""Who accepted which terms of use."""

from dataclasses import asdict
from typing import Final, cast

from sqlalchemy import Engine, Table, select

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.login_tables import AcceptanceRow
from kqi_hub.db.upsert import insert_missing
from kqi_hub.domain.terms import Acceptance

_ACCEPTED: Final = cast(Table, AcceptanceRow.__table__)


class SqlTermsStore:
    """A TermsStore (domain/terms.py); any thread may call it, off the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def accept(self, acceptance: Acceptance) -> None:
        """Record it; a version accepted before keeps its first record."""
        with writing(self._engine) as connection:
            statement = insert_missing(connection, _ACCEPTED)
            connection.execute(statement, asdict(acceptance))

    def accepted(self, person: str) -> tuple[Acceptance, ...]:
        """Return what the person accepted, newest first."""
        columns = _ACCEPTED.c
        query = (
            select(
                columns.person, columns.version, columns.accepted_at, columns.address
            )
            .where(columns.person == person)
            .order_by(columns.accepted_at.desc())
        )
        with reading(self._engine) as connection:
            return tuple(Acceptance(*row) for row in connection.execute(query))
