"""Keep second factors, failed logins, the audit log and accepted terms."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables of logging in."""
    _make_factors()
    _make_throttle()
    _make_audit_log()
    op.create_table(
        "terms_accepted",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("accepted_at", sa.Double, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("person", "version", name="pk_terms_accepted"),
    )


def _make_factors() -> None:
    op.create_table(
        "second_factors",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.Text, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("set_up_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_second_factors"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("number", _ROW_NUMBER, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("sealed_hash", sa.Text, nullable=False),
        sa.Column("used_at", sa.Double),
        sa.PrimaryKeyConstraint("number", name="pk_recovery_codes"),
    )
    op.create_index("ix_recovery_codes_person", "recovery_codes", ["person"])


def _make_throttle() -> None:
    op.create_table(
        "login_tallies",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("last_failure_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("kind", "person", "address", name="pk_login_tallies"),
    )
    op.create_index(
        "ix_login_tallies_last_failure_at", "login_tallies", ["last_failure_at"]
    )
    op.create_table(
        "login_failures",
        sa.Column("slice", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("slice", name="pk_login_failures"),
    )
    op.create_table(
        "known_addresses",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("person", "address", name="pk_known_addresses"),
    )
    op.create_index("ix_known_addresses_seen_at", "known_addresses", ["seen_at"])


def _make_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("number", _ROW_NUMBER, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    op.create_index("ix_audit_log_actor_number", "audit_log", ["actor", "number"])
    op.create_index("ix_audit_log_action_number", "audit_log", ["action", "number"])
    if op.get_bind().dialect.name == "sqlite":
        _guard_on_sqlite()
    else:
        _guard_on_postgresql()


def _guard_on_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_no_{change.lower()} "
            f"BEFORE {change} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def _guard_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE OR TRUNCATE "
        "ON audit_log EXECUTE FUNCTION refuse_audit_change()"
    )
