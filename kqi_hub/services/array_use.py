"""What an array has used of what it asked for, what that cost, and what to do next."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.array_use import ArrayUse, ArrayUses, Spread
from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.runs import Run, RunKind, RunState
from kqi_hub.services.board import Picture
from kqi_hub.services.run_efficiency import amount
from kqi_hub.services.runs import Runs
from kqi_hub.services.tenant_rights import Asker

_GB: Final = 1024
_HOUR_S: Final = 3600
# Below half of what was asked for, asking for less lets more tasks run at once.
_LITTLE: Final = 0.5
# What is left free above the largest task: the next data may be larger.
_MEMORY_SPARE: Final = 1.25
_IDLE_GPU_PERCENT: Final = 10


@dataclass(frozen=True, slots=True)
class ArrayView:
    """An array as it is at one moment; `run` is one of its tasks.

    Shares are of 1. `cost` is what the book has and what its tasks that run have cost
    so far, in micro-currency; None without a price. `unbooked` tasks have run and are
    in neither.
    """

    run: Run
    use: ArrayUse
    cost: int | None
    unbooked: int

    @property
    def cpu(self) -> Spread | None:
        """Return the shares of CPUs that were busy."""
        cores = self.use.cores
        return cores and cores.over(self.run.spec.shape.cpus)

    @property
    def memory(self) -> Spread | None:
        """Return the shares of memory that were used at most."""
        held = self.use.memory_mb
        return held and held.over(self.run.spec.shape.memory_mb)

    @property
    def gpu_hours(self) -> float:
        """Return how many hours of a GPU the tasks that have ended had."""
        return self.use.total_s * self.run.spec.shape.gpus / _HOUR_S

    @property
    def advice(self) -> tuple[Phrase, ...]:
        """Return what to ask for next time."""
        return advice(self.use, self.run.spec.shape)


@dataclass(frozen=True)
class Arrays:
    """The arrays of preprocessings; one a process."""

    runs: Runs
    uses: ArrayUses
    wall: Callable[[], float] = time.time

    async def of_run(self, asker: Asker, run_id: int) -> tuple[Picture, ArrayView]:
        """Return the array that a run is a task of; Conflict where it is of none."""
        picture, view = await self.runs.one(asker, RunKind.PREPROCESSING, run_id)
        if view.run.batch is None:
            raise Conflict(
                "This run was done elsewhere: it is a task of no array.",
                "Choose a run that Slurm has run.",
            )
        return picture, await asyncio.to_thread(self._of, view.run, picture)

    def _of(self, run: Run, picture: Picture) -> ArrayView:
        use, now = self.uses.of(run), self.wall()
        pricing = self.runs.queues.pricing
        running = [
            pricing.cost_so_far(picture.scene, job, now)
            for job in picture.jobs
            if (job.name, job.user) == (run.job_name, run.owner)
            and not (job.is_waiting or job.is_over)
        ]
        known = [one for one in (use.amount, *running) if one is not None]
        cost = sum(known) if known else None
        return ArrayView(run, use, cost, max(0, use.ran - use.booked))


def advice(use: ArrayUse, shape: Shape) -> tuple[Phrase, ...]:
    """Return what to ask for next time; nothing where nothing follows."""
    return (
        *_on_ends(use, shape),
        *_on_memory(use, shape),
        *_on_cpus(use, shape),
        *_on_gpus(use, shape),
    )


def _on_ends(use: ArrayUse, shape: Shape) -> tuple[Phrase, ...]:
    short = use.states.get(RunState.OUT_OF_MEMORY, 0)
    late = use.states.get(RunState.TIMED_OUT, 0)
    found = []
    if short:
        found.append(
            Phrase(
                "Tasks that ran out of memory: {count}. Ask for more than {asked} "
                "GB when you run these data again.",
                count=short,
                asked=amount(shape.memory_mb / _GB),
            )
        )
    if late:
        found.append(
            Phrase(
                "Tasks whose time was over: {count}. Choose a longer lifetime when "
                "you run these data again.",
                count=late,
            )
        )
    return tuple(found)


def _on_memory(use: ArrayUse, shape: Shape) -> tuple[Phrase, ...]:
    asked = shape.memory_mb
    if use.memory_mb is None or use.states.get(RunState.OUT_OF_MEMORY):
        return ()
    enough = math.ceil(use.memory_mb.most * _MEMORY_SPARE / _GB)
    if use.memory_mb.most >= _LITTLE * asked or enough * _GB >= asked:
        return ()
    return (
        Phrase(
            "It asked for much more memory than the largest task used: {used} of "
            "{asked} GB memory. With {enough} GB more tasks run at once.",
            used=amount(use.memory_mb.most / _GB),
            asked=amount(asked / _GB),
            enough=enough,
        ),
    )


def _on_cpus(use: ArrayUse, shape: Shape) -> tuple[Phrase, ...]:
    if use.cores is None or shape.cpus == 1 or use.cores.most >= _LITTLE * shape.cpus:
        return ()
    return (
        Phrase(
            "It asked for many more CPUs than the busiest task used: {used} of "
            "{cpus} CPU. With {enough} CPU more tasks run at once.",
            used=amount(use.cores.most),
            cpus=shape.cpus,
            enough=max(1, math.ceil(use.cores.most)),
        ),
    )


def _on_gpus(use: ArrayUse, shape: Shape) -> tuple[Phrase, ...]:
    busy = use.gpu_percent
    if busy is None or not shape.gpus or busy.most >= _IDLE_GPU_PERCENT:
        return ()
    return (
        Phrase(
            "No task kept its GPUs busy: at most GPU {percent} %. Try it without a "
            "GPU.",
            percent=amount(busy.most),
        ),
    )
