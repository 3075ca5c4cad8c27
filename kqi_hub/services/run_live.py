"""Tell open pages what becomes of the runs of the tenants that they show."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from kqi_hub.domain.job import Job
from kqi_hub.services.board import Picture
from kqi_hub.services.runs import Runs

Tenants = tuple[str, ...] | None
# A number that JavaScript reads as it is.
_BITS: Final = (1 << 52) - 1


class RunNews:
    """A source of live events: pages fetch what they show when this differs.

    What happens in other tenants is no news: neither their runs nor their jobs.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        # How the jobs of each tenant stand, in the picture of this version.
        self._version = -1
        self._marks: Mapping[str, int] = {}

    async def look_at(
        self, shown: frozenset[Tenants]
    ) -> Mapping[Tenants, Mapping[str, object]]:
        """Return stamps for each group of tenants; None: of everybody's runs."""
        stamps = await asyncio.to_thread(self._runs.store.stamps)
        picture = await self._runs.queues.board.current()
        marks = await self._marks_of(picture)
        return {
            tenants: {
                "stamp": sum(_of(tenants, stamps)),
                "version": hash(tuple(_of(tenants, marks))) & _BITS,
                "trust": picture.trust.value,
            }
            for tenants in shown
        }

    async def _marks_of(self, picture: Picture) -> Mapping[str, int]:
        if picture.version != self._version:
            # Ten thousand jobs are some hundredths of a second.
            self._marks = await asyncio.to_thread(_marks, picture.jobs)
            self._version = picture.version
        return self._marks


def _marks(jobs: Iterable[Job]) -> Mapping[str, int]:
    """Return for each tenant a number that differs when its jobs stand otherwise."""
    found: dict[str, set[object]] = defaultdict(set)
    for job in jobs:
        at = (job.job_id, job.task, job.state, job.reason, job.starts_at, job.node_list)
        found[job.account].add(at)
    return {tenant: hash(frozenset(some)) for tenant, some in found.items()}


def _of(tenants: Tenants, known: Mapping[str, float]) -> list[float]:
    """Return what is known of these tenants, always in the same order."""
    names = sorted(known if tenants is None else known.keys() & set(tenants))
    return [known[name] for name in names]
