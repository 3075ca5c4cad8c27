"""Keep sums of use by what is asked, and the positions of bills."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_WHOSE = ("user", "tenant", "queue", "qos", "gpu_type", "kind")
_SUMS = (
    "amount",
    "seconds",
    "cpu_s",
    "memory_mb_s",
    "gpu_s",
    "node_s",
    "unpriced_s",
    "runs",
    "failed_runs",
    "failed_gpu_s",
    "failed_amount",
    "started_runs",
    "waited_s",
)
_MIXED = ("queue", "qos", "gpu_type", "kind")
# What each cut keeps; those of people with one thing more are kept by month only.
_CUTS = {
    "total": (),
    "tenant": ("tenant",),
    "mix": _MIXED,
    "member": ("user", "tenant"),
    "tenant-mix": ("tenant", *_MIXED),
    "person-queue": ("user", "queue"),
    "person-qos": ("user", "qos"),
    "person-gpu": ("user", "gpu_type"),
    "person-kind": ("user", "kind"),
}
_LONG = {"long": 86_400, "longest": 691_200}


def upgrade() -> None:
    """Put the sums there are into a better order, and fill the new ones from them."""
    for name, at in (("usage_days", "day"), ("usage_months", "month")):
        _reorder(name, at)
    _make_sums()
    _make_positions()
    _index_records()


def _reorder(name: str, at: str) -> None:
    if name == "usage_days":
        op.drop_index("ix_usage_days_cluster_tenant_day", name)
        op.drop_index("ix_usage_days_cluster_user_day", name)
    key = ("cluster", at, *_WHOSE)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(f"pk_{name}", name)
        op.create_primary_key(f"pk_{name}", name, list(key))
        return
    columns = ("cluster", at, "tenant", "user", *_MIXED, *_SUMS)
    op.rename_table(name, f"{name}_before")
    op.create_table(
        name,
        *(_column(column) for column in columns),
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )
    listed, ordered = _names(columns), _names(key)
    op.execute(
        f'INSERT INTO "{name}" ({listed}) SELECT {listed}'  # noqa: S608  our own names
        f' FROM "{name}_before" ORDER BY {ordered}'
    )
    op.drop_table(f"{name}_before")


def _make_sums() -> None:
    key = ("cluster", "cut", "grain", "at", *_WHOSE)
    op.create_table(
        "usage_sums",
        *(_column(column) for column in (*key, *_SUMS)),
        sa.PrimaryKeyConstraint(*key, name="pk_usage_sums"),
        sqlite_with_rowid=False,
    )
    for cut, keeps in _CUTS.items():
        if not cut.startswith("person-"):
            _fill(cut, keeps, "day")
        _fill(cut, keeps, "month")


def _fill(cut: str, keeps: tuple[str, ...], grain: str) -> None:
    whose = ", ".join(f'"{name}"' if name in keeps else "''" for name in _WHOSE)
    sums = ", ".join(f'SUM("{name}")' for name in _SUMS)
    by = _names(("cluster", grain, *keeps))
    op.execute(
        f"INSERT INTO usage_sums SELECT cluster, '{cut}', '{grain}', \"{grain}\","  # noqa: S608  our own names
        f' {whose}, {sums} FROM "usage_{grain}s" GROUP BY {by}'
    )


def _make_positions() -> None:
    key = ("cluster", "period", "tenant", "user", "queue", "kind", "earlier")
    sums = ("seconds", "cpu_s", "gpu_s", "amount")
    op.create_table(
        "bill_positions",
        *(_column(column) for column in (*key, "runs", *sums)),
        sa.PrimaryKeyConstraint(*key, name="pk_bill_positions"),
        sqlite_with_rowid=False,
    )
    # The days of a month by their numbers: of the year's first one, and so on.
    added = ", ".join(f'SUM(l."{name}")' for name in sums)
    op.execute(
        "INSERT INTO bill_positions"  # noqa: S608  our own names
        ' SELECT l.cluster, l.period, l.tenant, r."user", r."partition", r.kind,'
        " CASE WHEN l.day < m.first THEN 1 ELSE 0 END,"
        f" COUNT(DISTINCT l.record_id), {added} FROM ledger AS l"
        " JOIN job_records AS r ON r.id = l.record_id"
        f" JOIN ({_first_days()}) AS m ON m.period = l.period"
        " WHERE l.kind <> 'credit' GROUP BY 1, 2, 3, 4, 5, 6, 7"
    )


def _first_days() -> str:
    """Return a query of each month that has bills, with the number of its first day."""
    if op.get_bind().dialect.name == "postgresql":
        # 0001-01-01 is day 1.
        first = "make_date((period / 100)::int, (period % 100)::int, 1) - '0001-01-01'"
        return f"SELECT DISTINCT period, {first} + 1 AS first FROM bills"  # noqa: S608  our own names
    made = "printf('%04d-%02d-01', period / 100, period % 100)"
    first = f"CAST(julianday({made}) - 1721424.5 AS INTEGER)"
    return f"SELECT DISTINCT period, {first} AS first FROM bills"  # noqa: S608  our own names


def _index_records() -> None:
    op.create_index(
        "ix_job_records_cluster_shown_id",
        "job_records",
        ["cluster", "shown_id"],
        postgresql_ops={"shown_id": "text_pattern_ops"},
    )
    has_thing = sa.text("thing IS NOT NULL")
    op.create_index(
        "ix_job_records_cluster_thing",
        "job_records",
        ["cluster", "thing"],
        sqlite_where=has_thing,
        postgresql_where=has_thing,
    )
    for name, seconds in _LONG.items():
        is_long = sa.text(f"ended_at - started_at > {seconds}")
        op.create_index(
            f"ix_job_records_{name}",
            "job_records",
            ["cluster", "ended_at"],
            sqlite_where=is_long,
            postgresql_where=is_long,
        )


def _column(name: str) -> "sa.Column[object]":
    is_text = name in {"cluster", "cut", "grain", *_WHOSE}
    return sa.Column(name, sa.Text() if is_text else sa.BigInteger(), nullable=False)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)
