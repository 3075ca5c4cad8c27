"""Finish what was begun with data and not ended, and compare store and database.

For the worker: every step may fail, and is tried again with the next round.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from kqi_hub.domain.data import DataState, Upload
from kqi_hub.domain.data_item_ports import Comparison, DataStore
from kqi_hub.domain.data_ports import Store, Sweep
from kqi_hub.domain.errors import KqiError, NotFound, StoreError
from kqi_hub.domain.upload_ports import UploadStore
from kqi_hub.services.publishing import Publisher

_DAY_S: Final = 24 * 3600.0
_LONGEST_SHOWN: Final = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeepingTimes:
    """How long things are left alone.

    What the portal is about to do itself is its own for `patience_s`; dropped uploads
    are shown for `remember_s`.
    """

    expire_s: float = 7 * _DAY_S
    patience_s: float = 60.0
    remember_s: float = 30 * _DAY_S
    compare_s: float = _DAY_S


@dataclass(frozen=True, slots=True)
class Deed:
    """Something the keeper did, or could not do, for the log."""

    what: str
    name: str
    error: KqiError | None = None


@dataclass(frozen=True)
class DataKeeper:
    """Keep uploads and data in order; one in the worker.

    `trees` returns the keys of a tenant's trees, which are no strays.
    """

    items: DataStore
    uploads: UploadStore
    store: Store
    publisher: Publisher
    trees: Callable[[str], Collection[str]] = field(default=lambda tenant: ())
    times: KeepingTimes = field(default_factory=KeepingTimes)
    wall: Callable[[], float] = time.time

    async def round(self) -> tuple[Deed, ...]:
        """Do everything that is due once; return what was done or failed."""
        deeds: list[Deed] = []
        for step in (
            self._expire,
            self._finish,
            self._clear,
            self._remove,
            self._remove_files,
        ):
            deeds += await step()
        before = self.wall() - self.times.remember_s
        await _off(lambda: self.uploads.forget_ended(before))
        return tuple(deeds)

    async def compare(self) -> tuple[Comparison, ...]:
        """Compare store and database where that is due, and keep what came of it."""
        known, tenants = await _off(
            lambda: (self.items.comparisons(), self.items.tenants())
        )
        since = self.wall() - self.times.compare_s
        recent = {one.tenant for one in known if one.at > since and not one.trouble}
        due = [one for one in tenants if one not in recent]
        return await self.compare_now(due) if due else ()

    async def compare_now(
        self, tenants: Sequence[str] = (), *, remove: bool = False
    ) -> tuple[Comparison, ...]:
        """Compare these tenants, or all; `remove` what belongs to nothing."""
        known = await _off(self.items.tenants)
        for one in tenants:
            if one not in known:
                raise NotFound(
                    "Tenant {tenant} has no data.",
                    "Compare all, without a name.",
                    tenant=one[:_LONGEST_SHOWN],
                )
        chosen = tenants or known
        found = [await self._compare(one, remove) for one in chosen]
        await _off(lambda: self._keep(found))
        return tuple(found)

    def _keep(self, found: Sequence[Comparison]) -> None:
        for one in found:
            self.items.compared(one)

    async def _expire(self) -> list[Deed]:
        """Drop uploads whose time is over, but those that bytes came for lately."""
        now = self.wall()
        due = await _off(lambda: self.uploads.expired(now))
        return [await _deed("upload-expired", o.key, self._end(o)) for o in due]

    async def _end(self, upload: Upload) -> None:
        received = await self.store.received(upload.tenant, [upload.key])
        if upload.key in received:
            until = received[upload.key].last_at + self.times.expire_s
            if until > self.wall():
                await _off(lambda: self.uploads.extend(upload.key, until))
                return
        dropped = await _off(lambda: self.uploads.drop(upload.key, self.wall()))
        await self.publisher.clear(dropped)

    async def _finish(self) -> list[Deed]:
        """Go on publishing what a process that died was publishing."""
        due = await _off(lambda: self.uploads.interrupted(self._patient()))
        return [
            await _deed("upload-published", one.key, self._published(one))
            for one in due
        ]

    async def _published(self, upload: Upload) -> None:
        await self.publisher.publish(upload.key)

    async def _clear(self) -> list[Deed]:
        due = await _off(lambda: self.uploads.left_over(self._patient()))
        return [
            await _deed("upload-cleared", one.key, self.publisher.clear(one))
            for one in due
        ]

    async def _remove(self) -> list[Deed]:
        due = await _off(self.items.removing)
        return [
            await _deed("data-removed", str(one.id), self._gone(one.tenant, one.id))
            for one in due
        ]

    async def _gone(self, tenant: str, data_id: int) -> None:
        await self.store.remove(tenant, data_id)
        await _off(lambda: self.items.forget(data_id))

    async def _remove_files(self) -> list[Deed]:
        due = await _off(lambda: self.items.removals(self._patient()))
        return [
            await _deed(
                "files-removed",
                str(one.data_id),
                self._files_gone(one.tenant, one.data_id, one.paths),
            )
            for one in due
        ]

    async def _files_gone(
        self, tenant: str, data_id: int, paths: Sequence[str]
    ) -> None:
        await self.store.remove_files(tenant, data_id, paths)
        await _off(lambda: self.items.files_gone(data_id, paths))

    async def _compare(self, tenant: str, remove: bool) -> Comparison:
        now = self.wall()
        try:
            swept = await self._sweep(tenant, remove)
        except StoreError as error:
            return Comparison(tenant, now, trouble=str(error))
        missing = await _off(lambda: self._really_missing(swept.missing_data))
        return Comparison(
            tenant=tenant,
            at=now,
            strays=len(swept.strays),
            stray_bytes=sum(one.bytes for one in swept.strays),
            missing=missing,
        )

    async def _sweep(self, tenant: str, remove: bool) -> Sweep:
        uploads, data, trees = await _off(
            lambda: (
                self.uploads.keys(tenant),
                self.items.ids(tenant),
                self.trees(tenant),
            )
        )
        return await self.store.sweep(tenant, uploads, data, trees, remove)

    def _really_missing(self, data_ids: Collection[int]) -> tuple[int, ...]:
        """Return those that ought to be there: READY now, and not empty."""
        return tuple(
            one.id
            for one in self.items.many(data_ids)
            if one.state is DataState.READY and one.files
        )

    def _patient(self) -> float:
        return self.wall() - self.times.patience_s


async def _deed(what: str, name: str, doing: Awaitable[None]) -> Deed:
    """Do one thing; its failure is for the log, and does not keep others back."""
    try:
        await doing
    except KqiError as error:
        return Deed(what, name, error)
    return Deed(what, name)


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
