"""A job that accounting takes for running and slurmctld does not know.

Slurm leaves such a one behind where slurmdbd never hears of an end. Here it is a row of
slurmdbd's own table: a job that really ran is copied, without its end. Slurm itself
lists it as a runaway, and mends it.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.run_lab import RunsOfPerson, runs_of
from tests.cluster.slurm_jobs import sbatch, wait_for_end
from tests.cluster.slurm_lab import only_inside
from tests.cluster.slurm_tables import job_rows, put_copy
from tests.cluster.stack import Stack, run_as, wait_until

pytestmark = only_inside

# Far above what this cluster counts to.
LOST = 70_000_001
# Long enough for the page, which does not take what began a moment ago for lost.
SINCE_S = 2 * 3600
RUNNING = 1
PAGE = "../../usage/cluster"


@pytest.fixture
def carol(stack: Stack) -> Iterator[RunsOfPerson]:
    with runs_of(stack, "carol", "custom:kqi:operate") as made:
        yield made


@pytest.fixture
def runaway(stack: Stack) -> Iterator[int]:
    """Leave a job behind that never ends for accounting."""
    size = ("-n1", "-c2", "--mem=200")
    job = sbatch("bob", "-A", "nlp", "-p", "cpu", *size, wrap="sleep 1")
    wait_for_end(job)
    wait_until(lambda: job_rows(job) == 1, 60)
    began = int(time.time()) - SINCE_S
    times = dict.fromkeys(("time_submit", "time_eligible", "time_start"), began)
    put_copy(job, {"id_job": LOST, "time_end": 0, "state": RUNNING, **times})
    yield LOST
    mend()
    stack.restart("worker")


def runaways(answer: str = "n") -> str:
    """Return what Slurm itself says of runaway jobs, and answer its question."""
    ran = run_as("root", "sacctmgr", "show", "runawayjobs", input=f"{answer}\n")
    return ran.stdout + ran.stderr


def mend() -> None:
    """Do what operators are told to do."""
    if str(LOST) in runaways():
        runaways("y")


def doctor() -> dict[str, Any]:
    """Return the doctor's line on use and Slurm."""
    told = json.loads(run_as("root", "kqi-hub", "doctor", "--json").stdout)
    found: dict[str, Any] = next(
        one for one in told["checks"] if one["name"] == "use and Slurm"
    )
    return found


def compared() -> dict[str, Any]:
    """Have book and Slurm compared up to now."""
    ran = run_as("root", "kqi-hub", "reconcile", "--now", "--json", timeout=120)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def page(person: RunsOfPerson) -> str:
    answer = person.client.get(PAGE)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_a_runaway_is_shown_to_operators_until_slurm_has_mended_it(
    stack: Stack, carol: RunsOfPerson, runaway: int
) -> None:
    assert str(runaway) in runaways()
    # It reads accounting every five minutes, and when it starts.
    stack.restart("worker")
    wait_until(lambda: "Runaway jobs: 1" in page(carol), 60)
    assert "sacctmgr show runawayjobs" in page(carol)
    assert str(runaway) in page(carol)
    found = [one for one in compared()["named"] if one["cause"] == "runaway"]
    assert [one["job_id"] for one in found] == [runaway]
    told = carol.client.get("reconciliation").json()
    assert not told["agrees"]
    jobs = [one["job_id"] for one in told["jobs"] if one["cause"] == "runaway"]
    assert jobs == [runaway]
    line = doctor()
    assert (line["level"], line["seen"]) == ("warn", "differ: 1 runaway")
    assert "sacctmgr show runawayjobs" in line["todo"]
    mend()
    assert str(runaway) not in runaways()
    stack.restart("worker")
    wait_until(lambda: "Runaway jobs" not in page(carol), 60)
    wait_until(lambda: "runaway" not in [c["cause"] for c in compared()["causes"]], 60)
    assert doctor()["level"] == "ok"
