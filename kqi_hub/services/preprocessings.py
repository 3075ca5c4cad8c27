"""Define, run and delete preprocessings, for pages, the REST interface and kqi."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TypeVar

from kqi_hub.domain.data import DataItem, DataState
from kqi_hub.domain.data_item_ports import DataStore
from kqi_hub.domain.errors import Conflict, InvalidInput
from kqi_hub.domain.listing import MadeQuestion, unread_of
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.people import Role
from kqi_hub.domain.preprocessings import (
    BatchRequest,
    NewPreprocessing,
    PreprocessingChange,
    PreprocessingPage,
    PreprocessingStore,
    checked_change,
    checked_data,
    checked_new,
    filter_of,
    no_preprocessing,
    spec_of,
)
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import Preprocessing, Run, RunKind, RunSpec
from kqi_hub.services.queues import Estimate
from kqi_hub.services.runs import Runs, new_key
from kqi_hub.services.tenant_rights import (
    Asker,
    listed_tenants,
    require,
    require_change,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PreprocessingView:
    """A preprocessing with what its page says beside it."""

    preprocessing: Preprocessing
    may_change: bool
    may_run: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of running a preprocessing: its runs, and the data passed over."""

    runs: tuple[Run, ...]
    passed_over: tuple[int, ...] = ()


@dataclass(frozen=True)
class Preprocessings:
    """The preprocessings of every tenant; one a process.

    Their runs are asked of `runs`, with the kind PREPROCESSING.
    """

    store: PreprocessingStore
    runs: Runs
    items: DataStore
    audit: AuditLog
    zone: tzinfo = UTC
    wall: Callable[[], float] = time.time

    async def search(self, asker: Asker, asked: MadeQuestion) -> PreprocessingPage:
        """Return a page of what somebody sees; what cannot be read finds nothing."""
        tenants = listed_tenants(asker, asked.tenant)
        if unread := unread_of(asked, self.zone):
            return PreprocessingPage((), 0, unread)
        wanted = filter_of(asked, tenants, self.zone)
        return PreprocessingPage(*await _off(lambda: self.store.search(wanted)))

    async def one(self, asker: Asker, preprocessing_id: int) -> PreprocessingView:
        """Return one; NotFound for those of other tenants."""
        return _view(asker, await self._seen(asker, preprocessing_id))

    async def create(self, asker: Asker, new: NewPreprocessing) -> PreprocessingView:
        """Keep a new one; only its name is needed until it is run."""
        require(asker, new.tenant, Role.MEMBER)
        checked = checked_new(new)

        def create() -> Preprocessing:
            made = self.store.create(checked, asker.person, self.wall())
            self._note(asker, "preprocessing-created", made.id)
            return made

        return _view(asker, await _off(create))

    async def change(
        self, asker: Asker, preprocessing_id: int, change: PreprocessingChange
    ) -> PreprocessingView:
        """Change it; what its runs do, only while there is none (KX-60)."""
        found = await self._own(asker, preprocessing_id)
        checked = checked_change(change, found)

        def keep() -> Preprocessing:
            changed = self.store.change(preprocessing_id, checked, self.wall())
            self._note(asker, "preprocessing-changed", preprocessing_id)
            return changed

        return _view(asker, await _off(keep))

    async def delete(self, asker: Asker, preprocessing_id: int) -> None:
        """Forget it; Conflict while one of its runs is there."""
        await self._own(asker, preprocessing_id)

        def delete() -> None:
            self.store.delete(preprocessing_id)
            self._note(asker, "preprocessing-deleted", preprocessing_id)

        await _off(delete)

    async def check(
        self, asker: Asker, preprocessing_id: int, asked: BatchRequest
    ) -> Estimate:
        """Say what running it would meet; price and wait are those of one item."""
        _, spec, _ = await self._plan(asker, preprocessing_id, asked)
        return await self.runs.check(asker, RunKind.PREPROCESSING, spec)

    async def run(
        self, asker: Asker, preprocessing_id: int, asked: BatchRequest
    ) -> Batch:
        """Run it on data, once on each (K-55): all of them are one array of Slurm."""
        found, spec, wanted = await self._plan(asker, preprocessing_id, asked)
        if not wanted:
            raise Conflict(
                "Preprocessing {id} has been run on all of these data.",
                "Delete a run to repeat it.",
                id=found.id,
            )
        ready = await self.runs.ready(asker, RunKind.PREPROCESSING, spec)
        key = new_key()
        new = [
            NewRun(
                kind=RunKind.PREPROCESSING,
                owner=asker.person,
                key=key,
                spec=ready,
                preprocessing=found.id,
                data=item.id,
            )
            for item in wanted
        ]

        def ask() -> tuple[Run, ...]:
            made = self.runs.store.ask_batch(new, self.wall())
            self._note(asker, "preprocessing-run", found.id, str(len(made)))
            return made

        made = await _off(ask)
        self.runs.submission.begin(key)
        chosen = {item.id for item in wanted}
        passed_over = tuple(one for one in asked.data if one not in chosen)
        return Batch(made, passed_over)

    async def check_data(self, tenant: str, data: Sequence[int]) -> None:
        """Raise InvalidInput unless all of these are data of a tenant, whole."""
        await _off(lambda: self._items(tenant, data))

    async def _plan(
        self, asker: Asker, preprocessing_id: int, asked: BatchRequest
    ) -> tuple[Preprocessing, RunSpec, tuple[DataItem, ...]]:
        """Return what would run, as what, on which data."""
        found = await self._seen(asker, preprocessing_id)
        require(asker, found.tenant, Role.MEMBER)
        data = checked_data(asked.data)
        spec = spec_of(found, asked)
        items = await _off(lambda: self._items(found.tenant, data))
        done = await _off(lambda: self.store.done_on(found.id, data))
        if done and not asked.skips_done:
            first = min(done)
            raise Conflict(
                "Preprocessing {id} has been run on data {data}, by run {run}.",
                "It runs once on each item: delete that run to repeat it, or pass over "
                "data that it has run on.",
                id=found.id,
                data=first,
                run=done[first],
            )
        return found, spec, tuple(one for one in items if one.id not in done)

    def _items(self, tenant: str, data: Sequence[int]) -> tuple[DataItem, ...]:
        """Return these data, in that order. Blocks."""
        known = {item.id: item for item in self.items.many(data)}
        items = []
        for number in data:
            item = known.get(number)
            is_there = item is not None and item.state is DataState.READY
            if item is None or not is_there or item.tenant != tenant:
                raise InvalidInput(
                    "data: there are no data {id} in tenant {tenant}.",
                    "Take the numbers from the list of data.",
                    id=number,
                    tenant=tenant,
                )
            items.append(item)
        return tuple(items)

    async def _seen(self, asker: Asker, preprocessing_id: int) -> Preprocessing:
        found = await _off(lambda: self.store.one(preprocessing_id))
        if found is None or not asker.sees(found.tenant):
            raise no_preprocessing()
        return found

    async def _own(self, asker: Asker, preprocessing_id: int) -> Preprocessing:
        found = await self._seen(asker, preprocessing_id)
        require_change(asker, found.tenant, found.created_by)
        return found

    def _note(self, asker: Asker, action: str, number: int, what: str = "") -> None:
        """Audit what somebody did. Blocks."""
        self.audit.append(
            AuditEvent(
                at=self.wall(),
                actor=asker.person,
                action=action,
                target=f"preprocessing-{number}",
                address=asker.address,
                detail={"what": what} if what else {},
            )
        )


def _view(asker: Asker, found: Preprocessing) -> PreprocessingView:
    role = asker.role_in(found.tenant)
    is_member = role is not None and role >= Role.MEMBER
    is_own = found.created_by == asker.person or role is Role.MANAGER
    return PreprocessingView(found, may_change=is_member and is_own, may_run=is_member)


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
