"""Keep runs: what was asked for, how they stand, what they used and left behind."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_PLAIN_INDEXES = (
    ("owner", "kind", "number"),
    ("changed_at",),
    ("preprocessing", "number"),
    ("data", "number"),
    ("dataset",),
    ("key",),
)
_LISTED = (
    "kind", "number", "tenant", "name", "state", "owner", "queue", "asked_at",
    "ended_at", "value_number", "is_favourite", "dataset",
)  # fmt: skip
_PARTIAL_INDEXES = (
    ("ix_runs_live", ["owner", "number"], False, "settled_at IS NULL"),
    ("uq_runs_key", ["key"], True, "task IS NULL AND copied_from IS NULL"),
    ("uq_runs_key_task", ["key", "task"], True, "task IS NOT NULL"),
    (
        "uq_runs_preprocessing_data",
        ["preprocessing", "data"],
        True,
        "preprocessing IS NOT NULL AND copied_from IS NULL",
    ),
)


def upgrade() -> None:
    """Make the tables of runs."""
    _make_runs()
    _make_specs()
    _make_tags()
    _make_parents()
    _make_events()
    op.create_table(
        "run_removals",
        sa.Column("run", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run", name="pk_run_removals"),
    )


def _make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", _ROW_NUMBER, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in (
            "kind", "tenant", "owner", "state", "name", "queue", "key",
        )),
        sa.Column("is_favourite", sa.Boolean, nullable=False),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        *(sa.Column(name, sa.Double, nullable=True) for name in (
            "began_at", "ended_at", "settled_at",
        )),
        *(sa.Column(name, sa.BigInteger, nullable=True) for name in (
            "job_id", "batch", "task", "copied_from", "dataset", "preprocessing",
            "data", "exit_code", "per_hour", "files", "bytes",
        )),
        sa.Column("value_number", sa.Double, nullable=True),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("stopping", sa.Text, nullable=True),
        sa.Column("outcome", sa.Text, nullable=True),
        sa.Column("keeps_refused", sa.Boolean, nullable=False),
        sa.Column("leased_by", sa.Text, nullable=False),
        sa.Column("leased_until", sa.Double, nullable=True),
        # What is long comes last: a search that does not read it passes it by.
        *(sa.Column(name, sa.Text, nullable=False) for name in (
            "folder", "value", "detail", "memo", "command",
        )),
        sa.PrimaryKeyConstraint("number", name="pk_runs"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    for columns in _PLAIN_INDEXES:
        op.create_index(f"ix_runs_{'_'.join(columns)}", "runs", list(columns))
    # What lists show briefly, sort by or search, but memos and commands.
    op.create_index("ix_runs_lists", "runs", list(_LISTED))
    for name, within, is_unique, where in _PARTIAL_INDEXES:
        condition = sa.text(where)
        op.create_index(
            name,
            "runs",
            within,
            unique=is_unique,
            sqlite_where=condition,
            postgresql_where=condition,
        )


def _make_specs() -> None:
    op.create_table(
        "run_specs",
        sa.Column("run", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        _of_a_run("run_specs"),
        sa.PrimaryKeyConstraint("run", name="pk_run_specs"),
    )
    op.create_table(
        "run_scripts",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_run_scripts"),
    )


def _make_tags() -> None:
    op.create_table(
        "run_tags",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("run", sa.BigInteger, autoincrement=False, nullable=False),
        _of_a_run("run_tags"),
        sa.PrimaryKeyConstraint("tenant", "tag", "run", name="pk_run_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_tags_run", "run_tags", ["run"])


def _make_parents() -> None:
    op.create_table(
        "run_parents",
        sa.Column("run", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("parent", sa.BigInteger, autoincrement=False, nullable=False),
        _of_a_run("run_parents"),
        _of_a_run("run_parents", "parent"),
        sa.PrimaryKeyConstraint("run", "parent", name="pk_run_parents"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_parents_parent", "run_parents", ["parent"])


def _make_events() -> None:
    op.create_table(
        "run_events",
        sa.Column("run", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        _of_a_run("run_events"),
        sa.PrimaryKeyConstraint("run", "position", name="pk_run_events"),
        sqlite_with_rowid=False,
    )


def _of_a_run(table: str, column: str = "run") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["runs.number"], name=f"fk_{table}_{column}_runs"
    )
