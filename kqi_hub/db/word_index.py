"""PostgreSQL's index of the words of runs: of each three letters that stand together.

It needs an extension that a database may refuse. Lists are the same without it, and
slower. SQLite reads all words about as quickly as PostgreSQL finds them so.
"""

from typing import Final

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from kqi_hub.db.run_rows import RUNS
from kqi_hub.domain.errors import DatabaseNotReady

WORD_INDEX: Final = "ix_runs_words"
_EXTENSION: Final = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
# As db/list_conditions.py asks for them.
_WORDS: Final = ", ".join(
    f'lower({name} COLLATE "C") gin_trgm_ops'
    for name in ("owner", "name", "memo", "command")
)
_INDEX: Final = f"CREATE INDEX {WORD_INDEX} ON {RUNS.name} USING gin ({_WORDS})"


def make_word_index(connection: Connection) -> None:
    """Make it where it is missing and may be made; what is refused leaves no trace."""
    if not lacks_word_index(connection):
        return
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(_EXTENSION)
            connection.exec_driver_sql(_INDEX)
    except (DBAPIError, DatabaseNotReady):
        # Whoever upgrades is told that it is missing, and what to do.
        return


def lacks_word_index(connection: Connection) -> bool:
    """Tell whether lists would be quicker with an index that is not there."""
    if connection.dialect.name != "postgresql":
        return False
    return not inspect(connection).has_index(RUNS.name, WORD_INDEX)


def is_of_tables(_: object, name: str | None, *__: object) -> bool:
    """Tell Alembic what it compares with the tables: not what may be missing."""
    return name != WORD_INDEX
