"""Keep the limits that Slurm's QOS set."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of QOS."""
    op.create_table(
        "qos",
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("flags", sa.Text, nullable=False),
        sa.Column("grp_tres", sa.Text, nullable=False),
        sa.Column("max_tres_per_job", sa.Text, nullable=False),
        sa.Column("max_tres_per_node", sa.Text, nullable=False),
        sa.Column("max_tres_per_user", sa.Text, nullable=False),
        sa.Column("max_tres_per_account", sa.Text, nullable=False),
        sa.Column("max_jobs_per_user", sa.BigInteger),
        sa.Column("max_submit_per_user", sa.BigInteger),
        sa.Column("max_time_s", sa.BigInteger),
        sa.PrimaryKeyConstraint("cluster", "name", name="pk_qos"),
    )
