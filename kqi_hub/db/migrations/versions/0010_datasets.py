"""Keep datasets, who uses what, and the trees at the store."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Sorted by bytes on both databases.
_TYPE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables of datasets."""
    _make_datasets()
    _make_entries()
    op.create_table(
        "dataset_types",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("types", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_dataset_types"),
    )
    _make_uses()
    _make_trees()


def _make_datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("number", _ROW_NUMBER, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("memo", sa.Text, nullable=False),
        sa.Column("is_flat", sa.Boolean, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("items", sa.BigInteger, nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("versions", sa.BigInteger, nullable=False),
        sa.Column("tree_stamp", sa.Text, nullable=False),
        sa.Column("tree_key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_datasets"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_datasets_tenant_number", "datasets", ["tenant", "number"])


def _make_entries() -> None:
    op.create_table(
        "dataset_entries",
        sa.Column("dataset", sa.BigInteger, nullable=False),
        sa.Column("type", _TYPE, nullable=False),
        sa.Column("data_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "dataset", "type", "data_id", name="pk_dataset_entries"
        ),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.number"], name="fk_dataset_entries_dataset_datasets"
        ),
        sa.ForeignKeyConstraint(
            ["data_id"],
            ["data_items.number"],
            name="fk_dataset_entries_data_id_data_items",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dataset_entries_data_id", "dataset_entries", ["data_id"])


def _make_uses() -> None:
    op.create_table(
        "uses",
        sa.Column("used_kind", sa.Text, nullable=False),
        sa.Column("used_id", sa.Text, nullable=False),
        sa.Column("by_kind", sa.Text, nullable=False),
        sa.Column("by_id", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("locks", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint(
            "used_kind", "used_id", "by_kind", "by_id", name="pk_uses"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_uses_by_kind_by_id", "uses", ["by_kind", "by_id"])


def _make_trees() -> None:
    op.create_table(
        "dataset_trees",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("dataset", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("built_at", sa.Double, nullable=False),
        sa.Column("used_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_dataset_trees"),
    )
    op.create_index(
        "ix_dataset_trees_state_used_at", "dataset_trees", ["state", "used_at"]
    )
    op.create_table(
        "tree_holds",
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("holder", "tenant", "key", name="pk_tree_holds"),
    )
    op.create_index("ix_tree_holds_tenant_key", "tree_holds", ["tenant", "key"])
