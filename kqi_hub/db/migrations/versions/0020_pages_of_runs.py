"""Find and count the pages of lists of runs in an index that has nothing else."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_runs_pages", "runs", ["kind", "number", "tenant"])
