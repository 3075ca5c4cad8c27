"""A session store, Slurm and secret files in memory, for tests of starts and stops."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebook_ports import DatasetPlace, SessionEnd
from kqi_hub.domain.notebooks import Cause, Choices, Phase, Session
from kqi_hub.domain.ports import BatchScript
from kqi_hub.services.session_dataset import no_dataset
from kqi_hub.services.session_world import SessionTimes, World
from kqi_hub.services.sessions import Sessions
from tests.fakes.slurm_reader import ScriptedReader, make_job
from tests.fakes.snapshot_store import FakeSnapshotStore

NOW = 1_800_000_000.0
Dataset = Callable[[Session], Awaitable[DatasetPlace | None]]
KEY = "abcdefghijklmnopqrstuvwxyz"
CHOSEN = Choices("try", "vision", "cpu")
# Nothing in these tests needs the patience that people and Slurm do.
QUICK = SessionTimes(
    longest_wait=5.0, last_word=0.05, pause=0.01, settle=0.01, watch=0.01
)


class FakeSessionStore:
    """Sessions of one notebook; the rules of the port hold."""

    def __init__(self) -> None:
        self.kept: dict[int, Session] = {}

    def ask(self, notebook_id: int, chosen: Choices, key: str, now: float) -> Session:
        number = len(self.kept) + 1
        reached = ((Phase.ASKED, now),)
        session = Session(
            number, notebook_id, "alice", key, chosen, now, now, reached=reached
        )
        self.kept[number] = session
        return session

    def one(self, session_id: int) -> Session | None:
        return self.kept.get(session_id)

    def live_of_server(self, owner: str, notebook_id: int) -> Session | None:
        for session in self.live(owner):
            if session.notebook_id == notebook_id:
                return session
        return None

    def live(self, owner: str | None = None) -> tuple[Session, ...]:
        return tuple(
            session
            for session in self.kept.values()
            if session.is_live and owner in (None, session.owner)
        )

    def submitted(self, session_id: int, job_id: int, now: float) -> Session:
        known = self.kept[session_id]
        changed = self._changed(session_id, job_id=known.job_id or job_id)
        return self.reached(session_id, Phase.QUEUED, now) if known.is_live else changed

    def reached(self, session_id: int, phase: Phase, now: float) -> Session:
        known = self.kept[session_id]
        if any(name is phase for name, _ in known.reached):
            return known
        return self._changed(session_id, reached=(*known.reached, (phase, now)))

    def heard_port(self, session_id: int, port: int, now: float) -> Session:
        return self._changed(session_id, port=self.kept[session_id].port or port)

    def placed(self, session_id: int, node: str, port: int, now: float) -> Session:
        return self._changed(session_id, node=node, port=port)

    def stopping(self, session_id: int, cause: Cause, now: float) -> Session:
        known = self.kept[session_id].stopping
        return self._changed(session_id, stopping=known or cause)

    def ended(self, session_id: int, end: SessionEnd) -> Session:
        known = self.kept[session_id]
        return self._changed(
            session_id,
            ended_at=end.at,
            cause=known.stopping or end.cause,
            detail=end.detail,
            exit_code=end.exit_code,
            seen=end.seen,
        )

    def changed_since(
        self, moment: float, owners: Collection[str] | None = None
    ) -> tuple[Session, ...]:
        return tuple(one for one in self.kept.values() if one.changed_at >= moment)

    def stamps(self, owners: Collection[str]) -> Mapping[str, float]:
        return {one.owner: one.changed_at for one in self.live()}

    def _changed(self, session_id: int, **values: Any) -> Session:
        known = self.kept[session_id]
        if known.is_live:
            self.kept[session_id] = replace(known, **values)
        return self.kept[session_id]


class FakeSlurm(ScriptedReader):
    """Submit, cancel and find; `faults` are raised by the next submissions, in turn.

    A submission whose answer is lost (`keeps_lost`) makes a job all the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[BatchScript] = []
        self.cancelled: list[int | str] = []
        self.faults: list[Exception] = []
        self.cancel_faults: list[Exception] = []
        self.find_faults: list[Exception] = []
        self.keeps_lost = False
        self.found: dict[str, int] = {}
        self.node = "cpu01"
        self.looks = 0
        self.gate: asyncio.Event | None = None
        self.submitting = asyncio.Event()

    async def submit(self, person: str, script: BatchScript) -> int:
        self.submitting.set()
        if self.gate is not None:
            await self.gate.wait()
        fault = self.faults.pop(0) if self.faults else None
        if fault is None or self.keeps_lost:
            self.scripts.append(script)
            self.found[script.name] = 100 + len(self.scripts)
        if fault is not None:
            raise fault
        return self.found[script.name]

    async def cancel(self, person: str, job_ids: Sequence[int | str]) -> None:
        if self.cancel_faults:
            raise self.cancel_faults.pop(0)
        self.cancelled.extend(job_ids)

    async def find(self, user: str, name: str, since: float) -> tuple[int, ...]:
        if self.find_faults:
            raise self.find_faults.pop(0)
        return (self.found[name],) if name in self.found else ()

    async def node_of(self, job_id: int) -> str:
        self.looks += 1
        return self.node

    async def signal(self, person: str, job_id: int, name: str) -> None:
        raise AssertionError("nobody signals a notebook")

    async def hold(self, person: str, job_id: int | str) -> None:
        raise AssertionError("nobody holds a notebook")

    async def release(self, person: str, job_id: int | str) -> None:
        raise AssertionError("nobody releases a notebook")

    async def requeue(self, person: str, job_id: int) -> None:
        raise AssertionError("nobody requeues a notebook")

    async def set_time_limit(self, person: str, job_id: int, seconds: int) -> None:
        raise AssertionError("nobody changes a notebook's limit")


class FakeSecretFiles:
    """Remember what was written and removed."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.dropped: list[str] = []

    async def keep(self, person: str, job_name: str, text: str) -> None:
        self.kept[job_name] = text

    async def drop(self, person: str, job_names: Sequence[str]) -> None:
        self.dropped.extend(job_names)


class Lab:
    """A hub process's sessions on fakes; `restart` makes the next process."""

    def __init__(self) -> None:
        self.now = NOW
        self.store = FakeSessionStore()
        self.snapshot = FakeSnapshotStore()
        self.slurm = FakeSlurm()
        self.files = FakeSecretFiles()
        # Tests may put another in its place.
        self.dataset: Dataset = no_dataset
        self.sessions = self.process()

    def process(self, times: SessionTimes = QUICK) -> Sessions:
        """Return the sessions of a new hub process."""
        return Sessions(
            World(
                sessions=self.store,
                snapshot=self.snapshot,
                slurm=self.slurm,
                secret_files=self.files,
                folders=self._folders,
                script=lambda one: BatchScript(one.job_name, "#!/bin/sh\n", "/"),
                secret=_secret,
                clock=lambda: self.now,
                log_path=lambda one, job: f"/scratch/{one.owner}/log/{job}.log",
                times=times,
                dataset=self._dataset,
            )
        )

    async def _folders(self, person: str) -> None:
        return None

    async def _dataset(self, session: Session) -> DatasetPlace | None:
        return await self.dataset(session)

    async def restart(self) -> None:
        """End this process's memory, as kill -9 would, and begin another one's."""
        await self.sessions.close()
        self.now += 100
        self.sessions = self.process()

    def ask(self) -> Session:
        """Have the portal ask for a session of notebook 12."""
        self.now += 1
        return self.store.ask(12, CHOSEN, KEY, self.now)

    def look(self, *jobs: Job) -> None:
        """Have the worker look at Slurm, a moment later."""
        self.now += 10
        self.snapshot.known = {job.job_id: job for job in jobs}
        self.snapshot.fresh = Freshness(
            self.snapshot.fresh.sequence + 1, self.now, self.now
        )

    def job(self, session: Session, state: str = "RUNNING", number: int = 101) -> Job:
        """Make the session's job as the picture shows it."""
        node = "gpu07" if state == "RUNNING" else ""
        made = make_job(number, state)
        return replace(made, name=session.job_name, node_list=node)

    @property
    def last(self) -> Session:
        """Return the newest session as stored."""
        return self.store.kept[len(self.store.kept)]


def _secret(
    session: Session, hub: Mapping[str, str], dataset: DatasetPlace | None
) -> str:
    token = hub.get("JUPYTERHUB_API_TOKEN", "")
    place = "" if dataset is None else f" {dataset.dataset_id}={dataset.path}"
    return f"{session.job_name} {token}{place}"
