"""Look at a compute node through a tiny job that runs as a person."""

import re
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.errors import ClusterTimedOut
from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import BatchScript, Cluster
from kqi_hub.services.checks.finding import Finding, fail, ok, warn

START_LIMIT_S: Final = 30.0
LOOK_EVERY_S: Final = 2.0
NODE_SANDBOX: Final = "namespaces on a node"
NODE_SCRATCH: Final = "scratch on a node"
NODE_CLOCK: Final = "clock of a node"
CLOCK_SLACK_S: Final = 3.0
CLOCK_FAIL_S: Final = 120.0

# The job answers in its own comment: nobody but the person may read their files,
# and squeue shows a job's comment while it runs and for a while after.
_SCRIPT: Final = """\
#!/bin/sh
#SBATCH --time=2
#SBATCH --ntasks=1
#SBATCH --mem=64M
#SBATCH --output=/dev/null
PATH=$PATH:/usr/bin:/bin:{slurm_bin}
cd / || exit 1
if ! command -v bwrap >/dev/null; then bwrap=missing
elif bwrap --ro-bind / / --proc /proc --dev /dev true; then bwrap=works
else bwrap=refused
fi
file={folder}/.kqi-doctor.$SLURM_JOB_ID
if echo >"$file" && rm "$file"; then scratch=works; else scratch=refused; fi
scontrol update JobId="$SLURM_JOB_ID" \\
  Comment="kqi-doctor bwrap=$bwrap scratch=$scratch clock=$(date +%s)"
"""
_ANSWER: Final = re.compile(r"kqi-doctor bwrap=(\w+) scratch=(\w+) clock=(\d{9,12})")


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What the job saw on its node, and between which times it must have run."""

    node: str
    bwrap: str
    scratch: str
    clock: float
    not_before: float
    not_after: float


class NodeSilent(Exception):
    """The job did not run, or ran and said nothing."""


@dataclass(frozen=True, slots=True)
class NodeProbe:
    """One job of a person, asked for, awaited and cleaned up."""

    cluster: Cluster
    person: str
    folder: str
    slurm_bin: str
    key: str
    wall: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]

    async def ask(self) -> NodeAnswer:
        """Submit the job and return its answer; nothing is left in the queue."""
        began = self.wall()
        job_id = await self._submit(began)
        try:
            return await self._answer(job_id, began)
        finally:
            await self.cluster.cancel(self.person, (job_id,))

    async def _submit(self, began: float) -> int:
        text = _SCRIPT.format(
            folder=shlex.quote(self.folder),
            slurm_bin=shlex.quote(self.slurm_bin),
        )
        script = BatchScript(f"kqi-doctor-{self.key}", text, self.folder)
        try:
            return await self.cluster.submit(self.person, script)
        except ClusterTimedOut:
            # It may have arrived all the same: leave nothing behind.
            left = await self.cluster.find(self.person, script.name, began)
            await self.cluster.cancel(self.person, left)
            raise

    async def _answer(self, job_id: int, began: float) -> NodeAnswer:
        job = None
        while self.wall() - began < START_LIMIT_S:
            await self.sleep(LOOK_EVERY_S)
            jobs = await self.cluster.jobs()
            job = next((job for job in jobs if job.job_id == job_id), None)
            if job and (found := _ANSWER.search(job.comment)):
                bwrap, scratch, clock = found.groups()
                start = float(job.starts_at or began)
                times = (float(clock), start, self.wall())
                return NodeAnswer(job.node_list, bwrap, scratch, *times)
            if job and job.is_over:
                raise NodeSilent(
                    f"{_called(job)} ended as {job.state} and said nothing"
                )
        raise NodeSilent(_why_silent(job, job_id))


def judge_job(name: str, person: str, answer: NodeAnswer) -> Finding:
    """Report that the person's job ran and was heard of."""
    took_s = answer.not_after - answer.not_before
    return ok(name, f"{person}'s ran on {answer.node}, heard of within {took_s:.0f} s")


def judge_node_sandbox(answer: NodeAnswer) -> Finding:
    """Say whether jobs get folders of their own on the node."""
    if answer.bwrap == "works":
        return ok(NODE_SANDBOX, f"bubblewrap works on {answer.node}")
    remedy = {
        "missing": f"Install bubblewrap on {answer.node} and its like.",
        "refused": "Allow unprivileged user namespaces there (sysctl, AppArmor).",
    }.get(answer.bwrap, "Look at the node.")
    seen = f"bubblewrap is {answer.bwrap} on {answer.node}: jobs use $KQI_HOME"
    return warn(NODE_SANDBOX, seen, remedy)


def judge_node_scratch(answer: NodeAnswer, folder: str) -> Finding:
    """Say whether the person could write their scratch folder from the node."""
    if answer.scratch == "works":
        return ok(NODE_SCRATCH, f"{folder} is writable on {answer.node}")
    todo = f"Mount the same file system there; see `ls -ld {folder}` on the node."
    return fail(NODE_SCRATCH, f"{folder} is not writable on {answer.node}", todo)


def judge_node_clock(answer: NodeAnswer) -> Finding:
    """Say whether the node's clock lies in the time in which the job must have run."""
    early_s = answer.not_before - answer.clock
    late_s = answer.clock - answer.not_after
    off_s = max(early_s, late_s)
    if off_s <= CLOCK_SLACK_S:
        return ok(NODE_CLOCK, f"{answer.node} agrees with the controller")
    side = "behind" if early_s > late_s else "ahead"
    seen = f"{answer.node} is at least {off_s:.0f} s {side}"
    todo = "Let chrony or ntpd set it; munge refuses what is 5 min off."
    return (fail if off_s > CLOCK_FAIL_S else warn)(NODE_CLOCK, seen, todo)


def _called(job: Job) -> str:
    return f"job {job.job_id} on {job.node_list or 'no node'}"


def _why_silent(job: Job | None, job_id: int) -> str:
    if job is None:
        return f"job {job_id} is not in the queue after {START_LIMIT_S:g} s"
    if job.is_waiting:
        return f"no node took job {job_id} within {START_LIMIT_S:g} s ({job.reason})"
    return f"{_called(job)} said nothing within {START_LIMIT_S:g} s"
