"""Keep what an hour of a session costs, as it was when its job began."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the price; sessions of before have none."""
    op.add_column("notebook_sessions", sa.Column("per_hour", sa.BigInteger))
