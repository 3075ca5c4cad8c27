"""Find the pages of a list of runs that is sorted by value without sorting it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_HAS_VALUE = sa.text("value_number IS NOT NULL")


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_runs_values",
        "runs",
        ["kind", "value_number", "number", "tenant"],
        sqlite_where=_HAS_VALUE,
        postgresql_where=_HAS_VALUE,
    )
