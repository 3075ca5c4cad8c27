"""The tables of runs: what lists search lies together, what is long lies apart."""

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.account_tables import NEVER_AGAIN
from kqi_hub.db.login_tables import ROW_NUMBER
from kqi_hub.db.run_text import SpecText
from kqi_hub.db.run_use_text import UseText
from kqi_hub.db.tables import Base
from kqi_hub.db.text import BytewiseText
from kqi_hub.domain.run_use import RunUse
from kqi_hub.domain.runs import RunSpec

_IS_LIVE: Final = text("settled_at IS NULL")
_IS_ALONE: Final = text("task IS NULL AND copied_from IS NULL")
_IS_TASK: Final = text("task IS NOT NULL")
_HAS_VALUE: Final = text("value_number IS NOT NULL")
_IS_FIRST: Final = text("preprocessing IS NOT NULL AND copied_from IS NULL")
# Rows that are found by their key alone: SQLite keeps them in the index itself.
_IN_KEY_ORDER: Final = {"sqlite_with_rowid": False}
LISTED: Final = (
    "kind", "number", "tenant", "name", "state", "owner", "queue", "asked_at",
    "ended_at", "value_number", "is_favourite", "dataset",
)  # fmt: skip


class RunRow(Base):
    """A run of any kind; `settled_at` is when its final state was noted.

    `name`, `memo` and the tags are as they were last written; `outcome` is how its job
    ended, while results are collected. `value_number` is what lists sort values by.
    Whoever has `leased_by` until `leased_until` submits its job. What is to be deleted
    once it has ended is so since `going_at`.
    """

    __tablename__ = "runs"

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    kind: Mapped[str]
    tenant: Mapped[str]
    owner: Mapped[str]
    state: Mapped[str]
    name: Mapped[str]
    queue: Mapped[str]
    key: Mapped[str]
    is_favourite: Mapped[bool]
    asked_at: Mapped[float]
    changed_at: Mapped[float]
    began_at: Mapped[float | None]
    ended_at: Mapped[float | None]
    settled_at: Mapped[float | None]
    job_id: Mapped[int | None]
    batch: Mapped[int | None]
    task: Mapped[int | None]
    copied_from: Mapped[int | None]
    dataset: Mapped[int | None]
    preprocessing: Mapped[int | None]
    data: Mapped[int | None]
    exit_code: Mapped[int | None]
    per_hour: Mapped[int | None]
    files: Mapped[int | None]
    bytes: Mapped[int | None]
    value_number: Mapped[float | None]
    node: Mapped[str]
    stopping: Mapped[str | None]
    outcome: Mapped[str | None]
    going_at: Mapped[float | None]
    keeps_refused: Mapped[bool]
    leased_by: Mapped[str]
    leased_until: Mapped[float | None]
    folder: Mapped[str]
    value: Mapped[str]
    detail: Mapped[str]
    memo: Mapped[str]
    command: Mapped[str]
    use: Mapped[RunUse | None] = mapped_column(UseText())

    __table_args__ = (
        # What lists sort by and search, but the words, in their usual order:
        # most searches read this alone, a part of the table.
        Index("ix_runs_lists", *LISTED),
        # Pages by number and counts of all: a tenth of what lists may search.
        Index("ix_runs_pages", "kind", "number", "tenant"),
        # Deep pages by name: 30,000 names are not sorted for them.
        Index("ix_runs_names", "kind", "name", "number", "tenant"),
        # By value from either end; those without one come last, by their numbers.
        Index(
            "ix_runs_values",
            "kind",
            "value_number",
            "number",
            "tenant",
            sqlite_where=_HAS_VALUE,
            postgresql_where=_HAS_VALUE,
        ),
        Index(None, "owner", "kind", "number"),
        Index(None, "changed_at"),
        Index(None, "preprocessing", "number"),
        # An item is preprocessed in one way once (K-55).
        Index(
            "uq_runs_preprocessing_data",
            "preprocessing",
            "data",
            unique=True,
            sqlite_where=_IS_FIRST,
            postgresql_where=_IS_FIRST,
        ),
        Index(None, "data", "number"),
        # Counts of what nearly each dataset has, without a look at the runs themselves.
        Index("ix_runs_datasets", "dataset", "kind", "number", "tenant"),
        Index(
            "ix_runs_live",
            "owner",
            "number",
            sqlite_where=_IS_LIVE,
            postgresql_where=_IS_LIVE,
        ),
        # A key is one job's: the database keeps it, whoever asks at once.
        Index(
            "uq_runs_key",
            "key",
            unique=True,
            sqlite_where=_IS_ALONE,
            postgresql_where=_IS_ALONE,
        ),
        Index(
            "uq_runs_key_task",
            "key",
            "task",
            unique=True,
            sqlite_where=_IS_TASK,
            postgresql_where=_IS_TASK,
        ),
        Index(None, "key"),
        NEVER_AGAIN,
    )


class RunWordsRow(Base):
    """What lists look for words in: long texts of a run, and the names of its parents.

    All as `in_one_case` has them. In a table of their own they are read in a fraction
    of the time that the runs take, and no change of a state writes them again.
    """

    __tablename__ = "run_words"

    number: Mapped[int] = mapped_column(
        ROW_NUMBER, ForeignKey("runs.number"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str]
    tenant: Mapped[str]
    memo: Mapped[str] = mapped_column(BytewiseText())
    command: Mapped[str] = mapped_column(BytewiseText())
    parents: Mapped[str] = mapped_column(BytewiseText())


class RunSpecRow(Base):
    """What was asked for, as it was; the command is in the run's own row."""

    __tablename__ = "run_specs"

    run: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("runs.number"), primary_key=True, autoincrement=False
    )
    spec: Mapped[RunSpec] = mapped_column(SpecText())


class RunScriptRow(Base):
    """The script of a job as it was submitted; an array's tasks have one."""

    __tablename__ = "run_scripts"

    key: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


class RunTagRow(Base):
    """A tag of a run; the tenant is the run's."""

    __tablename__ = "run_tags"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    run: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("runs.number"), primary_key=True, autoincrement=False
    )

    __table_args__ = (Index(None, "run"), _IN_KEY_ORDER)


class RunParentRow(Base):
    """A run whose output another one reads; while there is one, the parent stays."""

    __tablename__ = "run_parents"

    run: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("runs.number"), primary_key=True, autoincrement=False
    )
    parent: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("runs.number"), primary_key=True, autoincrement=False
    )

    __table_args__ = (Index(None, "parent"), _IN_KEY_ORDER)


class RunEventRow(Base):
    """A change of a run's state; `position` counts them."""

    __tablename__ = "run_events"

    run: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("runs.number"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[float]
    state: Mapped[str]
    cause: Mapped[str]

    __table_args__ = (_IN_KEY_ORDER,)


class RunRemovalRow(Base):
    """The folder of a deleted run, until it is removed in its owner's name."""

    __tablename__ = "run_removals"

    run: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[str]
    folder: Mapped[str]
