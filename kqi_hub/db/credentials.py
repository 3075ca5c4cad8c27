"""What people prove themselves with elsewhere, encrypted in the database."""

from dataclasses import fields
from typing import Final, cast

from sqlalchemy import ColumnElement, Engine, Table, delete, select, update

from kqi_hub.db.account_tables import CredentialRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.sealed import Box
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.credentials import Secret, Service, Stored

_HELD: Final = cast(Table, CredentialRow.__table__)


class SqlCredentialStore:
    """A CredentialStore (domain/credentials.py); any thread may call it."""

    def __init__(self, engine: Engine, box: Box) -> None:
        self._engine = engine
        self._box = box

    def stored(self, person: str) -> tuple[Stored, ...]:
        """Return what the person has stored, for services there are no more too."""
        columns = [_HELD.c[field.name] for field in fields(Stored)]
        query = select(*columns).where(_HELD.c.person == person)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_HELD.c.service))
            return tuple(Stored(*row) for row in rows)

    def put(self, person: str, service: Service, secret: Secret, now: float) -> bool:
        """Store it; True if it replaced something."""
        row = {
            "person": person,
            "service": service.name,
            "url": service.url,
            "user_name": secret.user_name,
            "sealed_value": self._box.seal(secret.value, _purpose(person, service)),
            "stored_at": now,
            "last_used_at": None,
        }
        there = _theirs(person, service.name)
        with writing(self._engine) as connection:
            known = connection.execute(select(_HELD.c.url).where(*there)).first()
            connection.execute(upsert(connection, _HELD), row)
        return known is not None

    def remove(self, person: str, service: str) -> bool:
        """Remove it; False if there was none."""
        there = delete(_HELD).where(*_theirs(person, service))
        with writing(self._engine) as connection:
            return connection.execute(there).rowcount == 1

    def use(self, person: str, service: Service, now: float) -> Secret | None:
        """Return it for a job of the person, and note the time."""
        there = (*_theirs(person, service.name), _HELD.c.url == service.url)
        query = select(_HELD.c.user_name, _HELD.c.sealed_value).where(*there)
        with writing(self._engine) as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            value = self._box.open(row.sealed_value, _purpose(person, service))
            connection.execute(update(_HELD).where(*there).values(last_used_at=now))
        return Secret(row.user_name, value)


def _theirs(person: str, service: str) -> tuple[ColumnElement[bool], ...]:
    return _HELD.c.person == person, _HELD.c.service == service


def _purpose(person: str, service: Service) -> str:
    return f"credential of {person} for {service.name} at {service.url}"
