"""What goes on right now, beside what the book holds."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from kqi_hub.domain.amounts import of_job
from kqi_hub.domain.cluster import Node
from kqi_hub.domain.job import Job
from kqi_hub.services.board import Picture
from kqi_hub.services.pricing import Pricing


class RunningNow(NamedTuple):
    """Jobs that run; their cost so far is in no sum yet, `unpriced` have no price."""

    jobs: int = 0
    gpus: int = 0
    cost: int = 0
    unpriced: int = 0


class IdleGpus(NamedTuple):
    """GPUs of a type: all, those in use, those on nodes that cannot be used."""

    type: str
    total: int
    used: int
    gone: int

    @property
    def idle(self) -> int:
        """Return how many could be used and are not."""
        return max(0, self.total - self.used - self.gone)


def running_now(
    picture: Picture, pricing: Pricing, now: float, is_meant: Callable[[Job], bool]
) -> RunningNow:
    """Return what the jobs that run have cost until now, provisionally."""
    found = RunningNow()
    for job in picture.jobs:
        if job.is_waiting or job.is_over or not is_meant(job):
            continue
        cost = pricing.cost_so_far(picture.scene, job, now)
        found = RunningNow(
            found.jobs + 1,
            found.gpus + of_job(job).gpu_total,
            found.cost + (cost or 0),
            found.unpriced + (cost is None),
        )
    return found


def idle_gpus(nodes: Iterable[Node]) -> tuple[IdleGpus, ...]:
    """Return the GPUs of the cluster by type, and how many do nothing."""
    sums: dict[str, IdleGpus] = {}
    for node in nodes:
        for gpu in node.gpus:
            known = sums.get(gpu.type, IdleGpus(gpu.type, 0, 0, 0))
            gone = gpu.total - gpu.used if node.is_down else 0
            sums[gpu.type] = IdleGpus(
                gpu.type,
                known.total + gpu.total,
                known.used + gpu.used,
                known.gone + max(0, gone),
            )
    return tuple(sums[name] for name in sorted(sums))
