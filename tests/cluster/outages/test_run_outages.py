"""Runs while something is away or is killed: one job each, no end out of silence."""

import time
from collections.abc import Iterator

import pytest

from tests.cluster.run_lab import RunsOfPerson, runs_of
from tests.cluster.stack import Stack

# A lease has to run out before somebody else goes on with a submission.
TAKEN_OVER_S = 300.0
# The helper ends sbatch after 45 seconds: then nobody knows whether there is a job.
GIVEN_UP_S = 55.0


@pytest.fixture
def alice(stack: Stack) -> Iterator[RunsOfPerson]:
    with runs_of(stack) as made:
        yield made


def test_a_run_that_is_asked_for_while_slurm_is_away_is_submitted_when_it_is_back(
    alice: RunsOfPerson, stack: Stack
) -> None:
    stack.hold("slurmctld")
    run = alice.ask("true")
    assert alice.now(run)["state"] == "asked"
    stack.release("slurmctld")
    stack.wait_ready("slurmctld")
    assert alice.ended(run, TAKEN_OVER_S)["state"] == "completed", alice.told(run)
    assert len(alice.jobs(run)) == 1


def test_a_run_goes_on_while_the_controller_is_away(
    alice: RunsOfPerson, stack: Stack
) -> None:
    run = alice.wait(alice.ask("sleep 20"), "running")
    stack.hold("slurmctld")
    for _ in range(20):
        assert alice.now(run)["state"] == "running"
    stack.release("slurmctld")
    stack.wait_ready("slurmctld")
    assert alice.ended(run, TAKEN_OVER_S)["state"] == "completed", alice.told(run)


def test_a_frozen_controller_makes_no_second_job(
    alice: RunsOfPerson, stack: Stack
) -> None:
    stack.pause("slurmctld")
    run = alice.ask("true")
    time.sleep(GIVEN_UP_S)
    assert alice.wait(run, "asked")["job_id"] is None
    stack.resume("slurmctld")
    stack.wait_ready("slurmctld")
    assert alice.ended(run, TAKEN_OVER_S)["state"] == "completed", alice.told(run)
    assert len(alice.jobs(run)) == 1


def test_a_portal_that_is_killed_while_it_submits_leaves_one_job_each(
    alice: RunsOfPerson, stack: Stack
) -> None:
    runs = [alice.ask("true") for _ in range(8)]
    stack.kill("portal")
    stack.wait_ready("portal")
    for run in runs:
        assert alice.ended(run, TAKEN_OVER_S)["state"] == "completed", alice.told(run)
        assert len(alice.jobs(run)) == 1


def test_results_are_collected_once_the_helper_is_back(
    alice: RunsOfPerson, stack: Stack
) -> None:
    run = alice.wait(alice.ask("sleep 5; exit 4"), "running")
    stack.hold("runas")
    alice.wait(run, "collecting", limit_s=120)
    stack.release("runas")
    stack.wait_ready("runas")
    ended = alice.ended(run, TAKEN_OVER_S)
    assert (ended["state"], ended["exit_code"]) == ("failed", 4), alice.told(run)
    assert ended["files"] is not None
