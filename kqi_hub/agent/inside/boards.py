"""TensorBoards of runs: one each, a small job of the person's with a lifetime.

A second start finds the first. What is asked for is noted before Slurm is asked, under
a name that finds the job again when Slurm's answer was lost.
"""

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from tornado.iostream import IOStream

from kqi_hub.agent import submitting
from kqi_hub.agent.disk import on_disk
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.inside import board_folder
from kqi_hub.agent.inside.board_script import board_script
from kqi_hub.agent.inside.bridges import Bridges
from kqi_hub.agent.inside.run_folder import RunPlace
from kqi_hub.agent.inside.slurm_jobs import Job, Jobs, silent
from kqi_hub.agent.submitting import SlurmRefuses, SlurmSilent

P = ParamSpec("P")
T = TypeVar("T")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_KEY: Final = 26
# A job that Slurm has never heard of by now was never submitted.
_GIVEN_UP_S: Final = 60.0
LIVE: Final = frozenset({"asked", "waiting", "starting", "running"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person chooses for a TensorBoard."""

    hours: int
    queue: str
    tenant: str
    beside: tuple[RunPlace, ...] = ()


class Boards:
    """The TensorBoards of one person's runs."""

    def __init__(
        self, root: Path, jobs: Jobs, bridges: Bridges, disk: ThreadPoolExecutor
    ) -> None:
        self._root, self._jobs, self._bridges = root, jobs, bridges
        self._disk = disk
        self._one_each: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._answers: set[int] = set()  # jobs whose TensorBoard has answered

    async def view(self, place: RunPlace) -> dict[str, Any]:
        """Return how a run's TensorBoard stands."""
        async with self._one_each[place.word]:
            return await self._view(place, await self._asked(place))

    async def start(self, place: RunPlace, wish: Wish) -> dict[str, Any]:
        """Return the one that is there, or submit one."""
        async with self._one_each[place.word]:
            asked = await self._asked(place)
            seen = await self._view(place, asked)
            if seen["state"] in LIVE and asked.get("job_id"):
                return seen
            if seen["state"] not in LIVE:
                asked = await self._begin(place, wish)
            await self._submit(place, asked)
            return await self._view(place, await self._asked(place))

    async def stop(self, place: RunPlace) -> dict[str, Any]:
        """Cancel its job."""
        async with self._one_each[place.word]:
            asked = await self._asked(place)
            if job_id := asked.get("job_id"):
                try:
                    await submitting.cancel(self._jobs.rules, int(job_id))
                except SlurmSilent as error:
                    raise silent(error) from error
                asked["stopped_at"] = time.time()
                await self._on_disk(board_folder.note, self._root, place, asked)
                self._jobs.forget(str(job_id))
            return await self._view(place, asked)

    async def connect(self, place: RunPlace) -> IOStream:
        """Return a connection to it; Problem when it does not listen."""
        asked = await self._asked(place)
        if not asked.get("job_id"):
            raise Problem(404, "no-tensorboard", "Start the TensorBoard first.")
        return await self._reach(place, await self._jobs.running(str(asked["job_id"])))

    async def _asked(self, place: RunPlace) -> dict[str, Any]:
        """Return what was asked for, with its job as soon as that is known."""
        asked = await self._on_disk(board_folder.read, self._root, place, "asked.json")
        if not asked or asked.get("job_id") or _is_old(asked):
            return asked
        try:
            found = await submitting.find(self._jobs.rules, str(asked["job_name"]))
        except SlurmSilent as error:
            raise silent(error) from error
        if found is not None:
            asked["job_id"] = found
            await self._on_disk(board_folder.note, self._root, place, asked)
        return asked

    async def _begin(self, place: RunPlace, wish: Wish) -> dict[str, Any]:
        key = "".join(secrets.choice(_LETTERS) for _ in range(_KEY))
        asked = {
            "version": 1,
            "job_name": f"tensorboard-{place.number}-{key}",
            "job_id": None,
            "asked_at": time.time(),
            "hours": wish.hours,
            "queue": wish.queue,
            "tenant": wish.tenant,
            "runs": [run.word for run in (place, *wish.beside)],
        }
        self._script(place, asked)  # refuse before anything is written
        shown = tuple(dict.fromkeys((place, *wish.beside)))
        await self._on_disk(board_folder.prepare, self._root, place, shown)
        await self._on_disk(board_folder.note, self._root, place, asked)
        return asked

    async def _submit(self, place: RunPlace, asked: dict[str, Any]) -> None:
        try:
            job_id = await submitting.submit(
                self._jobs.rules, self._script(place, asked)
            )
        except SlurmSilent as error:
            raise silent(error) from error
        except SlurmRefuses as error:
            asked["refused"] = str(error)
            await self._on_disk(board_folder.note, self._root, place, asked)
            raise Problem(
                400, "slurm-refuses", f"Slurm does not take the job: {error}"
            ) from error
        asked["job_id"] = job_id
        await self._on_disk(board_folder.note, self._root, place, asked)

    def _script(self, place: RunPlace, asked: Mapping[str, Any]) -> str:
        where = {"queue": str(asked["queue"]), "tenant": str(asked["tenant"])}
        folder = board_folder.board_path(self._root, place)
        python = self._jobs.rules.python
        return board_script(
            str(asked["job_name"]), folder, python, where, int(asked["hours"])
        )

    async def _view(self, place: RunPlace, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not asked:
            return {"state": "none"}
        seen: dict[str, Any] = {
            "state": "asked",
            "job": asked.get("job_id"),
            "hours": asked.get("hours"),
            "runs": asked.get("runs"),
            "path": f"tensorboard/{place.word}/",
            "said": "",
        }
        if not asked.get("job_id"):
            is_over = asked.get("refused") or _is_old(asked)
            ended = {"state": "failed", "said": asked.get("refused", "")}
            return seen | (ended if is_over else {})
        return seen | await self._live(place, asked)

    async def _live(self, place: RunPlace, asked: Mapping[str, Any]) -> dict[str, Any]:
        if "stopped_at" in asked:
            return {"state": "ended"}  # Slurm may need a moment to say so
        job = await self._jobs.one(str(asked["job_id"]))
        if job is None or job.is_over or job.name != asked["job_name"]:
            return await self._ended(place, asked)
        if not job.is_running:
            return {"state": "waiting"}
        return {
            "state": "running" if await self._does_answer(place, job) else "starting",
            "ends_in_s": job.left_s,
        }

    async def _ended(self, place: RunPlace, asked: Mapping[str, Any]) -> dict[str, Any]:
        hours_s = int(asked["hours"]) * 3600
        if time.time() > asked["asked_at"] + hours_s:
            return {"state": "ended"}
        said = await self._on_disk(board_folder.last_words, self._root, place)
        return {"state": "failed", "said": said}

    async def _does_answer(self, place: RunPlace, job: Job) -> bool:
        if job.id in self._answers:
            return True
        try:
            stream = await self._reach(place, job)
        except Problem:
            return False
        stream.close()
        self._answers.add(job.id)
        return True

    async def _reach(self, place: RunPlace, job: Job) -> IOStream:
        said = await self._on_disk(board_folder.read, self._root, place, "place.json")
        if said.get("job") != job.id or not isinstance(said.get("socket"), str):
            raise Problem(503, "starting", "The TensorBoard is starting.")
        return await self._bridges.connect(job, {"socket": said["socket"]})

    async def _on_disk(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await on_disk(self._disk, work, *args, **kwargs)


def _is_old(asked: Mapping[str, Any]) -> bool:
    """Tell whether what has no job by now will not have one."""
    return time.time() > float(asked.get("asked_at", 0)) + _GIVEN_UP_S
