"""Keep which runs are to be deleted once they have ended."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of earlier runs none is to go."""
    op.add_column("runs", sa.Column("going_at", sa.Float, nullable=True))
