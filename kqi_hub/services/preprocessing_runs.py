"""What preprocessings have made: listed, and deleted together with their runs."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from kqi_hub.domain.data import DataItem, DataState, Kind, Thing, Use
from kqi_hub.domain.data_errors import not_deletable
from kqi_hub.domain.data_item_ports import DataStore
from kqi_hub.domain.data_ports import Store
from kqi_hub.domain.dataset_ports import Blocker, Blockers, LineageStore, UseStore, Why
from kqi_hub.domain.errors import Conflict, KqiError, StoreError
from kqi_hub.domain.runs import Run, RunKind
from kqi_hub.services.runs import Runs
from kqi_hub.services.tenant_rights import Asker

_KIND: Final = RunKind.PREPROCESSING
_MOST_PRODUCTS: Final = 1000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PreprocessingConsequences:
    """What deleting a run takes along (K-56), and what forbids it (KX-63)."""

    run: Run
    products: tuple[DataItem, ...]
    blockers: tuple[Blocker, ...]


@dataclass(frozen=True)
class PreprocessingRuns:
    """Runs of preprocessings with the data that came of them; one a process."""

    runs: Runs
    items: DataStore
    uses: UseStore
    lineage: LineageStore
    blocking: Blockers
    files_kept: Store
    wall: Callable[[], float] = time.time

    async def products(self, asker: Asker, run_id: int) -> tuple[DataItem, ...]:
        """Return the data that a run has made."""
        await self.runs.one(asker, _KIND, run_id)
        return await _off(lambda: self._products(run_id))

    async def consequences(
        self, asker: Asker, run_id: int
    ) -> PreprocessingConsequences:
        """Say what deleting a run of one's own would take along."""
        found = await self.runs.consequences(asker, _KIND, run_id)

        def read() -> PreprocessingConsequences:
            products = self._products(run_id)
            blockers = [
                blocker for one in products for blocker in self._blockers(run_id, one)
            ]
            return PreprocessingConsequences(found.run, products, tuple(blockers))

        return await _off(read)

    async def delete(self, asker: Asker, run_id: int) -> None:
        """Delete a run with the data that it made; Blocked while one is in use.

        What a crash leaves half done, the same call finishes.
        """
        found = await self.consequences(asker, run_id)
        if found.run.is_live:
            raise Conflict("This run has not ended.", "Stop it first.")
        for item in found.products:
            blockers = await asyncio.to_thread(self._blockers, run_id, item)
            if blockers:
                raise not_deletable(item.id, blockers)
        for item in found.products:
            await self._remove(run_id, item)
        await self.runs.delete(asker, _KIND, run_id)

    async def _remove(self, run_id: int, item: DataItem) -> None:
        thing = Thing(Kind.DATA, str(item.id))

        def begin() -> None:
            # It is generated: that alone would keep it (KX-53).
            self.uses.forget_uses(thing)
            try:
                self.items.begin_removal(item.id, self.wall())
            except KqiError:
                self.uses.record(Use(_thing(run_id), thing, self.wall(), locks=False))
                raise

        await _off(begin)
        try:
            await self.files_kept.remove(item.tenant, item.id)
        except StoreError:
            return  # the worker removes what is REMOVING
        await _off(lambda: self.items.forget(item.id))

    def _products(self, run_id: int) -> tuple[DataItem, ...]:
        """Return the data that a run has made. Blocks."""
        thing = _thing(run_id)
        found = self.lineage.results([thing], _MOST_PRODUCTS).get(thing)
        made = found.things if found is not None else ()
        numbers = [int(one.id) for one in made if one.kind is Kind.DATA]
        return tuple(
            one for one in self.items.many(numbers) if one.state is DataState.READY
        )

    def _blockers(self, run_id: int, item: DataItem) -> tuple[Blocker, ...]:
        """Return what needs an item, besides that this run has made it. Blocks."""
        found = self.blocking.of_data([item.id]).get(item.id, ())
        mine = _thing(run_id)
        return tuple(
            one for one in found if (one.thing, one.why) != (mine, Why.GENERATED)
        )


def _thing(run_id: int) -> Thing:
    return Thing(Kind.PREPROCESSING, str(run_id))


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
