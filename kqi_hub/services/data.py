"""Find, look at, tag, change and delete data, for pages, the REST interface and kqi."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Final, TypeVar

from kqi_hub.domain.data import DataItem, DataState, StoredFile, Upload
from kqi_hub.domain.data_errors import no_data
from kqi_hub.domain.data_item_ports import DataStore, Entry, KnownTag
from kqi_hub.domain.data_list import DataPage, DataQuestion, filter_of
from kqi_hub.domain.data_ports import Store
from kqi_hub.domain.data_rules import checked_data_name, checked_tag, is_data_id
from kqi_hub.domain.dataset_ports import Blocker, Blockers
from kqi_hub.domain.datasets import checked_memo
from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound, StoreError
from kqi_hub.domain.listing import checked_limit, unread_of
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.people import Role
from kqi_hub.domain.upload_ports import UploadStore
from kqi_hub.services.tenant_rights import (
    Asker,
    listed_tenants,
    require,
    require_change,
)

MOST_AT_ONCE: Final = 1000
MOST_PATHS: Final = 10_000
_LONGEST_PATH: Final = 1024
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DataView:
    """A data item with what its page says beside it.

    `parents` lack those that were deleted meanwhile: `item.parents` has all numbers.
    """

    item: DataItem
    parents: tuple[DataItem, ...]
    children: tuple[DataItem, ...]
    blockers: tuple[Blocker, ...]
    uploads: tuple[Upload, ...]
    may_change: bool


class Bulk(StrEnum):
    """What can be done to many items at once."""

    TAG = "tag"
    UNTAG = "untag"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one item of many; `error` is None where it went well."""

    data_id: int
    error: KqiError | None = None


@dataclass(frozen=True)
class DataItems:
    """The data of every tenant; one a process."""

    store: DataStore
    uploads: UploadStore
    files_kept: Store
    blocking: Blockers
    audit: AuditLog
    zone: tzinfo
    wall: Callable[[], float] = time.time

    async def list(self, asker: Asker, asked: DataQuestion) -> DataPage:
        """Return a page of what somebody sees; nothing where a condition is unread."""
        tenants = listed_tenants(asker, asked.tenant)
        wanted = filter_of(asked, tenants, self.zone)
        unread = unread_of(asked, self.zone)
        if unread:
            return DataPage((), 0 if asked.with_total else None, unread)

        def read() -> DataPage:
            total = self.store.count(wanted) if asked.with_total else None
            return DataPage(self.store.search(wanted), total)

        return await _off(read)

    async def one(self, asker: Asker, data_id: int) -> DataView:
        """Return one with what is around it; NotFound for those of other tenants."""
        item = await self._seen(asker, data_id)

        def read() -> DataView:
            parents = self.store.many(item.parents)
            return DataView(
                item,
                tuple(one for one in parents if one.state is DataState.READY),
                self.store.children(data_id),
                self.blocking.of_data([data_id]).get(data_id, ()),
                self.uploads.into(data_id),
                may_change=_may_change(asker, item),
            )

        return await _off(read)

    async def blockers(self, asker: Asker, data_id: int) -> tuple[Blocker, ...]:
        """Return what keeps an item from being changed or deleted (KX-53)."""
        await self._seen(asker, data_id)
        found = await _off(lambda: self.blocking.of_data([data_id]))
        return found.get(data_id, ())

    async def change(
        self,
        asker: Asker,
        data_id: int,
        name: str | None = None,
        memo: str | None = None,
        seen_at: float | None = None,
    ) -> DataItem:
        """Change name or memo, used or not; Conflict if it changed after `seen_at`."""
        item = await self._own(asker, data_id)
        called = item.name if name is None else checked_data_name(name)
        noted = item.memo if memo is None else checked_memo(memo)
        seen = item.changed_at if seen_at is None else seen_at

        def change() -> DataItem:
            changed = self.store.change(data_id, called, noted, seen, self.wall())
            self._note(asker, "data-changed", data_id)
            return changed

        return await _off(change)

    async def tag(self, asker: Asker, data_id: int, tag: str) -> DataItem:
        """Add a tag; one that is there is no error."""
        await self._own(asker, data_id)
        return await self._retag(data_id, [checked_tag(tag)], [])

    async def untag(self, asker: Asker, data_id: int, tag: str) -> DataItem:
        """Remove a tag; one that is not there is no error."""
        await self._own(asker, data_id)
        return await self._retag(data_id, [], [tag.strip()])

    async def known_tags(self, asker: Asker, tenant: str) -> tuple[KnownTag, ...]:
        """Return the tags in use in a tenant; an unused one is gone (KX-41)."""
        require(asker, tenant, Role.VIEWER)
        return await _off(lambda: self.store.known_tags(tenant))

    async def files(
        self, asker: Asker, data_id: int, after: str = "", limit: int = 1000
    ) -> tuple[StoredFile, ...]:
        """Return a page of all files, by path, those after the path `after`."""
        await self._seen(asker, data_id)
        most = checked_limit(limit, MOST_PATHS)
        return await _off(lambda: self.store.files(data_id, after, most))

    async def level(
        self,
        asker: Asker,
        data_id: int,
        folder: str = "",
        after: str = "",
        limit: int = 1000,
    ) -> tuple[Entry, ...]:
        """Return a page of what lies directly in a folder, after the name `after`."""
        await self._seen(asker, data_id)
        most = checked_limit(limit)
        inside = folder.strip("/")
        return await _off(lambda: self.store.level(data_id, inside, after, most))

    async def file(self, asker: Asker, data_id: int, path: str) -> StoredFile:
        """Return one file."""
        await self._seen(asker, data_id)
        found = await _off(lambda: self.store.file(data_id, path))
        if found is None:
            raise NotFound("The data have no such file.", "Look at their list again.")
        return found

    async def remove_files(
        self, asker: Asker, data_id: int, paths: Sequence[str]
    ) -> DataItem:
        """Take files off an item that nothing blocks; all of them or none."""
        item = await self._own(asker, data_id)
        wanted = _checked_paths(paths)

        def take() -> DataItem:
            changed = self.store.take_files(data_id, wanted, self.wall())
            self._note(asker, "data-files-removed", data_id, str(len(wanted)))
            return changed

        changed = await _off(take)
        try:
            await self.files_kept.remove_files(item.tenant, data_id, wanted)
        except StoreError as error:
            log.warning("files of data %d are removed later: %s", data_id, error)
        else:
            await _off(lambda: self.store.files_gone(data_id, wanted))
        return changed

    async def delete(self, asker: Asker, data_id: int) -> None:
        """Delete an item that nothing blocks, with its files; it is gone at once."""
        await self._own(asker, data_id)
        await self._delete(asker, data_id)

    async def bulk(
        self, asker: Asker, data_ids: Sequence[int], action: Bulk, tag: str = ""
    ) -> tuple[Outcome, ...]:
        """Do one thing to many items; each succeeds or fails for itself."""
        ids = tuple(dict.fromkeys(data_ids))
        if not 1 <= len(ids) <= MOST_AT_ONCE:
            raise InvalidInput(
                "ids: 1 to {most} data can be changed at once.",
                "Send several requests.",
                most=MOST_AT_ONCE,
            )
        checked = "" if action is Bulk.DELETE else checked_tag(tag)
        return tuple([await self._outcome(asker, one, action, checked) for one in ids])

    async def _outcome(
        self, asker: Asker, data_id: int, action: Bulk, tag: str
    ) -> Outcome:
        try:
            await self._own(asker, data_id)
            if action is Bulk.DELETE:
                await self._delete(asker, data_id)
            elif action is Bulk.TAG:
                await self._retag(data_id, [tag], [])
            else:
                await self._retag(data_id, [], [tag])
        except KqiError as error:
            return Outcome(data_id, error)
        return Outcome(data_id)

    async def _delete(self, asker: Asker, data_id: int) -> None:
        def begin() -> DataItem:
            begun = self.store.begin_removal(data_id, self.wall())
            self._note(asker, "data-deleted", data_id, begun.name)
            return begun

        begun = await _off(begin)
        try:
            await self.files_kept.remove(begun.tenant, data_id)
        except StoreError as error:
            log.warning("data %d are removed from the store later: %s", data_id, error)
        else:
            await _off(lambda: self.store.forget(data_id))

    async def _retag(
        self, data_id: int, add: Sequence[str], remove: Sequence[str]
    ) -> DataItem:
        return await _off(lambda: self.store.retag(data_id, add, remove, self.wall()))

    async def _seen(self, asker: Asker, data_id: int) -> DataItem:
        found = None
        if is_data_id(data_id):
            found = await _off(lambda: self.store.one(data_id))
        is_there = found is not None and found.state is DataState.READY
        if found is None or not is_there or not asker.sees(found.tenant):
            raise no_data()
        return found

    async def _own(self, asker: Asker, data_id: int) -> DataItem:
        found = await self._seen(asker, data_id)
        require_change(asker, found.tenant, found.created_by)
        return found

    def _note(self, asker: Asker, action: str, data_id: int, what: str = "") -> None:
        """Audit what somebody did. Blocks."""
        self.audit.append(
            AuditEvent(
                at=self.wall(),
                actor=asker.person,
                action=action,
                target=f"data-{data_id}",
                address=asker.address,
                detail={"what": what} if what else {},
            )
        )


def _may_change(asker: Asker, item: DataItem) -> bool:
    role = asker.role_in(item.tenant)
    if role is None or role < Role.MEMBER:
        return False
    return item.created_by == asker.person or role is Role.MANAGER


def _checked_paths(paths: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(paths))
    if not 1 <= len(found) <= MOST_PATHS:
        raise InvalidInput(
            "paths: 1 to {most} files can be removed at once.",
            "Send several requests.",
            most=MOST_PATHS,
        )
    if any(not path or len(path) > _LONGEST_PATH for path in found):
        raise InvalidInput(
            "paths: no file has such a path.", "Take them from the list of files."
        )
    return found


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
