"""Runs of preprocessings that were done elsewhere: opened, filled, completed.

Each step may be repeated after a crash or a cut: a folder of results has one upload at
a time, and its data item is one of the run's for ever.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from kqi_hub.domain.data import (
    DataItem,
    DataState,
    Kind,
    Origin,
    Thing,
    UploadState,
    Use,
)
from kqi_hub.domain.data_rules import (
    check_announced,
    checked_data_name,
    checked_new,
    checked_tags,
)
from kqi_hub.domain.datasets import checked_memo
from kqi_hub.domain.errors import Conflict, NotPermitted
from kqi_hub.domain.login import AuditEvent
from kqi_hub.domain.outside_runs import (
    NewOutput,
    OutsideOutput,
    OutsideOutputs,
    OutsideRun,
    not_opened,
)
from kqi_hub.domain.people import Role
from kqi_hub.domain.preprocessings import checked_data, run_name, tags_of_product
from kqi_hub.domain.run_ports import Collected, NewRun
from kqi_hub.domain.runs import Preprocessing, Run, RunKind, RunSpec, RunState
from kqi_hub.domain.upload_ports import NewData
from kqi_hub.services.preprocessings import Preprocessings
from kqi_hub.services.run_views import RunView
from kqi_hub.services.runs import new_key
from kqi_hub.services.tenant_rights import Asker, require
from kqi_hub.services.uploads import Pass, Uploads, new_upload_key

_KIND: Final = RunKind.PREPROCESSING
_TRIES: Final = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Added:
    """A folder of results: its data item, and its upload while that is not done."""

    item: DataItem
    sent: Pass | None


@dataclass(frozen=True)
class OutsideRuns:
    """What people ran elsewhere; one a process."""

    preprocessings: Preprocessings
    outputs: OutsideOutputs
    uploads: Uploads
    wall: Callable[[], float] = time.time

    async def open(self, asker: Asker, asked: OutsideRun) -> RunView:
        """Keep that a preprocessing was done on an item elsewhere; its results come.

        Nothing of its definition but the name is needed (K-20); once on each (K-55).
        """
        view = await self.preprocessings.one(asker, asked.preprocessing)
        found = view.preprocessing
        require(asker, found.tenant, Role.MEMBER)
        [number] = checked_data((asked.data,))
        memo = checked_memo(asked.memo)
        await self.preprocessings.check_data(found.tenant, [number])
        new = NewRun(
            kind=_KIND,
            owner=asker.person,
            key=new_key(),
            spec=_spec(found, memo),
            preprocessing=found.id,
            data=number,
        )
        store = self.preprocessings.runs.store

        def keep() -> Run:
            known = self.preprocessings.store.done_on(found.id, [number])
            if number in known:
                raise Conflict(
                    "Preprocessing {id} has been run on data {data}, by run {run}.",
                    "Delete that run to repeat it; one of yours that is open, go on "
                    "with.",
                    id=found.id,
                    data=number,
                    run=known[number],
                )
            run = store.ask(new, self.wall())
            self._note(asker, "opened", run)
            return run

        run = await _off(keep)
        return await self._view(asker, run.id)

    async def add(self, asker: Asker, run_id: int, new: NewOutput) -> Added:
        """Begin to upload a folder of results, or go on with it.

        One that is there whole comes without an upload. An upload for which another
        amount was announced is given up, and begun anew.
        """
        run = await self._opened(asker, run_id)
        check_announced(new.files, new.bytes)
        planned = await _off(lambda: self._planned(run, new))
        stale = ""
        for _ in range(_TRIES):
            kept = await self._reserve(run, planned.name, stale)
            added = await self._go_on(asker, run, kept, new)
            if added is None and await self._is_unused(kept):
                added = await self._begin(asker, run, kept, planned, new)
            if added is not None:
                return added
            stale = kept.upload
        raise Conflict(
            "{name} is being uploaded by somebody else at the same time.",
            "Wait for that, then go on.",
            name=planned.name,
        )

    async def complete(self, asker: Asker, run_id: int) -> RunView:
        """End a run whose results are all there; again is fine.

        Conflict while the upload of one is under way.
        """
        run = await self._own(asker, run_id)
        if run.spec.is_outside and run.state is RunState.COMPLETED:
            return await self._view(asker, run.id)
        if run.state is not RunState.OPENED:
            raise not_opened()

        def end() -> None:
            made = self._whole(run)
            by = Thing(Kind.PREPROCESSING, str(run.id))
            for item in made:
                use = Use(by, Thing(Kind.DATA, str(item.id)), self.wall(), locks=False)
                self.preprocessings.runs.uses.record(use)
            found = Collected(
                RunState.COMPLETED,
                files=sum(one.files for one in made),
                bytes=sum(one.bytes for one in made),
            )
            self.preprocessings.runs.store.collected(run.id, found, self.wall())
            self.outputs.forget(run.id)
            self._note(asker, "completed", run)

        await _off(end)
        return await self._view(asker, run.id)

    async def _reserve(self, run: Run, name: str, stale: str) -> OutsideOutput:
        key = new_upload_key()
        return await _off(lambda: self.outputs.reserve(run.id, name, key, stale))

    async def _is_unused(self, kept: OutsideOutput) -> bool:
        """Tell whether an upload of this key has never begun."""
        known = await _off(lambda: self.uploads.store.upload(kept.upload))
        return known is None and kept.data is None

    async def _go_on(
        self, asker: Asker, run: Run, kept: OutsideOutput, new: NewOutput
    ) -> Added | None:
        """Return what is there of a folder; None when its upload is to begin."""
        upload = await _off(lambda: self.uploads.store.upload(kept.upload))
        number = kept.data if upload is None else upload.data_id
        item = None
        if number is not None:
            found = number
            item = await _off(lambda: self.uploads.items.one(found))
        if item is None or item.state is DataState.REMOVING:
            return None
        if upload is not None and kept.data is None:
            await _off(lambda: self.outputs.begun(run.id, kept.upload, item.id))
        if item.state is DataState.READY:
            return Added(item, None)
        if upload is None or upload.state is UploadState.DROPPED:
            return None
        is_open = upload.state is UploadState.OPEN
        if is_open and (upload.files, upload.bytes) != (new.files, new.bytes):
            await self.uploads.drop(asker, upload.key)
            return None
        return Added(item, await self.uploads.one(asker, upload.key))

    async def _begin(
        self,
        asker: Asker,
        run: Run,
        kept: OutsideOutput,
        planned: NewData,
        new: NewOutput,
    ) -> Added:
        item, sent = await self.uploads.create(
            asker, planned, new.files, new.bytes, key=kept.upload
        )
        await _off(lambda: self.outputs.begun(run.id, kept.upload, item.id))
        return Added(item, sent)

    def _planned(self, run: Run, new: NewOutput) -> NewData:
        """Return what the new item is to be (K-46, KX-62). Blocks."""
        data = self.uploads.items.one(run.data or 0)
        kind = self.preprocessings.store.one(run.preprocessing or 0)
        tags = tags_of_product(
            run.spec.name if kind is None else kind.name, data.tags if data else ()
        )
        planned = NewData(
            tenant=run.spec.tenant,
            name=checked_data_name(new.name),
            memo=new.memo,
            tags=(*checked_tags(new.tags), *tags),
            parents=() if data is None else (data.id,),
            origin=Origin.PREPROCESSING,
        )
        return checked_new(planned)

    def _whole(self, run: Run) -> Sequence[DataItem]:
        """Return the items of a run; Conflict while one is not whole. Blocks."""
        made = []
        for one in self.outputs.of_run(run.id):
            upload = self.uploads.store.upload(one.upload)
            number = upload.data_id if one.data is None and upload else one.data
            item = None if number is None else self.uploads.items.one(number)
            if item is not None and item.state is DataState.UPLOADING:
                raise Conflict(
                    "{name} is not uploaded whole.",
                    "Go on with its upload, or drop that; then complete the run.",
                    name=one.name,
                )
            if item is not None and item.state is DataState.READY:
                made.append(item)
        return made

    async def _opened(self, asker: Asker, run_id: int) -> Run:
        run = await self._own(asker, run_id)
        if run.state is not RunState.OPENED:
            raise not_opened()
        return run

    async def _own(self, asker: Asker, run_id: int) -> Run:
        view = await self._view(asker, run_id)
        if not view.is_mine:
            raise NotPermitted(
                "Run {id} belongs to {person}.",
                "Only they add to it.",
                id=run_id,
                person=view.run.owner,
            )
        require(asker, view.run.spec.tenant, Role.MEMBER)
        return view.run

    async def _view(self, asker: Asker, run_id: int) -> RunView:
        _, view = await self.preprocessings.runs.one(asker, _KIND, run_id)
        return view

    def _note(self, asker: Asker, action: str, run: Run) -> None:
        """Audit what somebody did. Blocks."""
        self.preprocessings.audit.append(
            AuditEvent(
                at=self.wall(),
                actor=asker.person,
                action=f"preprocessing-{action}",
                target=f"preprocessing-{run.id}",
                address=asker.address,
            )
        )


def _spec(found: Preprocessing, memo: str) -> RunSpec:
    """Return what is known of a run that Slurm has nothing to do with."""
    return RunSpec(
        name=run_name(found.name),
        tenant=found.tenant,
        queue="",
        command=found.command,
        shape=found.shape,
        lifetime_s=0,
        environment=found.environment,
        source=found.source,
        zip=False,
        memo=memo,
        is_outside=True,
    )


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
