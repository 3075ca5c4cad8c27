"""Failed logins in the database, counted for every process together."""

from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Engine,
    Table,
    case,
    delete,
    func,
    literal_column,
    select,
    tuple_,
)

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.login_tables import FailureRow, KnownAddressRow, TallyRow
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.throttle import FORGOTTEN_AFTER_S, Key, Tally

_TALLIES: Final = cast(Table, TallyRow.__table__)
_FAILURES: Final = cast(Table, FailureRow.__table__)
_KNOWN: Final = cast(Table, KnownAddressRow.__table__)
SLICE_S: Final = 5
KNOWN_FOR_S: Final = 30 * 86_400
_SLICES_KEPT: Final = 720


class SqlThrottleStore:
    """A ThrottleStore (domain/login.py); any thread may call it, off the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def tallies(self, person: str, address: str) -> Mapping[Key, Tally | None]:
        """Return the counters that apply."""
        columns = _TALLIES.c
        query = select(columns.kind, columns.failures, columns.last_failure_at).where(
            tuple_(columns.kind, columns.person, columns.address).in_(
                [tuple(key.values()) for key in _keys(person, address)]
            )
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        found = {
            Key(row.kind): Tally(row.failures, row.last_failure_at) for row in rows
        }
        return {key: found.get(key) for key in Key}

    def count_failure(self, person: str, address: str, now: float) -> None:
        """Count one failure on each of them, atomically."""
        with writing(self._engine) as connection:
            statement = upsert(connection, _TALLIES, instead=_one_more())
            for key in _keys(person, address):
                counted = {**key, "failures": 1, "last_failure_at": now}
                connection.execute(statement, counted)
            is_new_slice = self._count_slice(connection, now)
        if is_new_slice:
            self._forget(now)

    def clear(self, person: str, address: str, now: float) -> None:
        """Forget the pair's failures and remember the address as the person's."""
        columns = _TALLIES.c
        with writing(self._engine) as connection:
            connection.execute(
                delete(_TALLIES).where(
                    columns.kind == Key.PAIR,
                    columns.person == person,
                    columns.address == address,
                )
            )
            seen = {"person": person, "address": address, "seen_at": now}
            connection.execute(upsert(connection, _KNOWN), seen)

    def is_known_address(self, person: str, address: str, now: float) -> bool:
        """Tell whether the person logged in from here within the last 30 days."""
        columns = _KNOWN.c
        query = select(columns.seen_at).where(
            columns.person == person,
            columns.address == address,
            columns.seen_at > now - KNOWN_FOR_S,
        )
        with reading(self._engine) as connection:
            return connection.execute(query).first() is not None

    def failures_since(self, since: float) -> int:
        """Return how many failures there were over everybody, to five seconds."""
        query = select(func.sum(_FAILURES.c.failures)).where(
            _FAILURES.c.slice >= int(since // SLICE_S)
        )
        with reading(self._engine) as connection:
            return int(connection.scalar(query) or 0)

    def _count_slice(self, connection: Connection, now: float) -> bool:
        one_more = {"failures": _FAILURES.c.failures + 1}
        number = int(now // SLICE_S)
        connection.execute(
            upsert(connection, _FAILURES, instead=one_more),
            {"slice": number, "failures": 1},
        )
        written = select(_FAILURES.c.failures).where(_FAILURES.c.slice == number)
        return bool(connection.scalar(written) == 1)

    def _forget(self, now: float) -> None:
        """Delete what no longer counts; rows that somebody writes stay for later."""
        old = [
            (_TALLIES, _TALLIES.c.last_failure_at < now - FORGOTTEN_AFTER_S),
            (_KNOWN, _KNOWN.c.seen_at < now - KNOWN_FOR_S),
            (_FAILURES, _FAILURES.c.slice < int(now // SLICE_S) - _SLICES_KEPT),
        ]
        with writing(self._engine) as connection:
            for table, is_old in old:
                keys = list(table.primary_key.columns)
                # Two processes that delete the same rows in another order would
                # wait for each other for ever.
                free = select(*keys).where(is_old).with_for_update(skip_locked=True)
                connection.execute(delete(table).where(tuple_(*keys).in_(free)))


def _keys(person: str, address: str) -> list[dict[str, str]]:
    """Name the counters, always in the same order: who locks several, locks so."""
    return [
        {"kind": Key.PAIR.value, "person": person, "address": address},
        {"kind": Key.PERSON.value, "person": person, "address": ""},
        {"kind": Key.ADDRESS.value, "person": "", "address": address},
    ]


def _one_more() -> Mapping[str, Any]:
    """Say in SQL what domain.throttle.counted says in Python."""
    columns = _TALLIES.c
    now: ColumnElement[float] = literal_column("excluded.last_failure_at", Double)
    was_quiet = now - columns.last_failure_at >= FORGOTTEN_AFTER_S
    return {"failures": case((was_quiet, 1), else_=columns.failures + 1)}
