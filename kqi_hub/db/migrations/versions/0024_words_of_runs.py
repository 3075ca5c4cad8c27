"""Memos and commands of runs for searches: in one case, in a table of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_AT_ONCE = 1000


def upgrade() -> None:
    """Make the table, fill it from the runs; PostgreSQL's index of words goes."""
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    words = op.create_table(
        "run_words",
        sa.Column("number", number, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("memo", bytewise, nullable=False),
        sa.Column("command", bytewise, nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["runs.number"], name=op.f("fk_run_words_number_runs")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_run_words")),
    )
    _fill(op.get_bind(), words)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX IF EXISTS ix_runs_words")


def _fill(connection: sa.Connection, words: sa.Table) -> None:
    runs = sa.table("runs", *(sa.column(one.name) for one in words.columns))
    last = 0
    while True:
        query = sa.select(runs).where(runs.c.number > last).order_by(runs.c.number)
        rows = connection.execute(query.limit(_AT_ONCE)).mappings().all()
        if not rows:
            return
        last = rows[-1]["number"]
        connection.execute(
            sa.insert(words),
            [
                {
                    **row,
                    "memo": row["memo"].casefold(),
                    "command": row["command"].casefold(),
                }
                for row in rows
            ],
        )
