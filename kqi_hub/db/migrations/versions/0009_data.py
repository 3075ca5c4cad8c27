"""Keep data items, their files and tags, and uploads."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Sorted by bytes on both databases.
_PATH = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_IS_PUBLISHING = sa.text("state = 'publishing'")


def upgrade() -> None:
    """Make the tables of data."""
    op.create_table(
        "tenant_locks",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_tenant_locks"),
    )
    _make_items()
    _make_tags()
    _make_parents()
    _make_files()
    _make_removals()
    _make_uploads()
    _make_comparisons()


def _make_items() -> None:
    op.create_table(
        "data_items",
        sa.Column("number", _ROW_NUMBER, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("memo", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_data_items"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_data_items_tenant_state_number",
        "data_items",
        ["tenant", "state", "number"],
    )
    op.create_index(
        "ix_data_items_tenant_created_by", "data_items", ["tenant", "created_by"]
    )
    op.create_index("ix_data_items_state", "data_items", ["state"])


def _make_tags() -> None:
    op.create_table(
        "data_tags",
        sa.Column("data_id", sa.BigInteger, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("data_id", "tag", name="pk_data_tags"),
        _of_item("data_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_data_tags_tenant_tag", "data_tags", ["tenant", "tag"])


def _make_parents() -> None:
    op.create_table(
        "data_parents",
        sa.Column("data_id", sa.BigInteger, nullable=False),
        sa.Column("parent", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("data_id", "parent", name="pk_data_parents"),
        _of_item("data_parents"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_data_parents_parent", "data_parents", ["parent"])


def _make_files() -> None:
    op.create_table(
        "data_files",
        sa.Column("data_id", sa.BigInteger, nullable=False),
        sa.Column("path", _PATH, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("data_id", "path", name="pk_data_files"),
        _of_item("data_files"),
        sqlite_with_rowid=False,
    )


def _make_removals() -> None:
    op.create_table(
        "data_removals",
        sa.Column("data_id", sa.BigInteger, nullable=False),
        sa.Column("path", _PATH, nullable=False),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("data_id", "path", name="pk_data_removals"),
        _of_item("data_removals"),
        sqlite_with_rowid=False,
    )


def _make_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("data_id", sa.BigInteger, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("began_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("is_kept", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_uploads"),
    )
    for columns in (
        ["state", "expires_at"],
        ["person", "state"],
        ["tenant", "state"],
        ["data_id"],
    ):
        op.create_index("_".join(["ix_uploads", *columns]), "uploads", columns)
    op.create_index(
        "uq_uploads_publishing",
        "uploads",
        ["data_id"],
        unique=True,
        sqlite_where=_IS_PUBLISHING,
        postgresql_where=_IS_PUBLISHING,
    )


def _make_comparisons() -> None:
    op.create_table(
        "store_comparisons",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("strays", sa.BigInteger, nullable=False),
        sa.Column("stray_bytes", sa.BigInteger, nullable=False),
        sa.Column("missing", sa.Text, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_store_comparisons"),
    )


def _of_item(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["data_id"], ["data_items.number"], name=f"fk_{table}_data_id_data_items"
    )
