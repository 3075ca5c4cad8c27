"""What Alembic runs to migrate: on the connection that `kqi_hub.db.schema` opened.

There is no alembic.ini: `kqi-hub db upgrade` needs the site's settings, not one more
file. A developer makes a migration as docs/operators/database.md says.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from kqi_hub.db.schema import VERSION_TABLE, all_tables


def plain_type(kind: str, thing: Any, _: object) -> str | Literal[False]:
    """Write our types as what is stored: a migration outlives the code of today."""
    if kind == "type" and isinstance(thing, TypeDecorator):
        return f"sa.{type(thing.impl).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=all_tables(),
    version_table=VERSION_TABLE,
    render_item=plain_type,
    # SQLite cannot alter most things: Alembic copies the table then.
    render_as_batch=True,
    # Our BEGIN holds data definition too, so that a failed upgrade leaves no trace.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
