"""Use, runs and bills as files that spreadsheets open."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from handlers.api.usage_models import said_key
from kqi_hub.domain import spreadsheets
from kqi_hub.domain.bills import Statement
from kqi_hub.domain.samples import Sample
from kqi_hub.domain.spreadsheets import Cell, exact
from kqi_hub.domain.usage import UsageTable, UsedRun
from kqi_hub.domain.usage_periods import said_day, said_period

_HOUR_S: Final = 3600
TABLE_HEADS: Final = (
    *("Cost", "Currency", "GPU hours", "CPU hours", "Memory GB hours", "Node hours"),
    *("Run hours", "Unpriced hours", "Runs ended", "Runs failed"),
    *("GPU hours failed", "Cost failed", "Runs started", "Mean wait s"),
)
RUN_HEADS: Final = (
    *("Run", "Job", "Name", "Kind", "Tenant", "Person", "Queue", "QOS"),
    *("Nodes", "Node list", "Created", "Eligible", "Started", "Completed"),
    *("Waited s", "Ran s", "CPUs", "Memory MB", "GPUs", "Final status", "Exit code"),
    *("CPU hours", "GPU hours", "Cost", "Currency"),
)
SAMPLE_HEADS: Final = (
    *("Sampled at", "Node", "Node CPUs", "Node memory MB", "Node GPUs", "Tenant"),
    *("Person", "Job", "Name", "CPUs", "Memory MB", "GPUs", "Status"),
)
BILL_HEADS: Final = (
    *("Month", "Tenant", "Person", "Queue", "Kind", "What", "Runs", "Hours"),
    *("CPU hours", "GPU hours", "Amount", "Currency"),
)


def table_file(table: UsageTable, currency: str) -> str:
    """Return use added up, a row a line."""
    rows = (
        (said_key(table.group, row.key), *_sums(row.totals._asdict(), currency))
        for row in table.rows
    )
    return spreadsheets.document((table.group.value.capitalize(), *TABLE_HEADS), rows)


def run_file(
    runs: Sequence[UsedRun], currency: str, zone: str, with_heads: bool
) -> str:
    """Return runs, one a line; times are those of the zone."""
    place = ZoneInfo(zone)
    rows = (_run(run, currency, place) for run in runs)
    return spreadsheets.document(RUN_HEADS, rows, with_heads)


def sample_file(found: Sequence[Sample], zone: str, with_heads: bool) -> str:
    """Return what ran where at each full hour; times are those of the zone."""
    place = ZoneInfo(zone)
    rows = (_sample(one, place) for one in found)
    return spreadsheets.document(SAMPLE_HEADS, rows, with_heads)


def bill_file(statement: Statement, currency: str) -> str:
    """Return a bill: its positions, its credits; they add up to it."""
    return spreadsheets.document(BILL_HEADS, _bill(statement, currency))


def _sums(sums: dict[str, int], currency: str) -> Iterator[Cell]:
    started = sums["started_runs"]
    yield from (exact(sums["amount"]), currency)
    yield from (_hours(sums[name]) for name in ("gpu_s", "cpu_s"))
    yield _hours(sums["memory_mb_s"] / 1024)
    yield from (_hours(sums[name]) for name in ("node_s", "seconds", "unpriced_s"))
    yield from (sums["runs"], sums["failed_runs"])
    yield from (_hours(sums["failed_gpu_s"]), exact(sums["failed_amount"]), started)
    yield sums["waited_s"] // started if started else None


def _run(run: UsedRun, currency: str, zone: ZoneInfo) -> tuple[Cell, ...]:
    one = run.record
    times = (one.submitted_at, one.eligible_at, one.started_at, one.ended_at)
    return (
        *(run.id, one.shown_id, one.name, run.kind, one.account, one.user),
        *(one.partition, one.qos, one.nodes, one.node_list),
        *(_moment(at, zone) for at in times),
        *(run.waited_s, run.ran_s, one.cpus, one.memory_mb, one.gpus),
        *(one.state, one.exit_code, _hours(run.cpu_s), _hours(run.gpu_s)),
        *(exact(run.amount), currency),
    )


def _sample(one: Sample, zone: ZoneInfo) -> tuple[Cell, ...]:
    has, run = one.has, one.run
    gpus = ",".join(f"{kind}={n}" for kind, n in (has.gpus if has else {}).items())
    node = (has.cpus, has.memory_mb, gpus) if has else (None, None, None)
    if run is None:
        return (_moment(one.at, zone), one.node, *node, *(None,) * 8)
    record = run.record
    return (
        *(_moment(one.at, zone), one.node, *node, record.account, record.user),
        *(record.shown_id, record.name, one.cpus, one.memory_mb, one.gpus),
        record.state,
    )


def _bill(statement: Statement, currency: str) -> Iterator[tuple[Cell, ...]]:
    month, tenant = said_period(statement.bill.period), statement.bill.tenant
    for one in statement.positions:
        what = "correction of earlier months" if one.earlier else "use"
        yield (
            *(month, tenant, one.person, one.queue, one.kind, what, one.runs),
            *(_hours(one.seconds), _hours(one.cpu_s), _hours(one.gpu_s)),
            *(exact(one.amount), currency),
        )
    for entry in statement.credits:
        what = f"credit of {said_day(entry.day)}: {entry.reason}"
        nothing = (None, None, None, None)
        yield (
            *(month, tenant, None, None, None, what),
            *nothing,
            *(exact(entry.amount), currency),
        )


def _hours(seconds: float) -> float:
    return round(seconds / _HOUR_S, 6)


def _moment(epoch: int | None, zone: ZoneInfo) -> str | None:
    if epoch is None:
        return None
    return f"{datetime.fromtimestamp(epoch, zone):%Y-%m-%d %H:%M:%S}"
