"""Keep tickets and tokens of running jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "run_tickets",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_run_tickets")),
    )
    op.create_index(op.f("ix_run_tickets_key"), "run_tickets", ["key"])
    op.create_index(op.f("ix_run_tickets_made_at"), "run_tickets", ["made_at"])
    op.create_table(
        "run_tokens",
        sa.Column("run", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.Double(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_run_tokens")),
    )
    op.create_index("uq_run_tokens_token_id", "run_tokens", ["token_id"], unique=True)
