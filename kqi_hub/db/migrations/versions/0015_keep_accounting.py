"""Keep what accounting tells, rates, the book of charges, budgets."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; all are empty."""
    op.create_table(
        "bills",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("corrected", sa.BigInteger(), nullable=False),
        sa.Column("credited", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("cluster", "period", "tenant", name=op.f("pk_bills")),
    )
    op.create_table(
        "budget_warnings",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("percent", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            "cluster", "tenant", "period", "percent", name=op.f("pk_budget_warnings")
        ),
    )
    op.create_table(
        "budgets",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("from_period", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            "cluster", "tenant", "from_period", name=op.f("pk_budgets")
        ),
    )
    op.create_table(
        "closed_periods",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cluster", "period", name=op.f("pk_closed_periods")),
    )
    op.create_table(
        "intake",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("read_until", sa.BigInteger(), nullable=True),
        sa.Column("fill_back_to", sa.BigInteger(), nullable=True),
        sa.Column("filled_back_to", sa.BigInteger(), nullable=True),
        sa.Column("nightly_at", sa.BigInteger(), nullable=True),
        sa.Column("reconciled_at", sa.Double(), nullable=True),
        sa.Column("reconciliation", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("cluster", name=op.f("pk_intake")),
    )
    op.create_table(
        "job_records",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("db_index", sa.BigInteger(), nullable=False),
        sa.Column("shown_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("partition", sa.Text(), nullable=False),
        sa.Column("qos", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("exit_code", sa.Text(), nullable=False),
        sa.Column("eligible_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("suspended_s", sa.BigInteger(), nullable=False),
        sa.Column("suspended", sa.Text(), nullable=True),
        sa.Column("time_limit_s", sa.BigInteger(), nullable=True),
        sa.Column("nodes", sa.BigInteger(), nullable=False),
        sa.Column("cpus", sa.BigInteger(), nullable=False),
        sa.Column("memory_mb", sa.BigInteger(), nullable=False),
        sa.Column("gpus", sa.Text(), nullable=False),
        sa.Column("node_list", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("thing", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_records")),
        sa.UniqueConstraint(
            "cluster",
            "job_id",
            "submitted_at",
            name=op.f("uq_job_records_cluster_job_id_submitted_at"),
        ),
    )
    with op.batch_alter_table("job_records", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_job_records_cluster_account_ended_at"),
            ["cluster", "account", "ended_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_job_records_cluster_ended_at"),
            ["cluster", "ended_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_job_records_cluster_user_ended_at"),
            ["cluster", "user", "ended_at"],
            unique=False,
        )

    op.create_table(
        "node_shapes",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cpus", sa.BigInteger(), nullable=False),
        sa.Column("memory_mb", sa.BigInteger(), nullable=False),
        sa.Column("gpus", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "cluster", "node", "from_at", name=op.f("pk_node_shapes")
        ),
    )
    op.create_table(
        "rate_cards",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("published_at", sa.Double(), nullable=False),
        sa.Column("posted_at", sa.Double(), nullable=True),
        sa.Column("withdrawn_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("cluster", "version", name=op.f("pk_rate_cards")),
    )
    op.create_table(
        "tenant_quotas",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("cpus", sa.BigInteger(), nullable=False),
        sa.Column("memory_gb", sa.BigInteger(), nullable=False),
        sa.Column("gpus", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("cluster", "tenant", name=op.f("pk_tenant_quotas")),
    )
    op.create_table(
        "usage_days",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("qos", sa.Text(), nullable=False),
        sa.Column("gpu_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("cpu_s", sa.BigInteger(), nullable=False),
        sa.Column("memory_mb_s", sa.BigInteger(), nullable=False),
        sa.Column("gpu_s", sa.BigInteger(), nullable=False),
        sa.Column("node_s", sa.BigInteger(), nullable=False),
        sa.Column("unpriced_s", sa.BigInteger(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("failed_runs", sa.BigInteger(), nullable=False),
        sa.Column("failed_gpu_s", sa.BigInteger(), nullable=False),
        sa.Column("failed_amount", sa.BigInteger(), nullable=False),
        sa.Column("started_runs", sa.BigInteger(), nullable=False),
        sa.Column("waited_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "cluster",
            "day",
            "tenant",
            "user",
            "queue",
            "qos",
            "gpu_type",
            "kind",
            name=op.f("pk_usage_days"),
        ),
    )
    with op.batch_alter_table("usage_days", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_usage_days_cluster_tenant_day"),
            ["cluster", "tenant", "day"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_usage_days_cluster_user_day"),
            ["cluster", "user", "day"],
            unique=False,
        )

    op.create_table(
        "usage_months",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("month", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("qos", sa.Text(), nullable=False),
        sa.Column("gpu_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("cpu_s", sa.BigInteger(), nullable=False),
        sa.Column("memory_mb_s", sa.BigInteger(), nullable=False),
        sa.Column("gpu_s", sa.BigInteger(), nullable=False),
        sa.Column("node_s", sa.BigInteger(), nullable=False),
        sa.Column("unpriced_s", sa.BigInteger(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("failed_runs", sa.BigInteger(), nullable=False),
        sa.Column("failed_gpu_s", sa.BigInteger(), nullable=False),
        sa.Column("failed_amount", sa.BigInteger(), nullable=False),
        sa.Column("started_runs", sa.BigInteger(), nullable=False),
        sa.Column("waited_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "cluster",
            "month",
            "tenant",
            "user",
            "queue",
            "qos",
            "gpu_type",
            "kind",
            name=op.f("pk_usage_months"),
        ),
    )
    op.create_table(
        "ledger",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "record_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("per_hour", sa.BigInteger(), nullable=True),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("cpu_s", sa.BigInteger(), nullable=False),
        sa.Column("memory_mb_s", sa.BigInteger(), nullable=False),
        sa.Column("gpu_s", sa.BigInteger(), nullable=False),
        sa.Column("node_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["job_records.id"],
            name=op.f("fk_ledger_record_id_job_records"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_cluster_period_tenant_id"),
            ["cluster", "period", "tenant", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_ledger_record_id"), ["record_id"], unique=False
        )
    op.create_table(
        "written_limits",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            "cluster", "account", "resource", name=op.f("pk_written_limits")
        ),
    )
