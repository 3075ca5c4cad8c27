"""Keep which runs are to be deleted, one more choice, and what people are called."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; no earlier run is to go, nobody has chosen or was seen yet."""
    op.add_column("runs", sa.Column("going_at", sa.Double, nullable=True))
    history = sa.Column("opens_history", sa.Boolean, nullable=True)
    op.add_column("preferences", history)
    op.create_table(
        "known_people",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_known_people"),
    )
