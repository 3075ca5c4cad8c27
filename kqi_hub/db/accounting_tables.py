"""The tables of accounting: Slurm's records, rates, the book, its sums, budgets."""

from typing import Final

from sqlalchemy import (
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.login_tables import ROW_NUMBER
from kqi_hub.db.tables import Base
from kqi_hub.domain.usage_counts import FAILED_STATES

# Rows lie in the order of their key: a question is a few short stretches of them.
_IN_KEY_ORDER: Final = {"sqlite_with_rowid": False}
_WHOSE: Final = ("user", "tenant", "queue", "qos", "gpu_type", "kind")
# Indexes of long runs, and longer than how many seconds those are: a day, 8 days.
LONG_RUNS: Final = {"long": 86_400, "longest": 691_200}

# The condition of the index of failed runs; questions repeat it as it is.
FAILED_RUNS: Final = f"state IN ({', '.join(map(repr, sorted(FAILED_STATES)))})"


def longer_than(seconds: int) -> str:
    """Return the condition of an index of long runs; questions repeat it as it is."""
    return f"ended_at - started_at > {seconds:d}"


class JobRecordRow(Base):
    """A run of a job as in `domain.job_records.JobRecord`.

    `hash` tells a changed row without comparing fields. `kind` and `thing` are what
    the job is for, as its name says.
    """

    __tablename__ = "job_records"

    id: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    cluster: Mapped[str]
    job_id: Mapped[int]
    submitted_at: Mapped[int]
    db_index: Mapped[int]
    shown_id: Mapped[str]
    name: Mapped[str]
    user: Mapped[str]
    account: Mapped[str]
    partition: Mapped[str]
    qos: Mapped[str]
    state: Mapped[str]
    exit_code: Mapped[str]
    eligible_at: Mapped[int | None]
    started_at: Mapped[int | None]
    ended_at: Mapped[int | None]
    suspended_s: Mapped[int]
    suspended: Mapped[str | None] = mapped_column(Text)
    time_limit_s: Mapped[int | None]
    nodes: Mapped[int]
    cpus: Mapped[int]
    memory_mb: Mapped[int]
    gpus: Mapped[str]
    node_list: Mapped[str]
    kind: Mapped[str]
    thing: Mapped[int | None]
    hash: Mapped[int]
    first_seen: Mapped[float]
    changed_at: Mapped[float]

    __table_args__ = (
        UniqueConstraint("cluster", "job_id", "submitted_at"),
        Index(None, "cluster", "ended_at"),
        Index(None, "cluster", "account", "ended_at"),
        Index(None, "cluster", "user", "ended_at"),
        # Tasks of an array show its number.
        Index(
            None,
            "cluster",
            "shown_id",
            postgresql_ops={"shown_id": "text_pattern_ops"},
        ),
        Index(
            None,
            "cluster",
            "thing",
            sqlite_where=text("thing IS NOT NULL"),
            postgresql_where=text("thing IS NOT NULL"),
        ),
        # Of what somebody ran on a day, few runs failed.
        Index(
            "ix_job_records_failed",
            "cluster",
            "user",
            "ended_at",
            sqlite_where=text(FAILED_RUNS),
            postgresql_where=text(FAILED_RUNS),
        ),
        # Of what ended after a time, few runs began in it: the long ones.
        *(
            Index(
                f"ix_job_records_{name}",
                "cluster",
                "ended_at",
                sqlite_where=text(longer_than(seconds)),
                postgresql_where=text(longer_than(seconds)),
            )
            for name, seconds in LONG_RUNS.items()
        ),
    )


class NodeShapeRow(Base):
    """What a node has since a moment: whole nodes are billed by it."""

    __tablename__ = "node_shapes"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str] = mapped_column(primary_key=True)
    from_at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cpus: Mapped[int]
    memory_mb: Mapped[int]
    gpus: Mapped[str]


class IntakeRow(Base):
    """How far accounting has been read: one line for each cluster.

    `read_until` moves on with every tick. `filled_back_to` moves from there to
    `fill_back_to`, the oldest day wanted; they meet when the history is whole.
    """

    __tablename__ = "intake"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    read_until: Mapped[int | None]
    fill_back_to: Mapped[int | None]
    filled_back_to: Mapped[int | None]
    nightly_at: Mapped[int | None]
    reconciled_at: Mapped[float | None]
    reconciliation: Mapped[str | None] = mapped_column(Text)


class RateCardRow(Base):
    """A card of rates; `document` is its TOML, as it was published.

    `posted_at` is None as long as use since `from_at` is in the book at other rates.
    """

    __tablename__ = "rate_cards"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_at: Mapped[int]
    document: Mapped[str] = mapped_column(Text)
    author: Mapped[str]
    note: Mapped[str]
    published_at: Mapped[float]
    posted_at: Mapped[float | None]
    withdrawn_at: Mapped[float | None]


class LedgerRow(Base):
    """A line of the book as in `domain.ledger.Entry`: added, never changed."""

    __tablename__ = "ledger"

    id: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    cluster: Mapped[str]
    kind: Mapped[str]
    tenant: Mapped[str]
    period: Mapped[int]
    day: Mapped[int]
    amount: Mapped[int]
    at: Mapped[float]
    author: Mapped[str]
    reason: Mapped[str]
    record_id: Mapped[int | None] = mapped_column(ForeignKey("job_records.id"))
    version: Mapped[int | None]
    per_hour: Mapped[int | None]
    seconds: Mapped[int]
    cpu_s: Mapped[int]
    memory_mb_s: Mapped[int]
    gpu_s: Mapped[int]
    node_s: Mapped[int]

    __table_args__ = (
        Index(None, "record_id"),
        Index(None, "cluster", "period", "tenant", "id"),
    )


class _Sums:
    """What the lines of the book come to, and the runs that ended."""

    amount: Mapped[int]
    seconds: Mapped[int]
    cpu_s: Mapped[int]
    memory_mb_s: Mapped[int]
    gpu_s: Mapped[int]
    node_s: Mapped[int]
    unpriced_s: Mapped[int]
    runs: Mapped[int]
    failed_runs: Mapped[int]
    failed_gpu_s: Mapped[int]
    failed_amount: Mapped[int]
    started_runs: Mapped[int]
    waited_s: Mapped[int]


class _Whose:
    """Of what the sums by day and by month are."""

    tenant: Mapped[str]
    user: Mapped[str]
    queue: Mapped[str]
    qos: Mapped[str]
    gpu_type: Mapped[str]
    kind: Mapped[str]


class UsageDayRow(_Whose, _Sums, Base):
    """Sums of the book by day of use; kept with every line that is added."""

    __tablename__ = "usage_days"

    cluster: Mapped[str]
    day: Mapped[int] = mapped_column(autoincrement=False)

    __table_args__ = (
        PrimaryKeyConstraint("cluster", "day", *_WHOSE),
        _IN_KEY_ORDER,
    )


class UsageMonthRow(_Whose, _Sums, Base):
    """The same by month of use, for long times."""

    __tablename__ = "usage_months"

    cluster: Mapped[str]
    month: Mapped[int] = mapped_column(autoincrement=False)

    __table_args__ = (
        PrimaryKeyConstraint("cluster", "month", *_WHOSE),
        _IN_KEY_ORDER,
    )


class UsageSumRow(_Sums, Base):
    """The same by less: cuts of domain/usage_cuts.py, what they lack left empty.

    `at` is the number of a day or of a month, as `grain` says.
    """

    __tablename__ = "usage_sums"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    cut: Mapped[str] = mapped_column(primary_key=True)
    grain: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(primary_key=True)
    qos: Mapped[str] = mapped_column(primary_key=True)
    gpu_type: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (_IN_KEY_ORDER,)


class _Peaks:
    """The most that one run comes to."""

    amount: Mapped[int]
    failed_gpu_s: Mapped[int]
    waited_s: Mapped[int]


class UsagePeakRow(_Whose, _Peaks, Base):
    """The most that a run comes to of those that ended in a day or month.

    Runs that stand out are looked for where a peak is high. It is raised with every
    line and never lowered: `ledger verify` minds only those that are too low.
    """

    __tablename__ = "usage_peaks"

    cluster: Mapped[str]
    grain: Mapped[str]
    at: Mapped[int] = mapped_column(autoincrement=False)

    __table_args__ = (
        PrimaryKeyConstraint("cluster", "grain", "at", *_WHOSE),
        _IN_KEY_ORDER,
    )


class BillPositionRow(Base):
    """What a person's runs of a kind in a queue come to on a bill.

    `earlier` is 1 for use of a month that was closed already. Kept with every line.
    """

    __tablename__ = "bill_positions"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tenant: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    earlier: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    runs: Mapped[int]
    seconds: Mapped[int]
    cpu_s: Mapped[int]
    gpu_s: Mapped[int]
    amount: Mapped[int]

    __table_args__ = (_IN_KEY_ORDER,)


class BillRow(Base):
    """What the lines of a period come to for a tenant: the bill, whole or so far."""

    __tablename__ = "bills"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tenant: Mapped[str] = mapped_column(primary_key=True)
    charged: Mapped[int]
    corrected: Mapped[int]
    credited: Mapped[int]


class PeriodRow(Base):
    """A month that is closed, by whom and when; open ones have no row."""

    __tablename__ = "closed_periods"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    closed_at: Mapped[float]
    author: Mapped[str]
    # What was told when it was closed, running jobs and differences, as JSON.
    notes: Mapped[str] = mapped_column(Text)


class BudgetRow(Base):
    """What a tenant may spend a month from a month on; `amount` None takes it away."""

    __tablename__ = "budgets"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(primary_key=True)
    from_period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    amount: Mapped[int | None]
    author: Mapped[str]
    at: Mapped[float]


class TenantQuotaRow(Base):
    """What a tenant may have at once; 0 is without limit, as people read it."""

    __tablename__ = "tenant_quotas"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(primary_key=True)
    cpus: Mapped[int]
    memory_gb: Mapped[int]
    gpus: Mapped[int]
    author: Mapped[str]
    at: Mapped[float]


class WrittenLimitRow(Base):
    """A limit that the portal wrote into Slurm; what else stands there is the site's.

    `resource` is Slurm's own name, such as `cpu` (GrpTRES), or `billing` (GrpTRESMins).
    """

    __tablename__ = "written_limits"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]
    at: Mapped[float]


class BudgetWarningRow(Base):
    """A warning that was given: once for each step of a tenant's month."""

    __tablename__ = "budget_warnings"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    percent: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[float]
