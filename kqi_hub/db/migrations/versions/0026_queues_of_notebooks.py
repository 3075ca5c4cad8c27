"""Find notebooks by their queue."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the queue beside the choices, for those that are there too."""
    queue = sa.Column("queue", sa.Text, nullable=False, server_default=sa.text("''"))
    op.add_column("notebooks", queue)
    names = ("number", "choices", "queue")
    notebooks = sa.table("notebooks", *map(sa.column, names))
    connection = op.get_bind()
    every = connection.execute(sa.select(notebooks.c.number, notebooks.c.choices))
    for number, choices in every.all():
        mine = sa.update(notebooks).where(notebooks.c.number == number)
        connection.execute(mine.values(queue=json.loads(choices)["queue"]))
