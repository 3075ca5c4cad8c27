"""The worker's rounds for runs: what fails holds up nothing else, and is told once."""

import logging
from dataclasses import replace

import pytest

from kqi_hub.domain.errors import DatabaseNotReady, DoorUnreachable
from kqi_hub.domain.runs import RunState
from kqi_hub.services.run_keeping import RunKeeper
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal
from kqi_hub.worker.runs import TIDY_S, RunRounds, tell_end
from tests.fakes.run_lab import Process, RunLab


class Ticks:
    """A steady clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def rounds_of(lab: RunLab, ticks: Ticks) -> tuple[RunRounds, Process]:
    worker = lab.process()
    worker.keeper = RunKeeper(worker.keeper.world, told=tell_end)
    clocks = replace(Clocks(), steady=ticks)
    return RunRounds(worker.keeper, lab.picture, Journal(), clocks), worker


async def test_a_run_goes_its_way_round_by_round(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "kqi_hub.worker")
    lab = RunLab()
    rounds, worker = rounds_of(lab, Ticks())
    run = lab.ask()
    await rounds.look()
    await worker.keeper.idle()
    for state in ("RUNNING", "COMPLETED"):
        lab.look_at_slurm(state)
        await rounds.look()
        await worker.keeper.idle()
    assert lab.one(run).state is RunState.COMPLETED
    [told] = [one for one in caplog.records if one.name == "kqi_hub.worker"]
    assert vars(told)["pairs"] == {"run": run.id, "state": RunState.COMPLETED}


async def test_a_picture_is_compared_once() -> None:
    lab = RunLab()
    rounds, worker = rounds_of(lab, Ticks())
    lab.ask()
    await rounds.look()
    await worker.keeper.idle()
    lab.look_at_slurm("RUNNING")
    await rounds.look()
    points = worker.points
    lab.picture.known = {}
    await rounds.look()
    assert worker.points - points == 2, "what lives was read, and nothing else"


async def test_trouble_is_told_once_and_nothing_waits_for_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "kqi_hub.worker")
    lab, ticks = RunLab(), Ticks()
    rounds, worker = rounds_of(lab, ticks)
    run = lab.ask()
    await rounds.look()
    await worker.keeper.idle()
    for state in ("RUNNING", "COMPLETED"):
        lab.look_at_slurm(state)
        await rounds.look()
        await worker.keeper.idle()
    lab.store.delete(run.id, 1.0)
    caplog.clear()
    lab.folders.faults = [DoorUnreachable("away")]
    ticks.now += TIDY_S
    await rounds.look()
    assert lab.store.removals(), "the folder stays noted"
    lab.picture.fault = DatabaseNotReady("It is away.")
    await rounds.look()
    await rounds.look()
    lab.picture.fault = None
    ticks.now += TIDY_S
    await rounds.look()
    assert lab.store.removals() == ()
    said = [one.getMessage() for one in caplog.records if "worker" in one.name]
    assert said == ["trouble", "back"]
