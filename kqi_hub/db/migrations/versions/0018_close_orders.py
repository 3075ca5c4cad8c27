"""Keep orders to close a month, and which notices people have dismissed."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; both are empty."""
    op.create_table(
        "close_orders",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("confirmation", sa.Text(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=True),
        sa.Column("runs_read", sa.BigInteger(), nullable=False),
        sa.Column("runs_changed", sa.BigInteger(), nullable=False),
        sa.Column("differences", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_close_orders")),
    )
    op.create_index(
        op.f("ix_close_orders_cluster_is_open"),
        "close_orders",
        ["cluster", "is_open"],
    )
    op.create_index(
        op.f("ix_close_orders_cluster_period_id"),
        "close_orders",
        ["cluster", "period", "id"],
    )
    op.create_table(
        "dismissed_notices",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("person", "notice", name=op.f("pk_dismissed_notices")),
    )
