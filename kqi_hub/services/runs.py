"""Ask for runs, look at them, stop, change and delete them, for all three doors."""

import asyncio
import base64
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Final, TypeVar

from kqi_hub.domain.dataset_ports import DatasetStore, UseStore
from kqi_hub.domain.errors import (
    ClusterUnreachable,
    Conflict,
    InvalidInput,
    KqiError,
    NotFound,
    NotPermitted,
)
from kqi_hub.domain.git_refs import Resolver
from kqi_hub.domain.images import ImageResolver
from kqi_hub.domain.listing import unread_of
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.people import Role
from kqi_hub.domain.run_choices import checked_change, checked_spec
from kqi_hub.domain.run_list import RunQuestion, filter_of
from kqi_hub.domain.run_ports import NewRun, RunStore, Submission, Told
from kqi_hub.domain.runs import (
    Parent,
    Run,
    RunChange,
    RunEvent,
    RunKind,
    RunRules,
    RunSpec,
    RunState,
)
from kqi_hub.services.board import Picture
from kqi_hub.services.freshness import Trust
from kqi_hub.services.queues import Estimate, Queues
from kqi_hub.services.run_views import (
    Beside,
    Consequences,
    Family,
    RunPage,
    RunView,
    ours_of,
    view_of,
)
from kqi_hub.services.tenant_rights import Asker, listed_tenants, require

_KEY_BYTES: Final = 16
# Of a parent that never ran there is no output to read.
_WITHOUT_OUTPUT: Final = frozenset({RunState.REFUSED})
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Runs:
    """The trainings and inferences of everybody; one a process.

    Members of a tenant see each other's runs; only the owner changes one. Every method
    that names a run wants its kind, too: a number of another kind is NotFound.
    """

    store: RunStore
    submission: Submission
    queues: Queues
    git: Resolver
    datasets: DatasetStore
    uses: UseStore
    audit: AuditLog
    images: ImageResolver
    rules: RunRules = field(default_factory=RunRules)
    zone: tzinfo = UTC
    wall: Callable[[], float] = time.time

    async def check(self, asker: Asker, kind: RunKind, spec: RunSpec) -> Estimate:
        """Say what a run would meet if it were asked for now; nothing is stored.

        InvalidInput names the field; `objections` are why Slurm would not take it.
        """
        checked = checked_spec(kind, spec, self.rules)
        require(asker, checked.tenant, Role.MEMBER)
        await _off(lambda: self._check_uses(asker, checked))
        return await self._estimate(asker.person, checked)

    async def ask(
        self,
        asker: Asker,
        kind: RunKind,
        spec: RunSpec,
        *,
        is_prepared: bool = False,
        keeps_refused: bool = True,
    ) -> Run:
        """Store the wish for a run, and begin to submit it.

        `is_prepared`: only the script is made, for the person to submit by hand.
        `keeps_refused`: whether its record stays where Slurm refuses it (KX-34).
        """
        checked = await self.ready(asker, kind, spec)
        new = NewRun(
            kind=kind,
            owner=asker.person,
            key=new_key(),
            spec=checked,
            is_prepared=is_prepared,
            keeps_refused=keeps_refused,
        )

        def ask() -> Run:
            asked = self.store.ask(new, self.wall())
            self._note(asker, "asked", asked)
            return asked

        run = await _off(ask)
        if not is_prepared:
            self.submission.begin(run.key)
        return run

    async def ready(self, asker: Asker, kind: RunKind, spec: RunSpec) -> RunSpec:
        """Return what may be stored and submitted.

        InvalidInput where Slurm would not start it, besides what `check` raises.
        """
        checked = checked_spec(kind, spec, self.rules)
        require(asker, checked.tenant, Role.MEMBER)
        await _off(lambda: self._check_uses(asker, checked))
        estimate = await self._estimate(asker.person, checked)
        if estimate.objections:
            raise InvalidInput(
                "Slurm would not start this: {why}",
                "Change it, then send it again.",
                why=estimate.objections[0],
            )
        return await self._with_commit(asker.person, checked)

    async def search(self, asker: Asker, kind: RunKind, asked: RunQuestion) -> RunPage:
        """Return a page of what somebody sees; what cannot be read finds nothing."""
        tenants = listed_tenants(asker, asked.tenant)
        picture = await self.queues.board.current()
        if unread := unread_of(asked, self.zone):
            return RunPage(picture, (), 0, unread)
        wanted = filter_of(kind, asked, tenants, self.zone)

        def read() -> RunPage:
            found, total = self.store.search(wanted)
            return RunPage(picture, self._views(asker, found, picture), total)

        return await _off(read)

    async def one(
        self, asker: Asker, kind: RunKind, run_id: int
    ) -> tuple[Picture, RunView]:
        """Return one; NotFound for those of other tenants and other kinds."""
        picture = await self.queues.board.current()
        return picture, await _off(lambda: self._shown(asker, kind, run_id, picture))

    async def with_family(
        self, asker: Asker, kind: RunKind, run_id: int
    ) -> tuple[Picture, RunView, Family]:
        """Return one with its parents that are still there and what was built on it.

        Whoever waits for a run asks for this again and again: it is read in one go.
        """
        picture = await self.queues.board.current()

        def read() -> tuple[RunView, Family]:
            view = self._shown(asker, kind, run_id, picture)
            found = (self.store.one(one.id) for one in view.run.spec.parents)
            parents = tuple(one for one in found if one is not None)
            return view, Family(parents, self.store.built_on(run_id))

        return picture, *await _off(read)

    async def events(
        self, asker: Asker, kind: RunKind, run_id: int
    ) -> tuple[RunEvent, ...]:
        """Return each change of its state with its cause, the oldest first."""
        await self._seen(asker, kind, run_id)
        return await _off(lambda: self.store.events(run_id))

    async def script(self, asker: Asker, kind: RunKind, run_id: int) -> str:
        """Return exactly the script that was, or is to be, submitted.

        Conflict while there is none yet: a run that was just asked for.
        """
        run = await self._seen(asker, kind, run_id)
        if run.state is RunState.PREPARED and run.owner == asker.person:
            return await self.submission.prepared(run)
        found = await _off(lambda: self.store.script(run_id))
        if found is None:
            raise Conflict("This run has no script yet.", "Look again in a moment.")
        return found

    async def stop(
        self, asker: Asker, kind: RunKind, run_id: int, *, as_failed: bool = False
    ) -> RunView:
        """Stop a run that has not ended: as normal, or as failed (KX-16).

        What ends by itself meanwhile keeps its own end.
        """
        run = await self._own(asker, kind, run_id)
        await self._stop(asker, run, as_failed)
        _, view = await self.one(asker, kind, run_id)
        return view

    async def change(
        self, asker: Asker, kind: RunKind, run_id: int, change: RunChange
    ) -> RunView:
        """Change what may be changed afterwards (KX-30)."""
        await self._own(asker, kind, run_id)
        checked = checked_change(change)
        run = await _off(lambda: self.store.change(run_id, checked, self.wall()))
        return await self._view(asker, run)

    async def consequences(
        self, asker: Asker, kind: RunKind, run_id: int
    ) -> Consequences:
        """Say what deleting a run of one's own would take along."""
        run = await self._own(asker, kind, run_id)

        def read() -> Consequences:
            dataset = run.spec.dataset
            locks = () if dataset is None else self.uses.locks(dataset, 2)
            return Consequences(
                run=run,
                is_live=run.is_live and run.state is not RunState.PREPARED,
                is_going=run.going_at is not None,
                blockers=self.store.built_on(run_id),
                folder=run.folder,
                files=run.files,
                bytes=run.bytes,
                dataset=dataset,
                is_unlocked=len(locks) == 1,
            )

        return await _off(read)

    async def delete(self, asker: Asker, kind: RunKind, run_id: int) -> None:
        """Delete a run with its folder; Conflict while another one needs it.

        The job of one that lives is ended first (KX-35): the worker sees to that, and
        to a folder that cannot be removed now. To ask for the same again is no error.
        """
        run = await self._own(asker, kind, run_id)
        if run.state is RunState.PREPARED:
            await self._stop(asker, run, as_failed=False)

        def delete() -> Run | None:
            now = self.wall()
            going = self.store.delete(run_id, now)
            if going is None or going.going_at == now:
                self._note(asker, "deleted", run)
            return going

        going = await _off(delete)
        if going is not None:
            if going.state is not RunState.COLLECTING:
                await self.submission.stop(going)
            return
        try:
            await self.submission.remove(asker.person, [run])
        except KqiError as error:
            log.info("the folder of run %d is removed later: %s", run_id, error)
        else:
            await _off(lambda: self.store.removed([run_id]))

    async def copy_of(self, asker: Asker, kind: RunKind, run_id: int) -> RunSpec:
        """Return what was chosen for a run, to ask for the same once more (K-84)."""
        run = await self._seen(asker, kind, run_id)
        return replace(run.spec, name=run.name, memo=run.memo, tags=run.tags)

    async def child_of(self, asker: Asker, parent: Parent) -> RunSpec:
        """Return what was chosen for a run, to build on it: as its child (K-68, KX-73).

        Parents are one's own: of somebody else's run, this is NotPermitted.
        """
        run = await self._own(asker, parent.kind, parent.id)
        return replace(run.spec, name=run.name, memo="", parents=(parent,))

    async def tags(self, asker: Asker, tenant: str) -> tuple[str, ...]:
        """Return the tags of a tenant's runs, for forms and filters."""
        require(asker, tenant, Role.VIEWER)
        return await _off(lambda: self.store.tags(tenant))

    async def _stop(self, asker: Asker, run: Run, as_failed: bool) -> None:
        """Note the wish, then have it done; the worker repeats what does not work."""
        called = RunState.KILLED if as_failed else RunState.USER_CANCELED
        if run.state is RunState.OPENED:
            raise Conflict(
                "This run is done elsewhere: there is no job to stop.",
                "Complete it, or delete it.",
            )
        if not run.is_live or run.state is RunState.COLLECTING:
            raise Conflict("This run has ended.", "There is nothing to stop.")

        def note() -> Run:
            noted = self.store.stopping(run.id, called, self.wall())
            self._note(asker, "stopped", run)
            if noted.state is RunState.PREPARED:
                told = Told(called, self.wall(), ended_at=self.wall())
                return self.store.told(run.id, told)
            return noted

        noted = await _off(note)
        if noted.is_live or noted.job_id is None:
            await self.submission.stop(noted)

    async def _with_commit(self, person: str, spec: RunSpec) -> RunSpec:
        """Return what is meant by names that may stand for another thing tomorrow."""
        if spec.image:
            image = await self.images.resolve(person, spec.image)
            spec = replace(spec, image=image)
        source = spec.source
        if source is None:
            return spec
        commit = await self.git.resolve(person, source.url, source.ref, source.commit)
        return replace(spec, source=replace(source, commit=commit))

    def _check_uses(self, asker: Asker, spec: RunSpec) -> None:
        """Refuse a dataset or parents that are not there for this person. Blocks."""
        if spec.dataset is not None:
            found = self.datasets.one(spec.dataset)
            if found is None or found.tenant != spec.tenant:
                raise InvalidInput(
                    "dataset: there is no dataset {id} in tenant {tenant}.",
                    "Choose one from the list of datasets, or none.",
                    id=spec.dataset,
                    tenant=spec.tenant,
                )
        for one in spec.parents:
            self._check_parent(asker, spec, one)

    def _check_parent(self, asker: Asker, spec: RunSpec, parent: Parent) -> None:
        run = self.store.one(parent.id)
        if run is None or (run.kind, run.owner, run.spec.tenant) != (
            parent.kind,
            asker.person,
            spec.tenant,
        ):
            raise InvalidInput(
                "parents: you have no {kind} {id} in tenant {tenant}.",
                "Choose from your own of this tenant.",
                kind=parent.kind.value,
                id=parent.id,
                tenant=spec.tenant,
            )
        if run.is_live or run.state in _WITHOUT_OUTPUT:
            raise InvalidInput(
                "parents: {kind} {id} has not ended, so its output is not complete.",
                "Wait for its end, or choose another one.",
                kind=parent.kind.value,
                id=parent.id,
            )

    async def _estimate(self, person: str, spec: RunSpec) -> Estimate:
        picture = await self.queues.board.current()
        if picture.trust is Trust.NONE:
            raise ClusterUnreachable(
                "Slurm has not been looked at yet, so queues are not known.",
                "Try again in a moment; if this lasts, tell the operators.",
            )
        queue = self.queues.pick(picture, spec.queue, person, spec.tenant)
        return await self.queues.estimate(picture, queue, spec.shape, spec.lifetime_s)

    async def _seen(self, asker: Asker, kind: RunKind, run_id: int) -> Run:
        return await _off(lambda: self._found(asker, kind, run_id))

    def _found(self, asker: Asker, kind: RunKind, run_id: int) -> Run:
        """Return a run that somebody sees. Blocks."""
        found = self.store.one(run_id)
        if found is None or found.kind is not kind or not asker.sees(found.spec.tenant):
            raise NotFound(
                "There is no {kind} {id}.",
                "Look at the list again.",
                kind=kind.value,
                id=run_id,
            )
        return found

    async def _own(self, asker: Asker, kind: RunKind, run_id: int) -> Run:
        found = await self._seen(asker, kind, run_id)
        if found.owner != asker.person:
            raise NotPermitted(
                "{kind} {id} belongs to {person}.",
                "Copy it: the copy is your own.",
                kind=kind.value,
                id=run_id,
                person=found.owner,
            )
        return found

    async def _view(self, asker: Asker, run: Run) -> RunView:
        picture = await self.queues.board.current()
        [view] = await _off(lambda: self._views(asker, [run], picture))
        return view

    def _shown(
        self, asker: Asker, kind: RunKind, run_id: int, picture: Picture
    ) -> RunView:
        """Return a run that somebody sees, joined with the picture. Blocks."""
        [view] = self._views(asker, [self._found(asker, kind, run_id)], picture)
        return view

    def _views(
        self, asker: Asker, runs: Sequence[Run], picture: Picture
    ) -> tuple[RunView, ...]:
        """Join runs with the picture, names and costs. Blocks."""
        names, now = self.store.names(runs), self.wall()
        pricing = self.queues.pricing
        ours = [ours_of(run, picture, now) for run in runs]
        costs = self.queues.costs.of_ours(ours, picture.scene, now)
        return tuple(
            view_of(run, asker.person, picture, pricing, now, Beside(names, cost))
            for run, cost in zip(runs, costs, strict=True)
        )

    def _note(self, asker: Asker, action: str, run: Run) -> None:
        """Audit what somebody did. Blocks."""
        self.audit.append(
            AuditEvent(
                at=self.wall(),
                actor=asker.person,
                action=f"{run.kind.value}-{action}",
                target=f"{run.kind.value}-{run.id}",
                address=asker.address,
            )
        )


def new_key() -> str:
    """Return the random part of a job's name: 26 characters, 128 bit."""
    word = base64.b32encode(secrets.token_bytes(_KEY_BYTES)).decode().rstrip("=")
    return word.lower()


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
