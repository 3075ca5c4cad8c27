"""The tables; a change here needs a migration (docs/operators/database.md says how)."""

from sqlalchemy import BigInteger, Boolean, Double, Index, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kqi_hub.db.text import AnyText, Gpus, Words
from kqi_hub.domain.cluster import GpuCount


class Base(DeclarativeBase):
    """What all tables share: names for constraints, and types for annotations."""

    # Migrations need names to change a constraint by; SQLite gives it none.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this very attribute
        str: AnyText(),
        int: BigInteger(),
        float: Double(),
        bool: Boolean(),
        tuple[str, ...]: Words(),
        tuple[GpuCount, ...]: Gpus(),
    }


class SnapshotRow(Base):
    """One line for each cluster: which picture is stored, and how the last look went.

    The rows of nodes, partitions and jobs change only together with `sequence`, in
    one transaction. Times are epoch seconds.
    """

    __tablename__ = "snapshot"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    taken_at: Mapped[float | None]
    tried_at: Mapped[float | None]
    error: Mapped[str]
    refresh_requested_at: Mapped[float | None]


class NodeRow(Base):
    """A compute node as in `domain.cluster.Node`; `position` keeps Slurm's order."""

    __tablename__ = "nodes"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    state: Mapped[str]
    flags: Mapped[tuple[str, ...]]
    partitions: Mapped[tuple[str, ...]]
    cpus: Mapped[int]
    cpus_used: Mapped[int]
    memory_mb: Mapped[int]
    memory_used_mb: Mapped[int]
    gpus: Mapped[tuple[GpuCount, ...]]
    reason: Mapped[str]
    features: Mapped[tuple[str, ...]]


class PartitionRow(Base):
    """A queue as in `domain.cluster.Partition`; `position` keeps Slurm's order."""

    __tablename__ = "partitions"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    state: Mapped[str]
    nodes: Mapped[tuple[str, ...]]
    is_default: Mapped[bool]
    max_time_s: Mapped[int | None]
    default_time_s: Mapped[int | None]
    max_nodes: Mapped[int | None]
    exclusive: Mapped[bool]
    shared: Mapped[bool]
    allow_accounts: Mapped[tuple[str, ...] | None]
    deny_accounts: Mapped[tuple[str, ...]]
    allow_qos: Mapped[tuple[str, ...] | None]
    qos: Mapped[str]
    max_memory_per_node_mb: Mapped[int | None]
    billing_weights: Mapped[str]


class JobRow(Base):
    """A job as in `domain.job.Job`, and what the portal knows beyond Slurm's answer.

    `over_since` is None for a live job. `gone_since` is set while the controller no
    longer lists a live job and accounting has not said that it ended. `changed_in`
    is the sequence of the picture that wrote the row last.
    """

    __tablename__ = "jobs"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    user: Mapped[str]
    account: Mapped[str]
    partition: Mapped[str]
    qos: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]
    array_id: Mapped[int | None]
    task: Mapped[str | None]
    submitted_at: Mapped[int | None]
    starts_at: Mapped[int | None]
    ends_at: Mapped[int | None]
    time_limit_s: Mapped[int | None]
    priority: Mapped[int]
    nodes: Mapped[int]
    cpus: Mapped[int]
    memory: Mapped[str]
    gres: Mapped[str]
    node_list: Mapped[str]
    dependency: Mapped[str]
    comment: Mapped[str]
    exit_code: Mapped[int | None]
    signal: Mapped[int | None]
    first_seen: Mapped[float]
    over_since: Mapped[float | None]
    gone_since: Mapped[float | None]
    changed_in: Mapped[int]

    __table_args__ = (
        Index(None, "cluster", "over_since"),
        Index(None, "cluster", "user", "over_since"),
        Index(None, "cluster", "account", "over_since"),
        Index(None, "cluster", "partition", "over_since"),
    )
