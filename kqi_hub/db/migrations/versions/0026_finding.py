"""Find notebooks by their queue, and keep searches of runs under a name."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the queue beside the choices, those there too; make the table of searches."""
    queue = sa.Column("queue", sa.Text, nullable=False, server_default=sa.text("''"))
    op.add_column("notebooks", queue)
    names = ("number", "choices", "queue")
    notebooks = sa.table("notebooks", *map(sa.column, names))
    connection = op.get_bind()
    every = connection.execute(sa.select(notebooks.c.number, notebooks.c.choices))
    for number, choices in every.all():
        mine = sa.update(notebooks).where(notebooks.c.number == number)
        connection.execute(mine.values(queue=json.loads(choices)["queue"]))
    op.create_table(
        "run_searches",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("person", "kind", "name", name="pk_run_searches"),
    )
