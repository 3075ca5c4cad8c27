"""Columns that hold secrets, and how they all change to a new key at once."""

from typing import Final, Protocol, cast

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)

from kqi_hub.db.account_tables import CredentialRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.login_tables import FactorRow, RecoveryCodeRow


class Box(Protocol):
    """What encrypts; see kqi_hub.auth.secretbox."""

    def seal(self, text: str, purpose: str) -> str:
        """Encrypt for a purpose."""

    def open(self, sealed: str, purpose: str) -> str:
        """Decrypt, or raise SecretUnreadable."""

    def resealed(self, sealed: str) -> str:
        """Return the same secret under the newest key, or raise SecretUnreadable."""


# Every column that a Box has written, named sealed_something (a test looks for such
# names). One that is not here is lost when keys rotate.
SEALED: Final[tuple[tuple[Table, str], ...]] = (
    (cast(Table, FactorRow.__table__), "sealed_secret"),
    (cast(Table, RecoveryCodeRow.__table__), "sealed_hash"),
    (cast(Table, CredentialRow.__table__), "sealed_value"),
)


def reseal(engine: Engine, box: Box) -> int:
    """Put every secret under the newest key, in one transaction; return how many.

    A secret that cannot be opened stops it, and nothing has changed then.
    """
    with writing(engine) as connection:
        return sum(_reseal(connection, box, *column) for column in SEALED)


def count_sealed(engine: Engine) -> int:
    """Return how many secrets are stored."""
    with reading(engine) as connection:
        counts = [
            connection.scalar(select(func.count()).select_from(table))
            for table, _ in SEALED
        ]
    return sum(count or 0 for count in counts)


def forget_sealed(engine: Engine) -> int:
    """Delete every secret, when the keys are lost for good; return how many."""
    with writing(engine) as connection:
        return sum(connection.execute(delete(table)).rowcount for table, _ in SEALED)


def _reseal(connection: Connection, box: Box, table: Table, column: str) -> int:
    if connection.dialect.name == "postgresql":
        # Nobody adds a secret under the old key behind our back.
        connection.execute(
            text(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE')
        )
    keys = list(table.primary_key.columns)
    rows = connection.execute(select(*keys, table.c[column])).all()
    changed = [
        {f"key_{i}": value for i, value in enumerate(row[:-1])}
        | {"fresh": box.resealed(row[-1])}
        for row in rows
        if row[-1]
    ]
    if changed:
        statement = update(table).values({column: bindparam("fresh")})
        for number, key in enumerate(keys):
            statement = statement.where(key == bindparam(f"key_{number}"))
        connection.execute(statement, changed)
    return len(changed)
