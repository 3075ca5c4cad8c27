"""What was used and what it costs: sums, the runs behind them, bills."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from kqi_hub.sdk.calls import Calls, part
from kqi_hub.sdk.models import Answer, known

Narrow = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UsageSums(Answer):
    """Use added up; costs are millionths of the currency's unit."""

    cost_micro: int = 0
    seconds: int = 0
    cpu_s: int = 0
    memory_mb_s: int = 0
    gpu_s: int = 0
    node_s: int = 0
    unpriced_s: int = 0
    runs: int = 0
    failed_runs: int = 0
    failed_gpu_s: int = 0
    failed_cost_micro: int = 0
    started_runs: int = 0
    waited_s: int = 0


@dataclass(frozen=True, slots=True)
class UsageLine(Answer):
    """Use of one day, queue, person …, as `key` says."""

    key: str
    sums: UsageSums

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(said["key"], UsageSums.read(said["sums"]))


@dataclass(frozen=True, slots=True)
class UsageTable(Answer):
    """Use of some days; `is_filling`: older months are still being read from Slurm."""

    first: str
    last: str
    time_zone: str
    currency: str
    by: str
    rows: tuple[UsageLine, ...]
    total: UsageSums
    is_filling: bool = False

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        deeper = {
            "rows": tuple(UsageLine.read(one) for one in said["rows"]),
            "total": UsageSums.read(said["total"]),
            "is_filling": said["intake"]["is_filling"],
        }
        return cls(**{**known(cls, said), **deeper})


@dataclass(frozen=True, slots=True)
class UsedRun(Answer):
    """A run of a job; one that went back into its queue has several."""

    id: int
    job: str
    job_id: int
    name: str
    kind: str
    thing: int | None
    person: str
    tenant: str
    queue: str
    qos: str
    state: str
    exit_code: str
    submitted_at: int
    started_at: int | None
    ended_at: int | None
    waited_s: int | None
    ran_s: int | None
    nodes: int
    node_list: str
    cpus: int
    memory_mb: int
    gpus: Mapping[str, int]
    cost_micro: int
    cpu_s: int = 0
    gpu_s: int = 0
    # It has ended, and the cost is the book's; else what it has cost until now.
    is_billed: bool = False


@dataclass(frozen=True, slots=True)
class UsedRuns(Answer):
    """A page of runs; `following` asks for the next one."""

    first: str
    last: str
    currency: str
    runs: tuple[UsedRun, ...]
    following: str = ""

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        runs = tuple(UsedRun.read(one) for one in said["runs"])
        return cls(**{**known(cls, said), "runs": runs})


@dataclass(frozen=True, slots=True)
class TopRuns(Answer):
    """Runs that stand out by something: `cost`, `failed-gpu`, `wait`."""

    by: str
    runs: tuple[UsedRun, ...]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(said["by"], tuple(UsedRun.read(one) for one in said["runs"]))


@dataclass(frozen=True, slots=True)
class BookLine(Answer):
    """A line of the book: a charge, a correction or a credit."""

    id: int
    kind: str
    day: str
    period: str
    card: int | None
    per_hour_micro: int | None
    seconds: int
    cost_micro: int
    reason: str = ""
    author: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class RunCost(Answer):
    """A run with every line that its cost is made of."""

    currency: str
    run: UsedRun
    lines: tuple[BookLine, ...]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        lines = tuple(BookLine.read(one) for one in said["lines"])
        return cls(said["currency"], UsedRun.read(said["run"]), lines)


@dataclass(frozen=True, slots=True)
class Bill(Answer):
    """What a month comes to for a tenant; final when it is closed."""

    period: str
    tenant: str
    charged_micro: int
    corrected_micro: int
    credited_micro: int
    total_micro: int
    closed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Bills(Answer):
    """Bills, the newest month first."""

    currency: str
    bills: tuple[Bill, ...]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(said["currency"], tuple(map(Bill.read, said["bills"])))


@dataclass(frozen=True, slots=True)
class BillPosition(Answer):
    """What a person's runs of a kind in a queue come to on a bill."""

    person: str
    queue: str
    kind: str
    earlier: bool
    runs: int
    seconds: int
    cpu_s: int
    gpu_s: int
    amount_micro: int


@dataclass(frozen=True, slots=True)
class Statement(Answer):
    """A bill with the positions and credits that add up to it."""

    currency: str
    bill: Bill
    positions: tuple[BillPosition, ...]
    credits: tuple[BookLine, ...]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(
            said["currency"],
            Bill.read(said["bill"]),
            tuple(map(BillPosition.read, said["positions"])),
            tuple(map(BookLine.read, said["credits"])),
        )


class UsageCalls(Calls):
    """The part of `Client` about use and bills.

    `narrow` says whose use and which of it: `of` (mine, tenant, cluster), `tenant`,
    `person`, `queue`, `qos`, `gpu_type`, `kind`, `period` (this-month, 2026-11,
    30-days) or `since` and `until` (2026-11-21).
    """

    def usage(self, by: str = "day", narrow: Narrow | None = None) -> UsageTable:
        """Return use by day, month, tenant, person, queue, qos, gpu-type or kind."""
        return UsageTable.read(self._api("GET", _path("usage", {"by": by}, narrow)))

    def usage_csv(self, by: str = "day", narrow: Narrow | None = None) -> str:
        """Return the same as a file for spreadsheets."""
        return self._api_text("GET", _path("usage/csv", {"by": by}, narrow))

    def used_runs(
        self,
        narrow: Narrow | None = None,
        *,
        job: int | None = None,
        failed: bool = False,
        after: str = "",
        per_page: int = 50,
    ) -> UsedRuns:
        """Return a page of the runs behind the sums, the last ended first."""
        asked = {"job": job, "failed": failed and "true", "after": after}
        path = _path("usage/runs", {**asked, "per_page": per_page}, narrow)
        return UsedRuns.read(self._api("GET", path))

    def top_runs(
        self, narrow: Narrow | None = None, *, limit: int = 10
    ) -> tuple[TopRuns, ...]:
        """Return the dearest runs, most failed GPU hours, longest waits."""
        said = self._api("GET", _path("usage/top", {"limit": limit}, narrow))
        return tuple(map(TopRuns.read, said["lists"]))

    def used_runs_csv(
        self,
        narrow: Narrow | None = None,
        *,
        job: int | None = None,
        failed: bool = False,
        header: bool = True,
    ) -> str:
        """Return all of them as a file for spreadsheets."""
        asked = {"failed": failed and "true", "header": not header and "false"}
        path = _path("usage/runs/csv", {"job": job, **asked}, narrow)
        return self._api_text("GET", path)

    def samples_csv(self, narrow: Narrow | None = None, *, header: bool = True) -> str:
        """Return what ran where at each full hour, as a file; for operators."""
        asked = {"header": not header and "false"}
        return self._api_text("GET", _path("usage/samples/csv", asked, narrow))

    def run_cost(self, run_id: int) -> RunCost:
        """Return a run with every line that its cost is made of."""
        return RunCost.read(self._api("GET", f"usage/runs/{run_id}"))

    def bills(self, tenant: str = "", since: str = "", until: str = "") -> Bills:
        """Return bills of a tenant, or of all that one manages."""
        asked = {"tenant": tenant, "since": since, "until": until}
        path = _path("bills", asked)
        return Bills.read(self._api("GET", path))

    def bill(self, tenant: str, period: str) -> Statement:
        """Return a tenant's bill of a month such as 2026-11."""
        return Statement.read(self._api("GET", _of(tenant, period)))

    def bill_csv(self, tenant: str, period: str) -> str:
        """Return the same as a file for spreadsheets."""
        return self._api_text("GET", f"{_of(tenant, period)}/csv")


def _of(tenant: str, period: str) -> str:
    return f"tenants/{part(tenant)}/bills/{part(period)}"


def _path(path: str, asked: Mapping[str, object], narrow: Narrow | None = None) -> str:
    together = {**asked, **(narrow or {})}
    query = {name: value for name, value in together.items() if value}
    return f"{path}?{urlencode(query)}" if query else path
