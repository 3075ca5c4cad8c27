"""Make new data of what a preprocessing has left: one item of each folder (K-46).

Everything may be repeated after a crash at any point: an output always has the same
upload, which is published once.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from kqi_hub.domain.data import Kind, Origin, Thing, UploadState, Use
from kqi_hub.domain.data_errors import NoRoom
from kqi_hub.domain.data_item_ports import DataStore
from kqi_hub.domain.data_ports import Store
from kqi_hub.domain.data_rules import MOST_BYTES, MOST_FILES, checked_data_name
from kqi_hub.domain.dataset_ports import UseStore
from kqi_hub.domain.errors import (
    Conflict,
    DatabaseNotReady,
    DoorBroken,
    DoorUnreachable,
    InvalidInput,
    KqiError,
    StoreError,
    StoreUnavailable,
)
from kqi_hub.domain.preprocessings import (
    PreprocessingStore,
    default_product,
    tags_of_product,
)
from kqi_hub.domain.run_outputs import OutputFiles, output_key
from kqi_hub.domain.run_ports import Collected
from kqi_hub.domain.runs import Run, RunKind, RunState
from kqi_hub.domain.tickets import LIFETIME_S, Ticket, signed
from kqi_hub.domain.upload_ports import NewData, NewUpload, Quotas, UploadStore
from kqi_hub.services.publishing import Publisher

# These pass: the same is tried again, but not for ever.
_PASSING: Final = (
    Conflict,
    DatabaseNotReady,
    DoorBroken,
    DoorUnreachable,
    StoreError,
)
_LONGEST_DETAIL: Final = 1000
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOutputs:
    """New data from outputs; one a process that collects runs."""

    files: OutputFiles
    uploads: UploadStore
    items: DataStore
    preprocessings: PreprocessingStore
    uses: UseStore
    store: Store
    publisher: Publisher
    ticket_key: Callable[[], bytes]
    quotas: Callable[[str], Quotas]
    wall: Callable[[], float] = time.time
    expire_s: float = 7 * 24 * 3600.0
    # After this, a run ends without those of its products that could not be made.
    patience_s: float = 3600.0
    # Before an offer that did not get on is repeated; then twice as long.
    pause_s: float = 5.0
    tries: int = 8

    async def products(self, run: Run, found: Collected) -> Collected:
        """Make the data of a run that went well; say in `detail` what was left out.

        Raises what passes: the run is then collected again.
        """
        went_well = found.state is RunState.COMPLETED
        if run.kind is not RunKind.PREPROCESSING or not went_well or run.data is None:
            return found
        troubles = []
        for name in found.outputs:
            try:
                missed = await self._product(run, name)
            except KqiError as error:
                if _passes(error) and self._may_wait(run):
                    raise
                missed = str(error)
            if missed:
                log.warning("run %d, output %r: %s", run.id, name, missed)
                troubles.append(f"{name}: {missed}")
        if not troubles:
            return found
        detail = " ".join(filter(None, (found.detail, *troubles)))
        return replace(found, detail=detail[:_LONGEST_DETAIL])

    def _may_wait(self, run: Run) -> bool:
        return self.wall() - (run.ended_at or run.changed_at) < self.patience_s

    async def _product(self, run: Run, name: str) -> str:
        """Make one item; return what of it was left out, usually nothing."""
        key, missed = output_key(run, name), ""
        upload = await _off(lambda: self.uploads.upload(key))
        if upload is None:
            missed = await self._take(run, name, key)
            if not await self._begin(run, name, key):
                return missed
        elif upload.state is UploadState.DROPPED:
            return "its upload was given up."
        item = await self.publisher.publish(key)
        if item is not None:
            made, by = Thing(Kind.DATA, str(item.id)), _thing(run)
            use = Use(by, made, self.wall(), locks=False)
            await _off(lambda: self.uses.record(use))
        return missed

    async def _take(self, run: Run, name: str, key: str) -> str:
        """Have the files offered, however many calls that takes."""
        ticket = await self._ticket(run, key)
        after, pause, tries, missed, misses = "", self.pause_s, self.tries, "", 0
        while True:
            told = await self.files.offer(run.owner, run.folder, name, ticket, after)
            misses, missed = misses + told.misses, missed or told.missed
            if not told.more:
                break
            if told.after == after:
                if not tries:
                    raise StoreUnavailable(
                        "The data store does not get on with an output.",
                        "It is tried again.",
                    )
                # A large file is still being copied there.
                await asyncio.sleep(pause)
                tries, pause = tries - 1, pause * 2
            after = told.after
        return f"files left out: {misses:,}, such as {missed}" if misses else ""

    async def _ticket(self, run: Run, key: str) -> str:
        secret = await _off(self.ticket_key)
        until = self.wall() + LIFETIME_S
        tenant, person = run.spec.tenant, run.owner
        ticket = Ticket(key, tenant, person, MOST_FILES, MOST_BYTES, until)
        return signed(ticket, secret)

    async def _begin(self, run: Run, name: str, key: str) -> bool:
        """Keep the new item and its upload; False where there is nothing to keep."""
        tenant = run.spec.tenant
        received = (await self.store.received(tenant, (key,))).get(key)
        if received is None or not received.files:
            await self.store.drop(tenant, key)
            return False
        now = self.wall()
        upload = NewUpload(
            key, run.owner, received.files, received.bytes, now, now + self.expire_s
        )
        try:
            await _off(
                lambda: self.uploads.begin(
                    self._new(run, name), upload, self.quotas(tenant)
                )
            )
        except KqiError as error:
            if not _passes(error):
                # Over a quota, most likely: nothing of it is kept.
                await self.store.drop(tenant, key)
            raise
        return True

    def _new(self, run: Run, name: str) -> NewData:
        """Return what the new item is to be (K-46, KX-62). Blocks."""
        data = self.items.one(run.data or 0)
        kind = self.preprocessings.one(run.preprocessing or 0)
        tag = run.spec.name if kind is None else kind.name
        try:
            called = checked_data_name(name)
        except InvalidInput:
            called = checked_data_name(default_product(data.name if data else "", tag))
        return NewData(
            tenant=run.spec.tenant,
            name=called,
            tags=tags_of_product(tag, data.tags if data else ()),
            parents=() if data is None else (data.id,),
            origin=Origin.PREPROCESSING,
        )


def _passes(error: KqiError) -> bool:
    return isinstance(error, _PASSING) and not isinstance(error, NoRoom)


def _thing(run: Run) -> Thing:
    return Thing(Kind.PREPROCESSING, str(run.id))


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
