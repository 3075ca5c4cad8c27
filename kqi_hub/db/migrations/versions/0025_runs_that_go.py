"""Keep which runs are to be deleted once they have ended, and one more choice."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; no earlier run is to go, nobody has chosen yet."""
    op.add_column("runs", sa.Column("going_at", sa.Double, nullable=True))
    history = sa.Column("opens_history", sa.Boolean, nullable=True)
    op.add_column("preferences", history)
