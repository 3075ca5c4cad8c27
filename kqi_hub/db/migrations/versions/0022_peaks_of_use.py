"""Keep the most that a run comes to, by month and day; find failed runs of people."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_WHOSE = ("user", "tenant", "queue", "qos", "gpu_type", "kind")
_PEAKS = ("amount", "failed_gpu_s", "waited_s")
_FAILED = (
    "state IN ('BOOT_FAIL', 'DEADLINE', 'FAILED', 'LAUNCH_FAILED', 'NODE_FAIL',"
    " 'OUT_OF_MEMORY', 'TIMEOUT')"
)
# The last line of a run is of the local day on which it ended, if it ran on that day:
# at midnight it did not, and zones begin their days on a quarter of an hour. Of a run
# that was suspended or corrected, or has no lines, the day is not the lines' to tell:
# it is one of three. A peak that is too high does no harm.
_ENDED = f"""
    CREATE TEMPORARY TABLE ended AS
    SELECT r.cluster, r.first_day + more.days AS at, r.tenant, r."user", r.queue, r.qos,
           r.gpus, r.kind, MAX(r.amount) AS amount,
           MAX(CASE WHEN r.{_FAILED} THEN r.gpu_s ELSE 0 END) AS failed_gpu_s,
           MAX(r.waited_s) AS waited_s
    FROM (
        SELECT r.cluster, r.account AS tenant, r."user", r."partition" AS queue, r.qos,
               r.gpus, r.kind, r.state,
               COALESCE(l.amount, 0) AS amount, COALESCE(l.gpu_s, 0) AS gpu_s,
               r.started_at - COALESCE(r.eligible_at, r.submitted_at) AS waited_s,
               CASE WHEN l.is_plain = 1 AND r.suspended_s = 0 THEN l.last_day
                    ELSE r.ended_at / 86400 + 719162 END AS first_day,
               CASE WHEN l.is_plain = 1 AND r.suspended_s = 0
                    THEN CASE WHEN r.ended_at % 900 = 0 THEN 1 ELSE 0 END
                    ELSE 2 END AS more_days
        FROM job_records AS r LEFT JOIN (
            SELECT record_id, SUM(amount) AS amount, SUM(gpu_s) AS gpu_s,
                   MAX(day) AS last_day,
                   MIN(CASE WHEN kind = 'charge' THEN 1 ELSE 0 END) AS is_plain
            FROM ledger WHERE record_id IS NOT NULL GROUP BY record_id
        ) AS l ON l.record_id = r.id
        WHERE r.ended_at IS NOT NULL
    ) AS r JOIN (
        SELECT 0 AS days UNION ALL SELECT 1 UNION ALL SELECT 2
    ) AS more ON more.days <= r.more_days
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""  # noqa: S608  our own names


def upgrade() -> None:
    """Make the table, fill it from the runs and their lines, and index failed runs."""
    op.create_index(
        "ix_job_records_failed",
        "job_records",
        ["cluster", "user", "ended_at"],
        sqlite_where=sa.text(_FAILED),
        postgresql_where=sa.text(_FAILED),
    )
    key = ("cluster", "grain", "at", *_WHOSE)
    op.create_table(
        "usage_peaks",
        *(_column(name) for name in ("cluster", "grain", "at", "tenant", *_WHOSE[:1])),
        *(_column(name) for name in (*_WHOSE[2:], *_PEAKS)),
        sa.PrimaryKeyConstraint(*key, name="pk_usage_peaks"),
        sqlite_with_rowid=False,
    )
    op.execute(_ENDED)
    _name_gpus()
    _fill(
        "day", "e.at", "g.gpu_type", "ended AS e JOIN gpu_types AS g ON g.gpus = e.gpus"
    )
    _fill("month", _month(), "e.gpu_type", "usage_peaks AS e")
    op.execute("DROP TABLE ended")
    op.execute("DROP TABLE gpu_types")


def _name_gpus() -> None:
    """Tell the type of GPUs by the GPUs of a run: `a100+v100` of `a100=2,v100=1`."""
    connection = op.get_bind()
    op.execute("CREATE TEMPORARY TABLE gpu_types (gpus TEXT, gpu_type TEXT)")
    found = connection.scalars(sa.text("SELECT DISTINCT gpus FROM ended")).all()
    rows = [{"gpus": gpus, "gpu_type": _gpu_type(gpus)} for gpus in found]
    if rows:
        added = sa.text("INSERT INTO gpu_types VALUES (:gpus, :gpu_type)")
        connection.execute(added, rows)


def _gpu_type(gpus: str) -> str:
    entries = (one.rpartition("=") for one in gpus.split(",") if one)
    return "+".join(sorted(kind or "gpu" for kind, _, count in entries if int(count)))


def _fill(grain: str, at: str, gpu_type: str, source: str) -> None:
    peaks = [f"MAX(CASE WHEN e.{name} > 0 THEN e.{name} ELSE 0 END)" for name in _PEAKS]
    names = ("cluster", "grain", "at", "tenant", "user", "queue", "qos", "gpu_type")
    listed = ", ".join(f'"{name}"' for name in (*names, "kind", *_PEAKS))
    op.execute(
        f"INSERT INTO usage_peaks ({listed}) SELECT e.cluster, '{grain}', {at},"  # noqa: S608  our own names
        f' e.tenant, e."user", e.queue, e.qos, {gpu_type}, e.kind, {", ".join(peaks)}'
        f" FROM {source} WHERE e.amount > 0 OR e.failed_gpu_s > 0 OR e.waited_s > 0"
        " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 5, 4, 6, 7, 8, 9"
    )


def _month() -> str:
    """Return what makes the month of a day: 202611. 0001-01-01 is day 1."""
    if op.get_bind().dialect.name == "postgresql":
        day = "DATE '0001-01-01' + (e.at - 1)::int"
        return f"CAST(to_char({day}, 'YYYYMM') AS bigint)"
    return "CAST(strftime('%Y%m', e.at + 1721424.5) AS INTEGER)"


def _column(name: str) -> "sa.Column[object]":
    is_text = name in {"cluster", "grain", *_WHOSE}
    return sa.Column(name, sa.Text() if is_text else sa.BigInteger(), nullable=False)
