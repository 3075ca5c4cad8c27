"""A whole life of a run, in which the process that cares for it dies at one point."""

import contextlib

from kqi_hub.domain.runs import RunState
from tests.fakes.run_lab import Killed, Process, RunLab

LEASE_IS_OVER_S = 1000.0


async def live(lab: RunLab, process: Process) -> None:
    """Let a process do all that a run needs, as far as it lives."""
    with contextlib.suppress(Killed):
        await process.work()
        for state in ("PENDING", "RUNNING", "COMPLETED"):
            lab.look_at_slurm(state)
            await process.work()
        await process.work()


async def check_death(lab: RunLab, dies_at: int) -> bool:
    """Kill a process at a point, have the next one go on; tell if it was killed."""
    run = lab.ask()
    first = lab.process("first", dies_at)
    await live(lab, first)
    lab.pass_time(LEASE_IS_OVER_S)
    await live(lab, lab.process("second"))
    ended = lab.one(run)
    assert lab.jobs == 1, f"killed at {dies_at}"
    assert (ended.state, ended.job_id) == (RunState.COMPLETED, 101), f"at {dies_at}"
    assert (ended.exit_code, ended.value, ended.files) == (0, "0.93", 3)
    assert lab.released[-1] == run.id
    assert run.job_name in lab.files.dropped
    return first.dead
