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


async def end(lab: RunLab, process: Process) -> None:
    """Let a process do all that a run needs that was deleted, as far as it lives."""
    with contextlib.suppress(Killed):
        for _ in range(3):
            lab.pass_time(lab.times.ask_every)
            for number in lab.slurm.cancelled:
                lab.record(int(number), "CANCELLED")
            lab.look_at_slurm("RUNNING")
            await process.work()
        await process.keeper.tidy()


async def check_going(lab: RunLab, state: str, dies_at: int) -> bool:
    """Delete a run in a state, kill a process at a point; tell if it was killed."""
    run = lab.ask()
    early = lab.process("early")
    if state != "ASKED":
        await early.work()
        for one in ("PENDING", "RUNNING", "COMPLETED"):
            lab.look_at_slurm(one)
            if one == "COMPLETED":
                await early.keeper.follow()
                await early.keeper.collector.close()
            else:
                await early.work()
            if one == state:
                break
    assert lab.one(run).state == state.lower()
    assert lab.store.delete(run.id, lab.now) is not None
    first = lab.process("first", dies_at)
    await end(lab, first)
    lab.pass_time(LEASE_IS_OVER_S)
    await end(lab, lab.process("second"))
    assert lab.store.one(run.id) is None, f"killed at {dies_at}"
    assert lab.store.removals() == (), f"killed at {dies_at}"
    assert set(lab.folders.removed) == {("alice", run.folder)}
    assert len(lab.slurm.scripts) == (state != "ASKED"), "no job begins any more"
    assert lab.released[-1] == run.id
    return first.dead
