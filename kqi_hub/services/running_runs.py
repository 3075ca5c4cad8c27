"""Runs of a list that go on: what they have used and cost until now, provisionally."""

from collections.abc import Iterable

from kqi_hub.domain.usage import Days, UsedRun
from kqi_hub.services.board import Picture
from kqi_hub.services.pricing import Pricing


def with_costs_so_far(
    runs: Iterable[UsedRun],
    picture: Picture,
    pricing: Pricing,
    now: float,
    days: Days | None = None,
) -> tuple[UsedRun, ...]:
    """Return runs, those that Slurm has running with what the book will say of now.

    Of some days, or of all. What accounting alone takes for running stays at nothing.
    """
    return tuple(
        _until_now(run, pricing, int(now), days) if _runs(run, picture) else run
        for run in runs
    )


def _runs(run: UsedRun, picture: Picture) -> bool:
    record = run.record
    if record.is_final or record.started_at is None:
        return False
    job = picture.job(record.job_id)
    # A number comes round again, the time of its submission does not.
    return job is not None and job.submitted_at == record.submitted_at


def _until_now(run: UsedRun, pricing: Pricing, now: int, days: Days | None) -> UsedRun:
    record = run.record._replace(ended_at=max(now, run.record.started_at or now))
    parts = [
        part
        for part in pricing.charges_of(record)
        if days is None or days.first <= part.day <= days.last
    ]
    return run._replace(
        amount=sum(part.amount for part in parts),
        seconds=sum(part.seconds for part in parts),
        cpu_s=sum(part.cpu_s for part in parts),
        memory_mb_s=sum(part.memory_mb_s for part in parts),
        gpu_s=sum(part.gpu_s for part in parts),
    )
