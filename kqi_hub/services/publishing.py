"""Publish an upload: from files in the store to an item that people see.

Each step may be repeated, by this process or by another one, at any time: a crash
between two of them loses nothing and shows nothing half.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from kqi_hub.domain.data import (
    DataItem,
    DataState,
    StoredFile,
    Upload,
    UploadState,
)
from kqi_hub.domain.data_item_ports import DataStore
from kqi_hub.domain.data_ports import Published, Store
from kqi_hub.domain.errors import Conflict, NotFound, StoreError, StoreFull
from kqi_hub.domain.upload_ports import UploadStore

PAGE: Final = 5000
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Publisher:
    """Publish and clear uploads; one a process."""

    uploads: UploadStore
    items: DataStore
    store: Store
    wall: Callable[[], float] = time.time
    _running: dict[str, "asyncio.Task[DataItem | None]"] = field(default_factory=dict)

    def publish(self, key: str) -> "asyncio.Task[DataItem | None]":
        """Begin, or join whoever publishes this upload in this process already.

        The task ends with the item, None when it was deleted meanwhile.
        """
        running = self._running.get(key)
        if running is None:
            running = asyncio.create_task(self._publish(key))
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key, None))
            # Nobody may be waiting any more when it fails: the worker tries again.
            running.add_done_callback(_look_at_error)
        return running

    async def clear(self, upload: Upload) -> None:
        """Have the store forget an ended upload; StoreError if it cannot now."""
        await self.store.drop(upload.tenant, upload.key)
        item = await _off(lambda: self.items.one(upload.data_id))
        if item is None:
            # Numbers are never given twice: this can be nobody else's.
            await self.store.remove(upload.tenant, upload.data_id)
        await _off(lambda: self.uploads.cleared(upload.key))

    async def try_to_clear(self, upload: Upload) -> None:
        """Have the store forget an ended upload, now or later."""
        try:
            await self.clear(upload)
        except StoreError as error:
            log.info("upload %s is cleared later: %s", upload.key, error)

    async def _publish(self, key: str) -> DataItem | None:
        upload = await _off(lambda: self.uploads.publishing(key, self.wall()))
        if upload.state is UploadState.PUBLISHING:
            await self._put_in_place(upload)
            await self._list_files(upload)
        item = await _off(lambda: self.uploads.published(key, self.wall()))
        await self.try_to_clear(upload)
        return item

    async def _put_in_place(self, upload: Upload) -> None:
        announced = Published(upload.files, upload.bytes)
        try:
            await self.store.publish(
                upload.tenant, upload.key, upload.data_id, announced
            )
        except (Conflict, NotFound):
            # Refused: nothing has happened.
            await self._reopen(upload)
            raise
        except StoreFull:
            # A new item is built beside its place: it is not there.
            item = await _off(lambda: self.items.one(upload.data_id))
            if item is not None and item.state is DataState.UPLOADING:
                await self._reopen(upload)
            raise

    async def _reopen(self, upload: Upload) -> None:
        await _off(lambda: self.uploads.reopen(upload.key, self.wall()))

    async def _list_files(self, upload: Upload) -> None:
        after = ""
        while True:
            page = await self.store.uploaded(upload.tenant, upload.key, after, PAGE)
            if not page or not await self._add(upload.key, page):
                return
            after = page[-1].path

    async def _add(self, key: str, page: tuple[StoredFile, ...]) -> bool:
        return await _off(lambda: self.uploads.add_files(key, page, self.wall()))


def _look_at_error(task: "asyncio.Task[DataItem | None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.info("an upload was not published: %s", task.exception())


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
