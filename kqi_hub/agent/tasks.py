"""Tasks of the person's environments: begun once, cancelled, looked after.

A task is a folder; `conda_bootstrap task` does what it says, and does it once.
"""

import asyncio
import logging
import os
import signal
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from kqi_hub.agent import submitting
from kqi_hub.agent.beside import Beside
from kqi_hub.agent.environment_rules import EnvironmentRules
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.orders import Order
from kqi_hub.agent.processes import Child, Children
from kqi_hub.agent.submissions import Submissions
from kqi_hub.agent.submitting import SlurmSilent
from kqi_hub.agent.task_folder import change_sent, open_log, task_path
from kqi_hub.agent.task_store import TaskStore, View
from kqi_hub.agent.task_views import LOST, child_of, is_live

log = logging.getLogger(__name__)
KILL_AFTER_S: Final = 15.0
_TAKEN_UP_S: Final = 86_400


class Tasks:
    """The tasks below one person's folder."""

    def __init__(
        self, root: Path, rules: EnvironmentRules | None, disk: ThreadPoolExecutor
    ) -> None:
        self._known_rules = rules
        self._store = TaskStore(root, disk)
        self._one_each: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._beside = Beside()
        self.children = Children()
        if rules is not None:
            self._submissions = Submissions(self._store, rules, self._beside)

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
        return await self._store.all()

    async def one(self, task_id: str) -> View:
        """Return a task; Problem 404 if there is none."""
        self.children.reap()
        return await self._store.one(task_id)

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
            if run_on == "job":
                self._submissions.check(sent)
            task_id = await self._store.make(order.document(), sent)
            if run_on == "hub":
                await self._store.do(self._start_child, task_id)
            else:
                await self._submissions.submit_or_insist(task_id, sent)
        return await self.one(task_id)

    async def cancel(self, task_id: str) -> View:
        """Cancel a task; one that has ended stays as it is."""
        found = await self.one(task_id)
        if not is_live(found):
            return found
        child, job_id = child_of(await self._store.sent(task_id)), found["job_id"]
        if child is not None:
            child.signal(signal.SIGTERM)
            self._beside.go(_end(child))
        elif job_id is not None:
            try:
                await submitting.cancel(self.rules, int(job_id))
            except SlurmSilent as error:
                raise _silent(error) from error
        await self._store.note(task_id, cancelled_at=time.time())
        if child is None:
            await self._store.end_unbegun(task_id, "cancelled")
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
            await self._store.note(task_id, lost_at=time.time())
            await self._store.end_unbegun(task_id, "failed", LOST)
        return await self.one(task_id)

    async def take_up(self) -> None:
        """Take up what an agent before this one could not submit."""
        for found in await self.all():
            asked_at = found["asked_at"] or 0
            is_recent = time.time() - asked_at < _TAKEN_UP_S
            if found["state"] != "asked" or not is_recent:
                continue
            if found["run_on"] == "hub":
                await self._store.do(self._start_child, found["id"])
            else:
                self._submissions.take_up(found["id"])

    def take_up_beside(self) -> None:
        """Do that beside everything else; an agent starts whatever lies on scratch."""
        if self._known_rules is not None:
            self._beside.go(self._take_up_quietly())

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
        rules, root = self.rules, self._store.root
        command = [
            rules.python, "-I", "-m", "conda_bootstrap", "--scratch", str(root),
            "--site", str(rules.site), "task", str(task_path(root, task_id)),
        ]  # fmt: skip
        descriptor = open_log(root, task_id)
        try:
            surroundings = submitting.plain_environment(rules)
            child = self.children.start(command, surroundings, descriptor)
        finally:
            os.close(descriptor)
        change_sent(root, task_id, pid=child.pid, began=child.began)


async def _end(child: Child) -> None:
    """End it without mercy if it does not end by itself."""
    await asyncio.sleep(KILL_AFTER_S)
    child.signal(signal.SIGKILL)


def _silent(error: SlurmSilent) -> Problem:
    return Problem(
        503, "slurm-silent", f"Slurm does not answer ({error}). Try again in a moment."
    )
