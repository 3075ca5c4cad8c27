"""What a job's order says beyond its run, gathered when it is submitted."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kqi_hub.domain.dataset_ports import run_holder
from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.images import ImagePlace
from kqi_hub.domain.notebook_ports import DatasetPlace
from kqi_hub.domain.run_ports import DataOfTask, OrderParts, RunStore
from kqi_hub.domain.runs import Run
from kqi_hub.services.staging import Staged


class Stager(Protocol):
    """What has datasets made ready: Staging (services/staging.py)."""

    async def stage(self, dataset_id: int, holder: str | None = None) -> Staged:
        """Return where a dataset lies, held by somebody."""

    async def release(self, holder: str) -> None:
        """Let go of what a thing holds."""


@dataclass(frozen=True)
class RunPartsMaker:
    """Have what runs read made ready; one a process."""

    runs: RunStore
    staging: Stager
    # The person's stored credential for the host of a run's source. Blocks.
    git: Callable[[Run], tuple[str, str] | None]
    # The items that the tasks of an array preprocess. Blocks.
    data: Callable[[Sequence[Run]], tuple[DataOfTask, ...]] = lambda _: ()
    # Where a person's image is to be had, and as whom. Blocks.
    image: Callable[[str, str], ImagePlace] | None = None
    # The ticket of a new job, by its first run. Blocks.
    ticket: Callable[[Run], str] = lambda _: ""

    async def __call__(self, runs: tuple[Run, ...]) -> OrderParts:
        """Return the parts of a job's order, its dataset held until the run ends.

        Raises NotFound where a parent or data are gone, and what `Staging.stage` does.
        """
        first = runs[0]
        parts = await asyncio.to_thread(self._read, runs)
        return replace(parts, dataset=await self._dataset(first))

    async def release(self, run: Run) -> None:
        """Let go of what a run held."""
        if run.spec.dataset is not None:
            await self.staging.release(run_holder(run.id))

    def _read(self, runs: tuple[Run, ...]) -> OrderParts:
        """Return all parts but the dataset. Blocks."""
        first = runs[0]
        return OrderParts(
            runs,
            parents=self._parents(first),
            git=self.git(first),
            data=self.data(runs),
            image=self._image(first),
            ticket=self.ticket(first),
        )

    async def _dataset(self, run: Run) -> DatasetPlace | None:
        number = run.spec.dataset
        if number is None:
            return None
        staged = await self.staging.stage(number, run_holder(run.id))
        return DatasetPlace(number, staged.path)

    def _image(self, run: Run) -> ImagePlace | None:
        if not run.spec.image or self.image is None:
            return None
        return self.image(run.owner, run.spec.image)

    def _parents(self, run: Run) -> tuple[Run, ...]:
        found = []
        for parent in run.spec.parents:
            one = self.runs.one(parent.id)
            if one is None or one.kind is not parent.kind or one.owner != run.owner:
                raise NotFound(
                    "Its parent, {kind} {id}, is no longer there.",
                    "Choose another one, then ask for the run again.",
                    kind=parent.kind,
                    id=parent.id,
                )
            found.append(one)
        return tuple(found)
