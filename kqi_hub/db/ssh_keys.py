"""People's public SSH keys in the database."""

import zlib
from typing import Any, Final, cast

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Table,
    delete,
    func,
    insert,
    select,
    text,
)

from kqi_hub.db.account_tables import SshKeyRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.domain.ssh_keys import (
    MOST_KEYS,
    PublicKey,
    SshKey,
    same_key,
    too_many_keys,
)

_KEYS: Final = cast(Table, SshKeyRow.__table__)
# Any number will do, as long as nothing else of ours locks by it.
_LOCK: Final = 0x737368


class SqlSshKeyStore:
    """An SshKeyStore (domain/ssh_keys.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keys(self, person: str) -> tuple[SshKey, ...]:
        """Return the person's keys, oldest first."""
        query = select(_KEYS).where(_KEYS.c.person == person).order_by(_KEYS.c.number)
        with reading(self._engine) as connection:
            return tuple(_key(row) for row in connection.execute(query))

    def add(self, person: str, name: str, key: PublicKey, now: float) -> SshKey:
        """Add a key; Conflict if the person has it, or has as many as one may."""
        values = {
            "person": person,
            "name": name,
            "kind": key.kind,
            "blob": key.blob,
            "fingerprint": key.fingerprint,
            "added_at": now,
        }
        with writing(self._engine) as connection:
            _wait_for_turn(connection, person)
            _refuse_second(connection, person, key)
            _refuse_too_many(connection, person)
            done = connection.execute(insert(_KEYS), values)
            [number] = cast("tuple[int]", done.inserted_primary_key)
        return SshKey(number, name, key, now)

    def remove(self, person: str, key_id: int) -> SshKey | None:
        """Remove a key and return it; None if the person has none of this number."""
        theirs = (_KEYS.c.person == person, _KEYS.c.number == key_id)
        with writing(self._engine) as connection:
            row = connection.execute(select(_KEYS).where(*theirs)).one_or_none()
            gone = connection.execute(delete(_KEYS).where(*theirs)).rowcount
        return _key(row) if row is not None and gone else None


def _wait_for_turn(connection: Connection, person: str) -> None:
    """Let one addition of a person at a time count their keys (SQLite does anyway)."""
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(:kind, :person)")
        number = zlib.crc32(person.encode(errors="surrogatepass")) - 2**31
        connection.execute(lock, {"kind": _LOCK, "person": number})


def _refuse_second(connection: Connection, person: str, key: PublicKey) -> None:
    query = select(_KEYS.c.name).where(
        _KEYS.c.person == person, _KEYS.c.fingerprint == key.fingerprint
    )
    name = connection.scalar(query)
    if name is not None:
        raise same_key(name)


def _refuse_too_many(connection: Connection, person: str) -> None:
    query = select(func.count()).select_from(_KEYS).where(_KEYS.c.person == person)
    if (connection.scalar(query) or 0) >= MOST_KEYS:
        raise too_many_keys()


def _key(row: Row[Any]) -> SshKey:
    return SshKey(row.number, row.name, PublicKey(row.kind, row.blob), row.added_at)
