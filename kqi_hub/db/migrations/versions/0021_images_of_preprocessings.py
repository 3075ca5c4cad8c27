"""Keep which container image a preprocessing is run in."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; earlier preprocessings have none."""
    op.add_column("preprocessings", sa.Column("image", sa.Text, nullable=True))
