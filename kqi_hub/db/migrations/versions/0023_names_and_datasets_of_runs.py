"""Page runs by name, and count those of datasets, out of indexes alone."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the index of datasets, add that of names; that of words is made anew."""
    op.create_index("ix_runs_names", "runs", ["kind", "name", "number", "tenant"])
    op.create_index("ix_runs_datasets", "runs", ["dataset", "kind", "number", "tenant"])
    op.drop_index("ix_runs_dataset", "runs")
    if op.get_bind().dialect.name == "postgresql":
        # It was of all languages' small letters; what is missing is made in the end.
        op.execute("DROP INDEX IF EXISTS ix_runs_words")
