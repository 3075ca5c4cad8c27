"""Searches that people keep, in the database."""

from typing import Final, cast

from sqlalchemy import Engine, Table, delete, func, select

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.run_search_tables import RunSearchRow
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.run_searches import MOST_SEARCHES, RunSearch, too_many_searches
from kqi_hub.domain.runs import RunKind

_ROWS: Final = cast(Table, RunSearchRow.__table__)
_S: Final = _ROWS.c


class SqlRunSearchStore:
    """A RunSearchStore (domain/run_searches.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def searches(self, person: str, kind: RunKind) -> tuple[RunSearch, ...]:
        """Return a person's for one list, by name."""
        query = select(_S.name, _S.query).where(
            _S.person == person, _S.kind == kind.value
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query)
            return tuple(sorted((RunSearch(*row) for row in rows), key=_name))

    def keep(self, person: str, kind: RunKind, search: RunSearch, now: float) -> None:
        """Keep one, in place of another of its name; Conflict if there are too many."""
        others = select(func.count()).where(
            _S.person == person, _S.kind == kind.value, _S.name != search.name
        )
        row = {
            "person": person,
            "kind": kind.value,
            "name": search.name,
            "query": search.query,
            "changed_at": now,
        }
        with writing(self._engine) as connection:
            if (connection.scalar(others) or 0) >= MOST_SEARCHES:
                raise too_many_searches()
            connection.execute(upsert(connection, _ROWS), row)

    def drop(self, person: str, kind: RunKind, name: str) -> None:
        """Forget one; one that is not there is no error."""
        mine = (_S.person == person, _S.kind == kind.value, _S.name == name)
        with writing(self._engine) as connection:
            connection.execute(delete(_ROWS).where(*mine))


def _name(search: RunSearch) -> str:
    return search.name
