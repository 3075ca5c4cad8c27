"""What is shown while jobs run and when they have ended is what the bill says.

A notebook, a training, an array and a bare sbatch. The worker takes accounting in every
five minutes, and when it begins: nobody waits here for what a restart brings at once.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.run_lab import RunsOfPerson, runs_of
from tests.cluster.slurm_jobs import sbatch, wait_for_end, wait_for_state
from tests.cluster.slurm_lab import only_inside
from tests.cluster.stack import Stack, run_as, wait_until

pytestmark = only_inside

# The worker looks at once; accounting is read every five minutes.
SEEN_S = 90.0
BILLED_S = 420.0
CHARGED = ("-A", "vision", "-p", "cpu", "-n1", "-c2", "--mem=200", "-t5")


@dataclass(frozen=True)
class Shown:
    """Something that costs money: where it is shown, and the number of its job."""

    alice: RunsOfPerson
    path: str
    job: int

    @property
    def now(self) -> dict[str, Any]:
        """Return what the portal says of it."""
        answer = self.alice.client.get(self.path)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        found = told["job"] if self.path.startswith("jobs/") else told
        assert isinstance(found, dict)
        return found

    def wait_for_end(self, timeout_s: float = SEEN_S) -> None:
        wait_until(lambda: not self.now["is_live"], timeout_s, lambda: str(self.now))

    def wait_for_bill(self) -> None:
        wait_until(lambda: self.now["is_billed"], BILLED_S, lambda: str(self.now))

    @property
    def bill(self) -> int:
        """Return what the book has of all runs of the job."""
        answer = self.alice.client.get(f"usage/runs?job={self.job}")
        assert answer.status_code == 200, answer.text
        runs = answer.json()["runs"]
        assert runs, self.path
        lines = [
            line
            for run in runs
            for line in self.alice.client.get(f"usage/runs/{run['id']}").json()["lines"]
        ]
        assert sum(run["cost_micro"] for run in runs) == sum(
            line["cost_micro"] for line in lines
        )
        return sum(int(line["cost_micro"]) for line in lines)


@pytest.fixture
def alice(stack: Stack) -> Iterator[RunsOfPerson]:
    with runs_of(stack) as made:
        wait_until(lambda: "cpu" in _rates(), 60)
        yield made
        run_as("alice", "scancel", "--user=alice", "--name=cost-is-bill")


def _rates() -> str:
    return run_as("root", "kqi-hub", "rates", "show").stdout


def scontrol(*words: str) -> None:
    ran = run_as("root", "scontrol", *words)
    assert ran.returncode == 0, ran.stderr


def read_accounting(stack: Stack) -> None:
    stack.restart("worker")
    stack.wait_ready("worker")


def a_training(alice: RunsOfPerson) -> Shown:
    run = alice.ask("sleep 8", cpus=2)
    job = int(alice.wait(run, "running")["job_id"])
    return Shown(alice, f"training/{run['id']}", job)


def a_notebook(alice: RunsOfPerson) -> Shown:
    choices = {
        "name": f"n-{secrets.token_hex(5)}",
        "queue": "cpu",
        "cpus": 1,
        "memory_mb": 2048,
        "lifetime_s": 3600,
    }
    answer = alice.client.post("tenants/vision/notebooks", json=choices)
    assert answer.is_success, answer.text
    path = f"notebooks/{answer.json()['id']}"
    assert alice.client.post(f"{path}/start").is_success

    def job() -> int:
        session = alice.client.get(path).json()["session"] or {}
        return int(session.get("job_id") or 0)

    wait_until(lambda: job() > 0, SEEN_S)
    wait_until(
        lambda: alice.client.get(path).json()["status"] == "running",
        SEEN_S,
        lambda: alice.client.get(path).text,
    )
    return Shown(alice, path, job())


def a_job(alice: RunsOfPerson, *options: str) -> Shown:
    words = ("--job-name=cost-is-bill", *CHARGED, *options)
    number = sbatch("alice", *words, wrap="sleep 8")
    shown = Shown(alice, f"jobs/{number}", number)
    wait_until(lambda: alice.client.get(shown.path).status_code == 200, SEEN_S)
    return shown


def test_the_cost_that_is_shown_is_the_bill_to_the_millionth(
    alice: RunsOfPerson, stack: Stack
) -> None:
    notebook = a_notebook(alice)
    every = [
        notebook,
        a_training(alice),
        a_job(alice, "--array=0-2"),
        a_job(alice),
    ]
    while_it_runs = notebook.now
    assert while_it_runs["cost_micro"] > 0
    assert not while_it_runs["is_billed"]
    assert alice.client.post(f"{notebook.path}/stop").is_success
    for one in every:
        one.wait_for_end()
        wait_for_end(one.job)
    ended = {one.path: one.now["cost_micro"] for one in every}
    assert all(cost > 0 for cost in ended.values()), ended
    assert ended[notebook.path] >= while_it_runs["cost_micro"]
    read_accounting(stack)
    for one in every:
        one.wait_for_bill()
    billed = {one.path: one.now["cost_micro"] for one in every}
    assert billed == {one.path: one.bill for one in every}
    # What was shown before accounting was read was the same.
    assert ended == billed
    [past] = alice.client.get(f"{notebook.path}/sessions").json()["sessions"]
    assert (past["cost_micro"], past["is_billed"]) == (billed[notebook.path], True)


def test_a_job_that_went_back_into_its_queue_costs_all_of_its_runs(
    alice: RunsOfPerson, stack: Stack
) -> None:
    shown = a_job(alice, "--requeue")
    wait_until(lambda: shown.now["counts"] == {"RUNNING": 1}, SEEN_S)
    scontrol("requeue", str(shown.job))
    wait_for_state(shown.job, "PENDING")
    # Slurm would leave it there for two minutes; its first run has ended before that.
    scontrol("update", f"JobId={shown.job}", "StartTime=now+10")
    shown.wait_for_end()
    wait_for_end(shown.job)
    read_accounting(stack)
    shown.wait_for_bill()
    runs = alice.client.get(f"usage/runs?job={shown.job}").json()["runs"]
    assert len(runs) == 2
    assert shown.now["cost_micro"] == shown.bill == sum(r["cost_micro"] for r in runs)
