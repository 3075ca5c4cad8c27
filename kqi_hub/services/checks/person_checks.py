"""The checks that act as one person: their scratch folder, and a job on a node."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.errors import KqiError
from kqi_hub.services.checks import node
from kqi_hub.services.checks.examine import Check, aside
from kqi_hub.services.checks.finding import Finding, fail, skip
from kqi_hub.services.checks.folders import judge_own_folder
from kqi_hub.services.checks.node import NodeAnswer, NodeProbe, NodeSilent
from kqi_hub.services.checks.once import Once
from kqi_hub.services.checks.sources import Sources, Target

JOB: Final = "job of a person"
# Submitting, waiting for a node, reading the answer and cleaning up.
JOB_LIMIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Volunteer:
    """Whose name the doctor may use, and the key of this run's job."""

    name: str
    key: str


class PersonChecks:
    """Make the person's scratch folder, then run a job that looks around."""

    def __init__(self, target: Target, sources: Sources, volunteer: Volunteer) -> None:
        self._sources = sources
        self._person = volunteer.name
        self._folder = f"{target.scratch_root.rstrip('/')}/{volunteer.name}"
        self._scratch = Once(self._make_scratch)
        self._probe = NodeProbe(
            sources.cluster,
            volunteer.name,
            self._folder,
            target.slurm_bin,
            volunteer.key,
            sources.wall,
            sources.sleep,
        )
        self._answer = Once(self._run_job)

    def checks(self) -> list[Check]:
        """Return one check a line."""
        name = f"scratch of {self._person}"
        return [
            Check(name, self._scratch.get),
            Check(JOB, self._job, JOB_LIMIT_S),
            self._of_answer(node.NODE_SANDBOX, node.judge_node_sandbox),
            self._of_answer(node.NODE_SCRATCH, self._judge_scratch),
            self._of_answer(node.NODE_CLOCK, node.judge_node_clock),
        ]

    async def _make_scratch(self) -> Finding:
        answer = await self._sources.door.run("make-scratch", self._person, {})
        if answer.exit_code != 0:
            said = (answer.stderr or answer.stdout).strip()[:200]
            todo = f"Look at {self._folder} and at the helper's log."
            return fail(f"scratch of {self._person}", f"not made: {said}", todo)
        facts = await aside(lambda: self._sources.machine.facts(self._folder))
        return judge_own_folder(self._person, facts)

    async def _run_job(self) -> NodeAnswer:
        await self._scratch.get()
        return await self._probe.ask()

    async def _job(self) -> Finding:
        try:
            answer = await self._answer.get()
        except NodeSilent as silent:
            todo = "See `sinfo`, and the log of slurmd on the node."
            return fail(JOB, str(silent), todo)
        return node.judge_job(JOB, self._person, answer)

    def _judge_scratch(self, answer: NodeAnswer) -> Finding:
        return node.judge_node_scratch(answer, self._folder)

    def _of_answer(self, name: str, judge: Callable[[NodeAnswer], Finding]) -> Check:
        async def look() -> Finding:
            try:
                answer = await self._answer.get()
            except (KqiError, NodeSilent):
                return skip(name, "the job gave no answer")
            return judge(answer)

        return Check(name, look, JOB_LIMIT_S)
