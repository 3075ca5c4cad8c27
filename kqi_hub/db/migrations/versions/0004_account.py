"""Keep people's public SSH keys, and their secrets for other services."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables of /me."""
    op.create_table(
        "ssh_keys",
        sa.Column("number", _ROW_NUMBER, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("blob", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_ssh_keys"),
        sa.UniqueConstraint(
            "person", "fingerprint", name="uq_ssh_keys_person_fingerprint"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "credentials",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("sealed_value", sa.Text, nullable=False),
        sa.Column("stored_at", sa.Double, nullable=False),
        sa.Column("last_used_at", sa.Double),
        sa.PrimaryKeyConstraint("person", "service", name="pk_credentials"),
    )
