"""Tasks of the person's environments: begun once, followed, cancelled, taken up again.

A task is a folder; `conda_bootstrap task` does what it says, and does it once. So
whoever is not sure that a job was submitted may submit it again.
"""

import asyncio
import logging
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from kqi_hub.agent import submitting
from kqi_hub.agent.disk import on_disk
from kqi_hub.agent.environment_rules import EnvironmentRules
from kqi_hub.agent.environment_script import environment_script, job_name
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.orders import Order
from kqi_hub.agent.processes import Child, Children
from kqi_hub.agent.submitting import SlurmRefuses, SlurmSilent
from kqi_hub.agent.task_folder import (
    change_sent,
    end_unbegun,
    make_task,
    open_log,
    read_json,
    task_path,
)
from kqi_hub.agent.task_views import LOST, child_of, is_live, task_list, task_view

P = ParamSpec("P")
T = TypeVar("T")
View = dict[str, Any]
log = logging.getLogger(__name__)
# After a silence of Slurm's; what is not submitted by then, the next agent submits.
PAUSES_S: Final = (5.0, 15.0, 60.0, 300.0, 600.0)
KILL_AFTER_S: Final = 15.0
_TAKEN_UP_S: Final = 86_400
_SILENT_NOTE: Final = "Slurm does not answer; the job is submitted as soon as it does."


class Tasks:
    """The tasks below one person's folder."""

    def __init__(
        self, root: Path, rules: EnvironmentRules | None, disk: ThreadPoolExecutor
    ) -> None:
        self._root, self._known_rules, self._disk = root, rules, disk
        self._one_each: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._beside: set[asyncio.Task[None]] = set()
        self._insisting: set[str] = set()
        self.children = Children()

    @property
    def rules(self) -> EnvironmentRules:
        """Return the site's rules; Problem where it has none."""
        if self._known_rules is None:
            raise Problem(
                503, "not-set-up", "This agent was told nothing of environments."
            )
        return self._known_rules

    async def all(self) -> list[View]:
        """Return the newest tasks."""
        self.children.reap()
        return await self._do(task_list, self._root)

    async def one(self, task_id: str) -> View:
        """Return a task; Problem 404 if there is none."""
        self.children.reap()
        found = await self._do(task_view, self._root, task_id)
        if found is None:
            raise Problem(404, "not-there", "There is no such task.")
        return found

    async def begin(self, order: Order) -> View:
        """Begin what is ordered; Problem 409 while the environment is worked on."""
        run_on = self._where(order)
        async with self._one_each[order.name]:
            await self._refuse_second(order.name)
            sent: View = {
                "version": 1, "operation": order.operation, "name": order.name,
                "queue": order.queue or self.rules.queue, "tenant": order.tenant,
                "run_on": run_on, "asked_at": time.time(),
            }  # fmt: skip
            if run_on == "job":  # before anything is written
                environment_script(self._root, _SPECIMEN, sent, self.rules)
            task_id = await self._do(make_task, self._root, order.document(), sent)
            if run_on == "hub":
                await self._do(self._start_child, task_id)
            else:
                await self._submit_or_insist(task_id, sent)
        return await self.one(task_id)

    async def cancel(self, task_id: str) -> View:
        """Cancel a task; one that has ended stays as it is."""
        found = await self.one(task_id)
        if not is_live(found):
            return found
        sent = await self._sent(task_id)
        child, job_id = child_of(sent), found["job_id"]
        if child is not None:
            child.signal(signal.SIGTERM)
            self._go(_end(child))
        elif job_id is not None:
            try:
                await submitting.cancel(self.rules, int(job_id))
            except SlurmSilent as error:
                raise _silent(error) from error
        await self._note(task_id, cancelled_at=time.time())
        if child is None:
            await self._do(end_unbegun, self._root, task_id, "cancelled")
        return await self.one(task_id)

    async def check(self, task_id: str) -> View:
        """Ask Slurm once whether the job of a task still lives, and return the task."""
        found = await self.one(task_id)
        if not is_live(found) or found["job_id"] is None:
            return found
        try:
            is_over = await submitting.is_over(self.rules, int(found["job_id"]))
        except SlurmSilent as error:
            raise _silent(error) from error
        # Its last word may have come while Slurm was asked.
        if is_over and is_live(await self.one(task_id)):
            await self._note(task_id, lost_at=time.time())
            await self._do(end_unbegun, self._root, task_id, "failed", LOST)
        return await self.one(task_id)

    async def take_up(self) -> None:
        """Take up what an agent before this one could not submit."""
        for found in await self.all():
            asked_at = found["asked_at"] or 0
            is_recent = time.time() - asked_at < _TAKEN_UP_S
            if found["state"] != "asked" or not is_recent:
                continue
            if found["run_on"] == "hub":
                await self._do(self._start_child, found["id"])
            else:
                self._insist(found["id"], (0.0, *PAUSES_S))

    def take_up_beside(self) -> None:
        """Do that beside everything else; an agent starts whatever lies on scratch."""
        if self._known_rules is not None:
            self._go(self._take_up_quietly())

    async def _take_up_quietly(self) -> None:
        try:
            await self.take_up()
        except Problem as problem:
            log.warning("older tasks cannot be taken up: %s", problem.message)

    def _where(self, order: Order) -> str:
        if order.run_on == "hub" and self.rules.run_on != "hub":
            raise Problem(
                403, "not-permitted", "Environments are made in jobs at this site."
            )
        return order.run_on or self.rules.run_on

    async def _refuse_second(self, name: str) -> None:
        """Refuse while a task works on the environment; one that was lost does not."""
        for found in await self.all():
            if found["name"] != name or not is_live(found):
                continue
            try:
                found = await self.check(found["id"])
            except Problem as problem:
                log.info("task %s: %s", found["id"], problem.message)
            if is_live(found):
                raise Problem(
                    409, "busy",
                    f"{name} is worked on already ({found['operation']}).",
                    task=found["id"],
                )  # fmt: skip

    def _start_child(self, task_id: str) -> None:
        """Start the work on this machine; it goes on when the agent ends. Blocks."""
        rules = self.rules
        command = [
            rules.python, "-I", "-m", "conda_bootstrap", "--scratch", str(self._root),
            "--site", str(rules.site), "task", str(task_path(self._root, task_id)),
        ]  # fmt: skip
        descriptor = open_log(self._root, task_id)
        try:
            surroundings = submitting.plain_environment(rules)
            child = self.children.start(command, surroundings, descriptor)
        finally:
            os.close(descriptor)
        change_sent(self._root, task_id, pid=child.pid, began=child.began)

    async def _submit_or_insist(self, task_id: str, sent: View) -> None:
        try:
            await self._submit(task_id, sent)
        except SlurmSilent:
            await self._note(task_id, note=_SILENT_NOTE)
            self._insist(task_id, PAUSES_S)
        except SlurmRefuses as error:
            raise Problem(
                400, "slurm-refuses", f"Slurm does not take the job: {error}",
                task=task_id,
            ) from error  # fmt: skip

    async def _submit(self, task_id: str, sent: View) -> None:
        script = environment_script(self._root, task_id, sent, self.rules)
        try:
            job_id = await submitting.submit(self.rules, script)
        except SlurmRefuses as error:
            said = {"code": "slurm-refuses", "message": str(error), "hint": ""}
            await self._note(task_id, error=said)
            await self._do(end_unbegun, self._root, task_id, "refused", said)
            raise
        await self._note(task_id, job_id=job_id, note="")

    def _insist(self, task_id: str, pauses: tuple[float, ...]) -> None:
        if task_id not in self._insisting:
            self._insisting.add(task_id)
            self._go(self._insist_on(task_id, pauses))

    async def _insist_on(self, task_id: str, pauses: tuple[float, ...]) -> None:
        """Submit it as soon as Slurm answers; a job that exists already is taken."""
        try:
            for pause in pauses:
                await asyncio.sleep(pause)
                if await self._is_submitted(task_id):
                    return
        except (SlurmRefuses, Problem) as error:
            log.warning("task %s is not submitted: %s", task_id, error)
        finally:
            self._insisting.discard(task_id)

    async def _is_submitted(self, task_id: str) -> bool:
        sent = await self._sent(task_id)
        if sent.get("cancelled_at") or (await self.one(task_id))["state"] != "asked":
            return True
        try:
            found = await submitting.find(self.rules, job_name(task_id, sent["name"]))
            if found is None:
                await self._submit(task_id, sent)
            else:
                await self._note(task_id, job_id=found, note="")
        except SlurmSilent:
            return False
        if (await self._sent(task_id)).get("cancelled_at"):
            await self._cancel_late(task_id)
        return True

    async def _cancel_late(self, task_id: str) -> None:
        """Cancel a job that came to be while its task was cancelled."""
        job_id = (await self._sent(task_id))["job_id"]
        try:
            await submitting.cancel(self.rules, job_id)
        except SlurmSilent as error:
            log.warning("job %s is not cancelled: %s", job_id, error)

    async def _sent(self, task_id: str) -> View:
        return await self._do(read_json, self._root, task_id, "sent.json") or {}

    async def _note(self, task_id: str, **changes: object) -> None:
        await self._do(change_sent, self._root, task_id, **changes)

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await on_disk(self._disk, work, *args, **kwargs)


# Any task's id: what a script may hold is checked before there is a task.
_SPECIMEN: Final = "20260101T000000-aaaaaaaa"


async def _end(child: Child) -> None:
    """End it without mercy if it does not end by itself."""
    await asyncio.sleep(KILL_AFTER_S)
    child.signal(signal.SIGKILL)


def _silent(error: SlurmSilent) -> Problem:
    return Problem(
        503, "slurm-silent", f"Slurm does not answer ({error}). Try again in a moment."
    )
