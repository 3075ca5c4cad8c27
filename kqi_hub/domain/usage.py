"""What was used: what can be asked of the book's sums and of the runs behind them."""

from dataclasses import dataclass
from enum import StrEnum
from operator import add
from typing import NamedTuple, Self

from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.site_days import Day


class Group(StrEnum):
    """By what use is added up."""

    DAY = "day"
    MONTH = "month"
    TENANT = "tenant"
    PERSON = "person"
    QUEUE = "queue"
    QOS = "qos"
    GPU_TYPE = "gpu-type"
    KIND = "kind"

    @property
    def is_time(self) -> bool:
        """Tell whether its rows stand in the order of time, rather than of size."""
        return self in {Group.DAY, Group.MONTH}


class Days(NamedTuple):
    """Local days from the first to the last, both of them too."""

    first: Day
    last: Day

    @property
    def number(self) -> int:
        """Return how many there are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Whose use is meant; `tenants` None: everybody's. Empty texts narrow nothing.

    `gpu_type` "-" is use without GPUs.
    """

    tenants: tuple[str, ...] | None = None
    person: str = ""
    queue: str = ""
    qos: str = ""
    gpu_type: str = ""
    kind: str = ""


class Totals(NamedTuple):
    """Sums of the book's lines, and of the runs that ended.

    Amounts are millionths; `unpriced_s` are seconds for which there was no price.
    `waited_s` is the wait of the `started_runs` together.
    """

    amount: int = 0
    seconds: int = 0
    cpu_s: int = 0
    memory_mb_s: int = 0
    gpu_s: int = 0
    node_s: int = 0
    unpriced_s: int = 0
    runs: int = 0
    failed_runs: int = 0
    failed_gpu_s: int = 0
    failed_amount: int = 0
    started_runs: int = 0
    waited_s: int = 0

    def plus(self, other: Self) -> "Totals":
        """Return both together."""
        return Totals(*map(add, self, other))

    @property
    def mean_wait_s(self) -> int | None:
        """Return how long a run waited on average; None where none has started."""
        return self.waited_s // self.started_runs if self.started_runs else None


class UsageRow(NamedTuple):
    """Use of one day, queue, person …; `key` is the day's or month's number as text."""

    key: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class UsageTable:
    """Use added up by something: times in their order, else the dearest first."""

    group: Group
    rows: tuple[UsageRow, ...] = ()

    @property
    def total(self) -> Totals:
        """Return all rows together."""
        total = Totals()
        for row in self.rows:
            total = total.plus(row.totals)
        return total


class Place(NamedTuple):
    """Where a page of runs ended: the next one begins after it."""

    ended_at: int
    id: int


@dataclass(frozen=True, slots=True)
class RunsAsked:
    """Which runs to list: those that had time within `begins` to `ends`, newest first.

    `job` is Slurm's number, of a run or of its array; `thing` that of a training,
    notebook … of the kind that is meant; `failed`: only those.
    """

    whose: Narrowing
    days: Days
    begins: int
    ends: int
    job: int | None = None
    thing: int | None = None
    failed: bool = False
    after: Place | None = None
    limit: int = 50


class UsedRun(NamedTuple):
    """A run with what the book holds of it in the days that were asked for."""

    id: int
    record: JobRecord
    kind: str
    thing: int | None
    amount: int = 0
    seconds: int = 0
    cpu_s: int = 0
    memory_mb_s: int = 0
    gpu_s: int = 0

    @property
    def waited_s(self) -> int | None:
        """Return how long it waited since it could have run; None: never started."""
        return self.record.waited_s

    @property
    def ran_s(self) -> int | None:
        """Return how long it had its nodes; None while that is not known."""
        began, ended = self.record.started_at, self.record.ended_at
        if began is None or ended is None:
            return None
        return max(0, ended - began - self.record.suspended_s)


@dataclass(frozen=True, slots=True)
class RunsFound:
    """A page of runs; `following` where there are more."""

    runs: tuple[UsedRun, ...] = ()
    following: Place | None = None


class IntakeState(NamedTuple):
    """How far accounting was read: epoch seconds, None where not begun.

    The history is whole when `filled_back_to` has come down to `fill_back_to`.
    """

    read_until: int | None = None
    fill_back_to: int | None = None
    filled_back_to: int | None = None

    @property
    def is_filling(self) -> bool:
        """Tell whether older months are still being read."""
        wanted = self.fill_back_to
        if wanted is None:
            return False
        return self.filled_back_to is None or self.filled_back_to > wanted

    @property
    def share(self) -> float | None:
        """Return how much of the history was read, of 1; None where that is unknown."""
        if None in {self.read_until, self.fill_back_to, self.filled_back_to}:
            return None
        whole = (self.read_until or 0) - (self.fill_back_to or 0)
        done = (self.read_until or 0) - (self.filled_back_to or 0)
        return min(1.0, max(0.0, done / whole)) if whole > 0 else 1.0


class Measured(NamedTuple):
    """What runs measured of themselves: seconds that they had, and those in use."""

    runs: int = 0
    cpu_used_s: float = 0.0
    cpu_had_s: float = 0.0
    gpu_used_s: float = 0.0
    gpu_had_s: float = 0.0


class Capacity(NamedTuple):
    """What the cluster could have given: seconds of CPUs, GPUs by type, nodes."""

    cpu_s: int = 0
    gpu_s: int = 0
    node_s: int = 0
    by_type: tuple[tuple[str, int], ...] = ()
