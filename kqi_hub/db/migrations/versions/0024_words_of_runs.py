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
        sa.Column("parents", bytewise, nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["runs.number"], name=op.f("fk_run_words_number_runs")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_run_words")),
    )
    _fill(op.get_bind(), words)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX IF EXISTS ix_runs_words")


def _fill(connection: sa.Connection, words: sa.Table) -> None:
    names = ("number", "kind", "tenant", "memo", "command", "name")
    runs = sa.table("runs", *map(sa.column, names))
    last = 0
    while True:
        query = sa.select(runs).where(runs.c.number > last).order_by(runs.c.number)
        rows = connection.execute(query.limit(_AT_ONCE)).mappings().all()
        if not rows:
            return
        parents = _parents(connection, runs, last, rows[-1]["number"])
        last = rows[-1]["number"]
        connection.execute(
            sa.insert(words),
            [
                {
                    **{name: row[name] for name in ("number", "kind", "tenant")},
                    "memo": row["memo"].casefold(),
                    "command": row["command"].casefold(),
                    "parents": "\n".join(parents.get(row["number"], ())).casefold(),
                }
                for row in rows
            ],
        )


def _parents(
    connection: sa.Connection, runs: sa.TableClause, above: int, last: int
) -> dict[int, list[str]]:
    """Return the names of the parents of some runs."""
    parents = sa.table("run_parents", sa.column("run"), sa.column("parent"))
    query = (
        sa.select(parents.c.run, runs.c.name)
        .join_from(parents, runs, runs.c.number == parents.c.parent)
        .where(parents.c.run > above, parents.c.run <= last)
        .order_by(parents.c.run, parents.c.parent)
    )
    found: dict[int, list[str]] = {}
    for run, name in connection.execute(query):
        found.setdefault(run, []).append(name)
    return found
