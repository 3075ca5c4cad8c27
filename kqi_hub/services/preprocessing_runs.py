"""What preprocessings have made: listed, and deleted together with their runs."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from kqi_hub.domain.data import (
    DataItem,
    DataState,
    Kind,
    Thing,
    Upload,
    UploadState,
    Use,
)
from kqi_hub.domain.data_errors import not_deletable
from kqi_hub.domain.data_item_ports import DataStore
from kqi_hub.domain.data_ports import Store
from kqi_hub.domain.dataset_ports import Blocker, Blockers, LineageStore, UseStore, Why
from kqi_hub.domain.errors import Conflict, KqiError, StoreError
from kqi_hub.domain.outside_runs import OutsideOutputs
from kqi_hub.domain.run_ports import Told
from kqi_hub.domain.run_states import may_go_later
from kqi_hub.domain.runs import Run, RunKind, RunState
from kqi_hub.services.runs import Runs
from kqi_hub.services.tenant_rights import Asker
from kqi_hub.services.uploads import Uploads

_KIND: Final = RunKind.PREPROCESSING
_MOST_PRODUCTS: Final = 1000
_UNDER_WAY: Final = frozenset({UploadState.OPEN, UploadState.PUBLISHING})
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
    outside: OutsideOutputs
    uploads: Uploads
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

        The job of one that lives is ended first; it makes no data any more. What a
        crash leaves half done, the same call finishes.
        """
        found = await self._deletable(asker, run_id)
        if found.run.state is RunState.OPENED:
            await self._give_up(asker, found.run)
            # What came in the meantime goes, too.
            found = await self._deletable(asker, run_id)
        for item in found.products:
            await self._remove(run_id, item)
        await self.runs.delete(asker, _KIND, run_id)

    async def _deletable(self, asker: Asker, run_id: int) -> PreprocessingConsequences:
        """Return what a deletion takes along; Conflict or Blocked when it may not."""
        found = await self.consequences(asker, run_id)
        run = found.run
        if run.is_live and run.state is not RunState.OPENED and not may_go_later(run):
            raise Conflict("This run has not ended.", "Delete it when it has.")
        for item in found.products:
            blockers = await asyncio.to_thread(self._blockers, run_id, item)
            if blockers:
                raise not_deletable(item.id, blockers)
        return found

    async def _give_up(self, asker: Asker, run: Run) -> None:
        """End a run whose results are still coming, and what is under way of them."""
        told = Told(RunState.USER_CANCELED, self.wall(), ended_at=self.wall())

        def end() -> list[Upload]:
            # From now on no further upload begins.
            self.runs.store.told(run.id, told)
            begun = self.outside.of_run(run.id)
            found = [self.uploads.store.upload(one.upload) for one in begun]
            return [one for one in found if one and one.state in _UNDER_WAY]

        for upload in await _off(end):
            await self.uploads.drop(asker, upload.key)

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
        numbers = {int(one.id) for one in made if one.kind is Kind.DATA}
        # Of one that is OPENED, its products are noted when it is complete.
        coming = (one.data for one in self.outside.of_run(run_id))
        numbers |= {number for number in coming if number is not None}
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
