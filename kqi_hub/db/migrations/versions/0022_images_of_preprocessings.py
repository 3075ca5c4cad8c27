"""Keep which container image a preprocessing is run in."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; those that are there are in none."""
    image = sa.Column("image", sa.Text, nullable=False, server_default="")
    op.add_column("preprocessings", image)
