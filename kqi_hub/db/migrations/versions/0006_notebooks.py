"""Keep notebooks, and the sessions that run them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_IS_LIVE = sa.text("ended_at IS NULL")
_SESSIONS = "notebook_sessions"


def upgrade() -> None:
    """Make the tables of notebooks."""
    _make_notebooks()
    _make_sessions()
    _index_sessions()


def _make_notebooks() -> None:
    op.create_table(
        "notebooks",
        sa.Column("number", _ROW_NUMBER, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("memo", sa.Text, nullable=False),
        sa.Column("choices", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("is_favourite", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_notebooks"),
        sa.UniqueConstraint("owner", "name", name="uq_notebooks_owner_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notebooks_tenant_number", "notebooks", ["tenant", "number"])


def _make_sessions() -> None:
    op.create_table(
        _SESSIONS,
        sa.Column("number", _ROW_NUMBER, nullable=False),
        sa.Column("notebook", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("chosen", sa.Text, nullable=False),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("job_id", sa.BigInteger),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("port", sa.BigInteger),
        sa.Column("queued_at", sa.Double),
        sa.Column("node_at", sa.Double),
        sa.Column("environment_at", sa.Double),
        sa.Column("server_at", sa.Double),
        sa.Column("ready_at", sa.Double),
        sa.Column("stopping", sa.Text),
        sa.Column("ended_at", sa.Double),
        sa.Column("cause", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("exit_code", sa.BigInteger),
        sa.Column("seen", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_notebook_sessions"),
        sa.UniqueConstraint("key", name="uq_notebook_sessions_key"),
        sa.ForeignKeyConstraint(
            ["notebook"],
            ["notebooks.number"],
            name="fk_notebook_sessions_notebook_notebooks",
        ),
        sqlite_autoincrement=True,
    )


def _index_sessions() -> None:
    op.create_index(
        f"ix_{_SESSIONS}_notebook_number", _SESSIONS, ["notebook", "number"]
    )
    op.create_index(f"ix_{_SESSIONS}_changed_at", _SESSIONS, ["changed_at"])
    op.create_index(
        f"ix_{_SESSIONS}_owner_changed_at", _SESSIONS, ["owner", "changed_at"]
    )
    op.create_index(
        f"uq_{_SESSIONS}_live",
        _SESSIONS,
        ["notebook"],
        unique=True,
        sqlite_where=_IS_LIVE,
        postgresql_where=_IS_LIVE,
    )
    op.create_index(
        f"ix_{_SESSIONS}_live_owner",
        _SESSIONS,
        ["owner"],
        sqlite_where=_IS_LIVE,
        postgresql_where=_IS_LIVE,
    )
