"""The jobs of tasks: submitted now, or as soon as Slurm answers, and never twice.

A task is done once however often its job runs, so whoever is not sure that a job was
submitted looks for its name and may submit it again.
"""

import asyncio
import logging
from typing import Final

from kqi_hub.agent import submitting
from kqi_hub.agent.beside import Beside
from kqi_hub.agent.environment_rules import EnvironmentRules
from kqi_hub.agent.environment_script import environment_script, job_name
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.submitting import SlurmRefuses, SlurmSilent
from kqi_hub.agent.task_store import TaskStore, View

log = logging.getLogger(__name__)
# After a silence of Slurm's; what is not submitted by then, the next agent submits.
PAUSES_S: Final = (5.0, 15.0, 60.0, 300.0, 600.0)
_SILENT_NOTE: Final = "Slurm does not answer; the job is submitted as soon as it does."
# Any task's id: what a script may hold is checked before there is a task.
_SPECIMEN: Final = "20260101T000000-aaaaaaaa"


class Submissions:
    """Submit jobs for one person, and insist while Slurm is silent."""

    def __init__(
        self, store: TaskStore, rules: EnvironmentRules, beside: Beside
    ) -> None:
        self._store, self._rules, self._beside = store, rules, beside
        self._insisting: set[str] = set()

    def check(self, sent: View) -> None:
        """Refuse what cannot stand in a script, before anything is written."""
        environment_script(self._store.root, _SPECIMEN, sent, self._rules)

    async def submit_or_insist(self, task_id: str, sent: View) -> None:
        """Submit a task's job; Problem 400 when Slurm says no."""
        try:
            await self._submit(task_id, sent)
        except SlurmSilent:
            await self._store.note(task_id, note=_SILENT_NOTE)
            self._insist(task_id, PAUSES_S)
        except SlurmRefuses as error:
            raise Problem(
                400, "slurm-refuses", f"Slurm does not take the job: {error}",
                task=task_id,
            ) from error  # fmt: skip

    def take_up(self, task_id: str) -> None:
        """Submit what an agent before this one could not."""
        self._insist(task_id, (0.0, *PAUSES_S))

    async def _submit(self, task_id: str, sent: View) -> None:
        script = environment_script(self._store.root, task_id, sent, self._rules)
        try:
            job_id = await submitting.submit(self._rules, script)
        except SlurmRefuses as error:
            said = {"code": "slurm-refuses", "message": str(error), "hint": ""}
            await self._store.note(task_id, error=said)
            await self._store.end_unbegun(task_id, "refused", said)
            raise
        await self._store.note(task_id, job_id=job_id, note="")

    def _insist(self, task_id: str, pauses: tuple[float, ...]) -> None:
        if task_id not in self._insisting:
            self._insisting.add(task_id)
            self._beside.go(self._insist_on(task_id, pauses))

    async def _insist_on(self, task_id: str, pauses: tuple[float, ...]) -> None:
        try:
            for pause in pauses:
                await asyncio.sleep(pause)
                if await self._is_settled(task_id):
                    return
        except (SlurmRefuses, Problem) as error:
            log.warning("task %s is not submitted: %s", task_id, error)
        finally:
            self._insisting.discard(task_id)

    async def _is_settled(self, task_id: str) -> bool:
        """Tell whether a task has its job, or needs none any more."""
        sent, found = await self._store.sent(task_id), await self._store.one(task_id)
        if sent.get("cancelled_at") or found["state"] != "asked":
            return True
        try:
            known = await submitting.find(self._rules, job_name(task_id, sent["name"]))
            if known is None:
                await self._submit(task_id, sent)
            else:
                await self._store.note(task_id, job_id=known, note="")
        except SlurmSilent:
            return False
        await self._cancel_late(task_id)
        return True

    async def _cancel_late(self, task_id: str) -> None:
        """Cancel a job that came to be while its task was cancelled."""
        sent = await self._store.sent(task_id)
        if not sent.get("cancelled_at"):
            return
        try:
            await submitting.cancel(self._rules, sent["job_id"])
        except SlurmSilent as error:
            log.warning("job %s is not cancelled: %s", sent["job_id"], error)
