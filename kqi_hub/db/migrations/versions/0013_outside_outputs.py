"""Keep what is uploaded for runs that were done elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of their outputs."""
    op.create_table(
        "outside_outputs",
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("upload", sa.Text, nullable=False),
        sa.Column("data", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("run", "name", name="pk_outside_outputs"),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.number"], name="fk_outside_outputs_run_runs"
        ),
    )
