"""Keep what people choose: language, colours, usual tenant."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of choices."""
    op.create_table(
        "preferences",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("theme", sa.Text),
        sa.Column("default_tenant", sa.Text),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_preferences"),
    )
