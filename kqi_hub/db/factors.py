"""Second factors in the database: each code and each recovery code counts once."""

import time
from collections.abc import Callable
from typing import Final, cast

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.login_tables import FactorRow, RecoveryCodeRow
from kqi_hub.db.sealed import Box
from kqi_hub.db.upsert import insert_missing, upsert
from kqi_hub.domain.login import Factor
from kqi_hub.domain.recovery import fingerprint, matches, new_codes

_FACTORS: Final = cast(Table, FactorRow.__table__)
_CODES: Final = cast(Table, RecoveryCodeRow.__table__)


class SqlFactorStore:
    """A FactorStore (domain/login.py); any thread may call it, off the event loop."""

    def __init__(
        self, engine: Engine, box: Box, now: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._box = box
        self._now = now

    def factor(self, person: str) -> Factor | None:
        """Return the person's factor."""
        columns = _FACTORS.c
        query = select(columns.sealed_secret, columns.last_step).where(
            columns.person == person
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        secret = self._box.open(row.sealed_secret, _secret_of(person))
        return Factor(person, secret, row.last_step)

    def has_factor(self, person: str) -> bool:
        """Tell whether there is one; nothing is decrypted for it."""
        query = select(_FACTORS.c.last_step).where(_FACTORS.c.person == person)
        with reading(self._engine) as connection:
            return connection.execute(query).first() is not None

    def set_up(
        self, person: str, secret: str, step: int, replace: bool
    ) -> tuple[str, ...] | None:
        """Store a confirmed factor and return fresh recovery codes, once."""
        row = {
            "person": person,
            "sealed_secret": self._box.seal(secret, _secret_of(person)),
            "last_step": step,
            "set_up_at": self._now(),
        }
        with writing(self._engine) as connection:
            put = upsert if replace else insert_missing
            connection.execute(put(connection, _FACTORS), row)
            # Sealing the same twice gives two texts: so this tells whose row it is.
            stored = select(_FACTORS.c.sealed_secret).where(_FACTORS.c.person == person)
            if connection.scalar(stored) != row["sealed_secret"]:
                return None
            return self._renew_codes(connection, person)

    def accept_step(self, person: str, step: int) -> bool:
        """Raise the last accepted step atomically; False if it was used before."""
        columns = _FACTORS.c
        raised = (
            update(_FACTORS)
            .where(columns.person == person, columns.last_step < step)
            .values(last_step=step)
        )
        with writing(self._engine) as connection:
            return connection.execute(raised).rowcount == 1

    def use_recovery_code(self, person: str, code: str) -> bool:
        """Use up a recovery code atomically; False if unknown or used."""
        columns = _CODES.c
        unused = select(columns.number, columns.sealed_hash).where(
            columns.person == person, columns.used_at.is_(None)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(unused).all()
        purpose = _code_of(person)
        for row in rows:
            if matches(code, self._box.open(row.sealed_hash, purpose)):
                return self._use_up(row.number)
        return False

    def recovery_codes_left(self, person: str) -> int:
        """Return how many recovery codes are unused."""
        query = (
            select(func.count())
            .select_from(_CODES)
            .where(_CODES.c.person == person, _CODES.c.used_at.is_(None))
        )
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def new_recovery_codes(self, person: str) -> tuple[str, ...]:
        """Replace all recovery codes and return the new ones, once."""
        # The factor's row is the lock: two renewals leave ten codes, not twenty.
        factor = select(_FACTORS.c.person).where(_FACTORS.c.person == person)
        with writing(self._engine) as connection:
            if connection.scalar(factor.with_for_update()) is None:
                return ()
            return self._renew_codes(connection, person)

    def reset(self, person: str) -> bool:
        """Remove the factor and its codes; False if there was none."""
        with writing(self._engine) as connection:
            gone = connection.execute(
                delete(_FACTORS).where(_FACTORS.c.person == person)
            )
            connection.execute(delete(_CODES).where(_CODES.c.person == person))
            return gone.rowcount == 1

    def _use_up(self, number: int) -> bool:
        used = (
            update(_CODES)
            .where(_CODES.c.number == number, _CODES.c.used_at.is_(None))
            .values(used_at=self._now())
        )
        with writing(self._engine) as connection:
            return connection.execute(used).rowcount == 1

    def _renew_codes(self, connection: Connection, person: str) -> tuple[str, ...]:
        codes = new_codes()
        purpose = _code_of(person)
        connection.execute(delete(_CODES).where(_CODES.c.person == person))
        connection.execute(
            insert(_CODES),
            [
                {
                    "person": person,
                    "sealed_hash": self._box.seal(fingerprint(code), purpose),
                    "used_at": None,
                }
                for code in codes
            ],
        )
        return codes


def _secret_of(person: str) -> str:
    return f"one-time codes of {person}"


def _code_of(person: str) -> str:
    return f"recovery codes of {person}"
