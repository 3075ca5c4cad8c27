"""What people are called, as the directory said when they logged in last."""

from collections.abc import Collection, Mapping
from typing import Final, cast

from sqlalchemy import Connection, Engine, Table, select

from kqi_hub.db.data_rows import in_chunks
from kqi_hub.db.engine import writing
from kqi_hub.db.login_tables import KnownPersonRow
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.people import Person, shown_name

_KNOWN: Final = cast(Table, KnownPersonRow.__table__)


class SqlKnownPeople:
    """A KnownPeople (domain/login.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def seen(self, person: Person, now: float) -> None:
        """Note what the directory calls a person by now."""
        row = {
            "person": person.name,
            "display_name": shown_name(person),
            "seen_at": now,
        }
        with writing(self._engine) as connection:
            connection.execute(upsert(connection, _KNOWN), row)


def names_of_people(
    connection: Connection, people: Collection[str]
) -> Mapping[str, str]:
    """Return what those are called who have a name besides that of their login."""
    columns, found = _KNOWN.c, {}
    for part in in_chunks(sorted(people)):
        query = select(columns.person, columns.display_name).where(
            columns.person.in_(part), columns.display_name != ""
        )
        found.update(
            {row.person: row.display_name for row in connection.execute(query)}
        )
    return found
