"""Make, fill, copy, lock and delete datasets, for pages, the REST interface and kqi."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import TypeVar

from kqi_hub.domain.data import FLAT, Dataset, Placed, Thing
from kqi_hub.domain.dataset_list import (
    DatasetPage,
    DatasetQuestion,
    filter_of,
)
from kqi_hub.domain.dataset_ports import (
    Blocker,
    Blockers,
    DatasetItem,
    DatasetStore,
    PathPair,
    Seen,
    UseStore,
)
from kqi_hub.domain.datasets import (
    LONGEST_NAME,
    NewDataset,
    checked_entries,
    checked_memo,
    checked_name,
    checked_types,
)
from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.listing import checked_limit, unread_of
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.people import Role
from kqi_hub.services.tenant_rights import (
    Asker,
    listed_tenants,
    require,
    require_change,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset with what its page says beside it."""

    dataset: Dataset
    # How many items each type has; the tenant's types first, in their order.
    types: tuple[tuple[str, int], ...]
    # What locks it; empty while it is free.
    blockers: tuple[Blocker, ...]
    may_change: bool


@dataclass(frozen=True)
class Datasets:
    """The datasets of every tenant; one a process."""

    store: DatasetStore
    uses: UseStore
    blockers: Blockers
    audit: AuditLog
    zone: tzinfo = UTC
    wall: Callable[[], float] = time.time

    async def search(self, asker: Asker, asked: DatasetQuestion) -> DatasetPage:
        """Return a page of what somebody sees; what cannot be read finds nothing."""
        tenants = listed_tenants(asker, asked.tenant)
        if unread := unread_of(asked, self.zone):
            return DatasetPage((), 0 if asked.with_total else None, unread)
        wanted = filter_of(asked, tenants, self.zone)

        def read() -> DatasetPage:
            total = self.store.count(wanted) if asked.with_total else None
            return DatasetPage(self.store.search(wanted), total)

        return await _off(read)

    async def one(self, asker: Asker, dataset_id: int) -> DatasetView:
        """Return one with its types and locks; NotFound for those of other tenants."""
        found = await self._seen(asker, dataset_id)

        def read() -> DatasetView:
            blockers = self.blockers.of_dataset(dataset_id)
            counts = self.store.count_by_type(dataset_id)
            types = (FLAT,) if found.is_flat else self.store.types(found.tenant)
            return DatasetView(
                found,
                _in_order(types, counts),
                blockers,
                may_change=_may_change(asker, found),
            )

        return await _off(read)

    async def create(self, asker: Asker, new: NewDataset) -> Dataset:
        """Keep a new dataset."""
        require(asker, new.tenant, Role.MEMBER)

        def create() -> Dataset:
            types = self.store.types(new.tenant)
            checked = replace(
                new,
                name=checked_name(new.name),
                memo=checked_memo(new.memo),
                entries=checked_entries(new.entries, types, new.is_flat),
            )
            made = self.store.create(checked, asker.person, self.wall())
            self._note(asker, "dataset-created", made.id)
            return made

        return await _off(create)

    async def rename(
        self,
        asker: Asker,
        dataset_id: int,
        name: str | None = None,
        memo: str | None = None,
    ) -> Dataset:
        """Change name or memo; a lock does not forbid that."""
        found = await self._own(asker, dataset_id)

        def rename() -> Dataset:
            return self.store.rename(
                dataset_id,
                found.name if name is None else checked_name(name),
                found.memo if memo is None else checked_memo(memo),
                self.wall(),
            )

        return await _off(rename)

    async def replace(
        self, asker: Asker, dataset_id: int, entries: Sequence[Placed], seen_at: float
    ) -> Dataset:
        """Replace all entries; Conflict if it is locked or changed after `seen_at`."""
        found = await self._own(asker, dataset_id)

        def change() -> Dataset:
            # Types that the tenant has given up go on in datasets that have them.
            known = {
                *self.store.types(found.tenant),
                *self.store.count_by_type(dataset_id),
            }
            checked = checked_entries(entries, known, found.is_flat)
            changed = self.store.replace(dataset_id, checked, seen_at, self.wall())
            self._note(asker, "dataset-changed", dataset_id)
            return changed

        return await _off(change)

    async def copy(self, asker: Asker, dataset_id: int, name: str = "") -> Dataset:
        """Keep the same entries once more, free to be changed (K-64)."""
        found = await self._seen(asker, dataset_id)
        require(asker, found.tenant, Role.MEMBER)
        called = checked_name(name) if name else _name_of_copy(found.name)

        def copy() -> Dataset:
            entries = self.store.placed(dataset_id)
            new = NewDataset(
                found.tenant, called, found.memo, found.is_flat, tuple(entries)
            )
            made = self.store.create(new, asker.person, self.wall())
            self._note(asker, "dataset-created", made.id)
            return made

        return await _off(copy)

    async def delete(self, asker: Asker, dataset_id: int) -> None:
        """Forget a dataset that nothing locks; its data stay."""
        await self._own(asker, dataset_id)

        def delete() -> None:
            self.store.delete(dataset_id)
            self._note(asker, "dataset-deleted", dataset_id)

        await _off(delete)

    async def items(
        self,
        asker: Asker,
        dataset_id: int,
        type_: str | None = None,
        after: Seen | None = None,
        limit: int = 100,
    ) -> tuple[DatasetItem, ...]:
        """Return a page of the items, by type and number."""
        await self._seen(asker, dataset_id)
        return await _off(
            lambda: self.store.items(dataset_id, type_, after, checked_limit(limit))
        )

    async def entries(self, asker: Asker, dataset_id: int) -> tuple[Placed, ...]:
        """Return every entry, for builders and exports."""
        await self._seen(asker, dataset_id)
        return await _off(lambda: self.store.placed(dataset_id))

    async def paths(
        self,
        asker: Asker,
        dataset_id: int,
        after: Seen | None = None,
        limit: int = 100,
    ) -> tuple[PathPair, ...]:
        """Return a page of what a job would see below its input folder (KX-59)."""
        await self._seen(asker, dataset_id)
        return await _off(
            lambda: self.store.paths(dataset_id, after, checked_limit(limit))
        )

    async def types(self, asker: Asker, tenant: str) -> tuple[str, ...]:
        """Return a tenant's types of data."""
        require(asker, tenant, Role.VIEWER)
        return await _off(lambda: self.store.types(tenant))

    async def set_types(
        self, asker: Asker, tenant: str, types: Sequence[str]
    ) -> tuple[str, ...]:
        """Replace a tenant's types; for its managers."""
        require(asker, tenant, Role.MANAGER)
        checked = checked_types(types)

        def change() -> None:
            self.store.set_types(tenant, checked)
            event = AuditEvent(
                self.wall(), asker.person, "dataset-types-changed", tenant
            )
            self.audit.append(replace(event, address=asker.address))

        await _off(change)
        return checked

    async def lock(self, dataset_id: int, by: Thing) -> None:
        """Freeze a dataset for a training or an inference; twice is fine.

        For services: whoever starts `by` has been asked whether they may.
        """
        await _off(lambda: self.uses.lock(dataset_id, by, self.wall()))

    async def release(self, dataset_id: int, by: Thing) -> None:
        """Let go of the lock: `by` was deleted, or never started (KX-34, KX-35)."""
        await _off(lambda: self.uses.release(dataset_id, by))

    async def _seen(self, asker: Asker, dataset_id: int) -> Dataset:
        found = await _off(lambda: self.store.one(dataset_id))
        if found is None or not asker.sees(found.tenant):
            raise NotFound("There is no such dataset.", "Look at the list again.")
        return found

    async def _own(self, asker: Asker, dataset_id: int) -> Dataset:
        found = await self._seen(asker, dataset_id)
        require_change(asker, found.tenant, found.created_by)
        return found

    def _note(self, asker: Asker, action: str, dataset_id: int) -> None:
        """Audit what somebody did. Blocks."""
        self.audit.append(
            AuditEvent(
                at=self.wall(),
                actor=asker.person,
                action=action,
                target=f"dataset-{dataset_id}",
                address=asker.address,
            )
        )


def _may_change(asker: Asker, dataset: Dataset) -> bool:
    role = asker.role_in(dataset.tenant)
    if role is None or role < Role.MEMBER:
        return False
    return dataset.created_by == asker.person or role is Role.MANAGER


def _in_order(
    types: Collection[str], counts: Mapping[str, int]
) -> tuple[tuple[str, int], ...]:
    others = sorted(one for one in counts if one not in types)
    return tuple((one, counts.get(one, 0)) for one in (*types, *others))


def _name_of_copy(name: str) -> str:
    end = " (copy)"
    return name[: LONGEST_NAME - len(end)] + end


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
