"""Keep who may submit to which Slurm account."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of associations."""
    op.create_table(
        "associations",
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("partition", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=False),
        sa.Column("qos", sa.Text, nullable=False),
        sa.Column("default_qos", sa.Text, nullable=False),
        sa.Column("grp_tres", sa.Text, nullable=False),
        sa.Column("max_tres_per_job", sa.Text, nullable=False),
        sa.Column("grp_tres_mins", sa.Text, nullable=False),
        sa.Column("max_jobs", sa.BigInteger),
        sa.Column("max_submit", sa.BigInteger),
        sa.Column("max_time_s", sa.BigInteger),
        sa.PrimaryKeyConstraint(
            "cluster", "account", "user", "partition", name="pk_associations"
        ),
    )
