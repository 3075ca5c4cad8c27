"""Begin uploads, hand out tickets, finish and drop: for pages, REST and kqi."""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from kqi_hub.domain.data import DataItem, DataState, Upload, UploadState
from kqi_hub.domain.data_errors import no_data, no_upload, upload_over
from kqi_hub.domain.data_item_ports import DataStore
from kqi_hub.domain.data_ports import Received, Store
from kqi_hub.domain.data_rules import check_announced, checked_new, is_data_id
from kqi_hub.domain.errors import Conflict, NotFound, StoreError
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.people import Role
from kqi_hub.domain.tickets import LIFETIME_S, Ticket, signed
from kqi_hub.domain.upload_ports import NewData, NewUpload, Quotas, UploadStore
from kqi_hub.services.publishing import Publisher
from kqi_hub.services.tenant_rights import Asker, require, require_change

# Longer publishing goes on by itself: the proxy would cut the request off.
WAIT_S: Final = 20.0
_KEY_BYTES: Final = 16
_LONGEST_KEY: Final = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pass:
    """An upload with what its sender needs.

    `path` is the address below the hub's; ticket and path are empty when it has ended.
    `name` is the item's, in lists; empty when the item is gone.
    """

    upload: Upload
    path: str = ""
    ticket: str = ""
    received: Received | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of an upload; the item is None while it is still PUBLISHING."""

    upload: Upload
    item: DataItem | None


@dataclass(frozen=True)
class Uploads:
    """The uploads of everybody; one a process."""

    store: UploadStore
    items: DataStore
    receiving: Store
    publisher: Publisher
    ticket_key: Callable[[], bytes]
    quotas: Callable[[str], Quotas]
    audit: AuditLog
    expire_s: float = 7 * 24 * 3600.0
    wall: Callable[[], float] = time.time

    async def create(
        self, asker: Asker, new: NewData, files: int, size: int, key: str = ""
    ) -> tuple[DataItem, Pass]:
        """Keep a new item that nobody sees yet, and an upload for its files.

        With a `key` that somebody chose: Conflict when there is such an upload.
        """
        require(asker, new.tenant, Role.MEMBER)
        checked = checked_new(new)
        upload = await self._new(asker, files, size, key)

        def begin() -> tuple[DataItem, Upload]:
            begun = self.store.begin(checked, upload, self.quotas(new.tenant))
            self._note(asker, "data-created", begun[0].id)
            return begun

        item, kept = await _off(begin)
        return item, await self._pass(kept, asker.person)

    async def add(self, asker: Asker, data_id: int, files: int, size: int) -> Pass:
        """Keep an upload of more files into an item that nothing blocks."""
        item = await self._item(asker, data_id)
        require_change(asker, item.tenant, item.created_by)
        upload = await self._new(asker, files, size)

        def begin() -> Upload:
            quotas = self.quotas(item.tenant)
            begun = self.store.begin_more(data_id, upload, quotas)
            self._note(asker, "data-files-added", data_id)
            return begun

        return await self._pass(await _off(begin), asker.person)

    async def mine(self, asker: Asker, tenant: str | None = None) -> tuple[Pass, ...]:
        """Return one's own uploads, under way and lately dropped, without tickets."""
        found = await _off(lambda: self.store.of_person(asker.person, tenant))
        items = await _off(lambda: self.items.many([one.data_id for one in found]))
        names = {item.id: item.name for item in items}
        by_tenant: dict[str, list[str]] = {}
        for one in found:
            if one.state is UploadState.OPEN:
                by_tenant.setdefault(one.tenant, []).append(one.key)
        received: dict[str, Received] = {}
        for name, keys in by_tenant.items():
            received.update(await self._received(name, tuple(keys)))
        return tuple(
            Pass(
                one,
                received=received.get(one.key),
                name=names.get(one.data_id, ""),
            )
            for one in found
        )

    async def one(self, asker: Asker, key: str) -> Pass:
        """Return one's own upload, with a fresh ticket while it is OPEN."""
        found = await self._own(asker, key)
        if found.state is not UploadState.OPEN:
            return Pass(found)
        # Who left the tenant meanwhile, or only looks on there, sends no more.
        require(asker, found.tenant, Role.MEMBER)
        until = self.wall() + self.expire_s
        extended = await _off(lambda: self.store.extend(key, until))
        received = await self._received(found.tenant, (key,))
        return await self._pass(extended, asker.person, received.get(key))

    async def finish(self, asker: Asker, key: str, wait_s: float = WAIT_S) -> Finished:
        """Publish what has come; again and again is fine.

        Raises Incomplete while files lack. What takes longer than `wait_s` goes on:
        ask again, or look at the upload.
        """
        found = await self._own(asker, key)
        if found.state is UploadState.DROPPED:
            raise upload_over()
        if found.state is UploadState.OPEN:
            require(asker, found.tenant, Role.MEMBER)
        publishing = self.publisher.publish(key)
        done, _ = await asyncio.wait([publishing], timeout=wait_s)
        if not done:
            return Finished(await self._known(key), None)
        item = publishing.result()
        if item is None or item.state is DataState.REMOVING:
            raise NotFound("The data were deleted meanwhile.", "Create them again.")
        if item.state is DataState.UPLOADING:
            raise Conflict(
                "The data were not published: somebody else tried at the same time.",
                "Finish the upload again.",
            )
        if found.state is UploadState.OPEN:
            await _off(lambda: self._note(asker, "upload-finished", item.id))
        return Finished(await self._known(key), item)

    async def drop(self, asker: Asker, key: str) -> Upload:
        """Give an upload up, and what has come of it."""
        found = await self._own(asker, key)

        def drop() -> Upload:
            dropped = self.store.drop(key, self.wall())
            self._note(asker, "upload-dropped", found.data_id)
            return dropped

        dropped = await _off(drop)
        await self.publisher.try_to_clear(dropped)
        return dropped

    async def _new(
        self, asker: Asker, files: int, size: int, key: str = ""
    ) -> NewUpload:
        check_announced(files, size)
        # Without the key there would be an upload that nobody can send to.
        await _off(self.ticket_key)
        now = self.wall()
        key = key or new_upload_key()
        return NewUpload(key, asker.person, files, size, now, now + self.expire_s)

    async def _pass(
        self, upload: Upload, person: str, received: Received | None = None
    ) -> Pass:
        ticket = Ticket(
            upload=upload.key,
            tenant=upload.tenant,
            person=person,
            files=upload.files,
            bytes=upload.bytes,
            until=self.wall() + LIFETIME_S,
        )
        key = await _off(self.ticket_key)
        path = f"services/store/uploads/{upload.key}"
        return Pass(upload, path, signed(ticket, key), received)

    async def _received(
        self, tenant: str, keys: tuple[str, ...]
    ) -> Mapping[str, Received]:
        """Return how far uploads are; nothing while the store does not answer."""
        try:
            return await self.receiving.received(tenant, keys)
        except StoreError:
            return {}

    async def _own(self, asker: Asker, key: str) -> Upload:
        found = None
        if len(key) <= _LONGEST_KEY:
            found = await _off(lambda: self.store.upload(key))
        if found is None or found.person != asker.person:
            raise no_upload()
        return found

    async def _known(self, key: str) -> Upload:
        found = await _off(lambda: self.store.upload(key))
        if found is None:
            raise no_upload()
        return found

    async def _item(self, asker: Asker, data_id: int) -> DataItem:
        found = None
        if is_data_id(data_id):
            found = await _off(lambda: self.items.one(data_id))
        is_there = found is not None and found.state is DataState.READY
        if found is None or not is_there or not asker.sees(found.tenant):
            raise no_data()
        return found

    def _note(self, asker: Asker, action: str, data_id: int) -> None:
        """Audit what somebody did. Blocks."""
        self.audit.append(
            AuditEvent(
                at=self.wall(),
                actor=asker.person,
                action=action,
                target=f"data-{data_id}",
                address=asker.address,
            )
        )


def new_upload_key() -> str:
    """Return the name of a new upload: 26 letters and digits, 128 bit."""
    word = base64.b32encode(secrets.token_bytes(_KEY_BYTES)).decode().rstrip("=")
    return word.lower()


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
