"""Tickets and tokens of running jobs, in the database."""

from collections.abc import Collection
from typing import Final, cast

from sqlalchemy import Engine, Table, delete, exists, insert, select, update

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.job_token_tables import RunTicketRow, RunTokenRow
from kqi_hub.db.run_tables import RunRow
from kqi_hub.db.upsert import insert_missing
from kqi_hub.domain.job_tokens import Holder, LeftToken
from kqi_hub.domain.runs import Run

_TICKETS: Final = cast(Table, RunTicketRow.__table__)
_TOKENS: Final = cast(Table, RunTokenRow.__table__)
_RUNS: Final = cast(Table, RunRow.__table__)
_K, _T, _R = _TICKETS.c, _TOKENS.c, _RUNS.c
# A run lives until its job's end is known; collecting its results needs no token.
_LIVES: Final = _R.ended_at.is_(None) & _R.settled_at.is_(None)


class SqlJobTokens:
    """JobTokenStore (domain/job_tokens.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep_ticket(self, key: str, digest: str, now: float) -> None:
        """Keep the digest of a ticket of a job's key, beside earlier ones."""
        row = {"digest": digest, "key": key, "made_at": now}
        with writing(self._engine) as connection:
            connection.execute(insert(_TICKETS), row)

    def digests(self, key: str) -> tuple[str, ...]:
        """Return the digests of all tickets of a job's key."""
        query = select(_K.digest).where(_K.key == key)
        with reading(self._engine) as connection:
            return tuple(connection.scalars(query))

    def claim(self, run: Run, now: float) -> bool:
        """Take a run's one token for oneself; False once it is taken, or it is over."""
        row = {
            "run": run.id,
            "owner": run.owner,
            "claimed_at": now,
            "token_id": None,
            "expires_at": None,
        }
        lives = select(_R.number).where(_R.number == run.id, _LIVES)
        with writing(self._engine) as connection:
            if connection.scalar(lives.with_for_update()) is None:
                return False
            # Told by the row itself: not every driver counts what it has inserted.
            claimed = insert_missing(connection, _TOKENS).returning(_T.run)
            return connection.scalar(claimed, row) is not None

    def give_back(self, run_id: int) -> None:
        """Let go of a claim: no token came of it."""
        unmade = delete(_TOKENS).where(_T.run == run_id, _T.token_id.is_(None))
        with writing(self._engine) as connection:
            connection.execute(unmade)

    def made(self, run_id: int, token_id: str, expires_at: float) -> None:
        """Note the token that came of a claim."""
        mine = update(_TOKENS).where(_T.run == run_id)
        with writing(self._engine) as connection:
            connection.execute(mine.values(token_id=token_id, expires_at=expires_at))

    def holder(self, token_id: str) -> Holder | None:
        """Return whose job has a token, None unless its run still lives."""
        query = (
            select(_R.number, _R.owner, _R.tenant)
            .join(_TOKENS, _T.run == _R.number)
            .where(_T.token_id == token_id, _LIVES)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else Holder(row.number, row.owner, row.tenant)

    def left(self, limit: int) -> tuple[LeftToken, ...]:
        """Return tokens of runs that have ended or are gone."""
        lives = exists().where(_R.number == _T.run, _LIVES)
        query = select(_T.run, _T.owner, _T.token_id).where(~lives)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_T.run).limit(limit))
            return tuple(LeftToken(row.run, row.owner, row.token_id) for row in rows)

    def forget(self, run_ids: Collection[int]) -> None:
        """Forget the tokens of these runs."""
        with writing(self._engine) as connection:
            connection.execute(delete(_TOKENS).where(_T.run.in_(run_ids)))

    def tidy_tickets(self, before: float) -> None:
        """Forget tickets made before this moment that no live run has."""
        lives = exists().where(_R.key == _K.key, _LIVES)
        old = delete(_TICKETS).where(_K.made_at < before, ~lives)
        with writing(self._engine) as connection:
            connection.execute(old)
