"""Keep what runs have used of what they asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; earlier runs have none."""
    op.add_column("runs", sa.Column("use", sa.Text, nullable=True))
