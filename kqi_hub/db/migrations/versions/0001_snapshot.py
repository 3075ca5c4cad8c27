"""Keep the last picture of the cluster."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the snapshot."""
    op.create_table(
        "snapshot",
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("taken_at", sa.Double),
        sa.Column("tried_at", sa.Double),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("refresh_requested_at", sa.Double),
        sa.PrimaryKeyConstraint("cluster", name="pk_snapshot"),
    )
    _make_nodes()
    _make_partitions()
    _make_jobs()


def _make_nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("flags", sa.Text, nullable=False),
        sa.Column("partitions", sa.Text, nullable=False),
        sa.Column("cpus", sa.BigInteger, nullable=False),
        sa.Column("cpus_used", sa.BigInteger, nullable=False),
        sa.Column("memory_mb", sa.BigInteger, nullable=False),
        sa.Column("memory_used_mb", sa.BigInteger, nullable=False),
        sa.Column("gpus", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("features", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("cluster", "name", name="pk_nodes"),
    )


def _make_partitions() -> None:
    op.create_table(
        "partitions",
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("nodes", sa.Text, nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("max_time_s", sa.BigInteger),
        sa.Column("default_time_s", sa.BigInteger),
        sa.Column("max_nodes", sa.BigInteger),
        sa.Column("exclusive", sa.Boolean, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("allow_accounts", sa.Text),
        sa.Column("deny_accounts", sa.Text, nullable=False),
        sa.Column("allow_qos", sa.Text),
        sa.Column("qos", sa.Text, nullable=False),
        sa.Column("max_memory_per_node_mb", sa.BigInteger),
        sa.Column("billing_weights", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("cluster", "name", name="pk_partitions"),
    )


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("partition", sa.Text, nullable=False),
        sa.Column("qos", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("array_id", sa.BigInteger),
        sa.Column("task", sa.Text),
        sa.Column("submitted_at", sa.BigInteger),
        sa.Column("starts_at", sa.BigInteger),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("time_limit_s", sa.BigInteger),
        sa.Column("priority", sa.BigInteger, nullable=False),
        sa.Column("nodes", sa.BigInteger, nullable=False),
        sa.Column("cpus", sa.BigInteger, nullable=False),
        sa.Column("memory", sa.Text, nullable=False),
        sa.Column("gres", sa.Text, nullable=False),
        sa.Column("node_list", sa.Text, nullable=False),
        sa.Column("dependency", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("exit_code", sa.BigInteger),
        sa.Column("signal", sa.BigInteger),
        sa.Column("first_seen", sa.Double, nullable=False),
        sa.Column("over_since", sa.Double),
        sa.Column("gone_since", sa.Double),
        sa.Column("changed_in", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("cluster", "job_id", name="pk_jobs"),
    )
    for columns in ("over_since",), ("user", "over_since"), ("account", "over_since"):
        _index_jobs(*columns)
    _index_jobs("partition", "over_since")


def _index_jobs(*columns: str) -> None:
    name = "_".join(("ix_jobs_cluster", *columns))
    op.create_index(name, "jobs", ["cluster", *columns])
