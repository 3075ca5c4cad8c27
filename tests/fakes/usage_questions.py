"""What of a fake's uses and runs is meant by a question, and how it is added up."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from kqi_hub.domain.job_records import JobRecord, gpus_of
from kqi_hub.domain.site_days import period_of
from kqi_hub.domain.usage import (
    Group,
    Narrowing,
    Place,
    RunsAsked,
    Totals,
    UsageRow,
    UsageTable,
    UsedRun,
)
from kqi_hub.domain.usage_counts import FAILED_STATES

NEVER: Final = 1 << 60


class Use(NamedTuple):
    """What one line of the book, or one end of a run, adds to the sums of a day."""

    day: int
    tenant: str
    user: str
    queue: str
    qos: str
    gpu_type: str
    kind: str
    totals: Totals


def is_of(use: Use, whose: Narrowing) -> bool:
    """Tell whether a use is one that was asked for."""
    wanted = (
        (use.user, whose.person), (use.queue, whose.queue), (use.qos, whose.qos),
        (use.kind, whose.kind),
    )  # fmt: skip
    if whose.tenants is not None and use.tenant not in whose.tenants:
        return False
    wanted_type = "" if whose.gpu_type == "-" else whose.gpu_type
    if whose.gpu_type and use.gpu_type != wanted_type:
        return False
    return all(not want or has == want for has, want in wanted)


def table_of(uses: Sequence[Use], group: Group) -> UsageTable:
    """Add uses up by one thing, in the order in which they are shown."""
    sums: dict[str, Totals] = {}
    for use in uses:
        keys = {
            Group.DAY: use.day, Group.MONTH: period_of(use.day),
            Group.TENANT: use.tenant, Group.PERSON: use.user, Group.QUEUE: use.queue,
            Group.QOS: use.qos, Group.GPU_TYPE: use.gpu_type, Group.KIND: use.kind,
        }  # fmt: skip
        key = str(keys[group])
        sums[key] = sums.get(key, Totals()).plus(use.totals)
    rows = [UsageRow(key, totals) for key, totals in sums.items()]
    if group.is_time:
        rows.sort(key=lambda row: int(row.key))
    else:
        rows.sort(key=lambda row: (-row.totals.amount, -row.totals.cpu_s, row.key))
    return UsageTable(group, tuple(rows))


def type_of_gpus(one: JobRecord) -> str:
    """Return the one name of a record's GPUs."""
    return "+".join(kind or "gpu" for kind in gpus_of(one.gpus))


def is_whose(run: UsedRun, whose: Narrowing) -> bool:
    """Tell whether a run is one that was asked for."""
    one = run.record
    use = Use(
        0, one.account, one.user, one.partition, one.qos,
        type_of_gpus(one), run.kind, Totals(),
    )  # fmt: skip
    return is_of(use, whose)


def fits(run: UsedRun, asked: RunsAsked) -> bool:
    """Tell whether a run belongs into the list that was asked for."""
    one, whose = run.record, asked.whose
    began = one.started_at or one.ended_at or one.submitted_at
    return (
        is_whose(run, whose)
        and (one.ended_at is None or one.ended_at >= asked.begins)
        and began < asked.ends
        and (asked.thing is None or run.thing == asked.thing)
        and (not asked.failed or one.state in FAILED_STATES)
        and (
            asked.job is None
            or one.job_id == asked.job
            or one.shown_id.startswith(f"{asked.job}_")
        )
    )


def place_of(run: UsedRun) -> Place:
    """Return where a run stands in lists."""
    ended = run.record.ended_at
    return Place(NEVER if ended is None else ended, run.id)
