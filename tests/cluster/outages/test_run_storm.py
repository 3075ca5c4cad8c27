"""500 runs are asked for while slurmctld goes away three times: one job each.

Once it is ended as `kill` and every service manager end it, once by kill -9: then Slurm
itself has forgotten what it took in its last seconds, and gives the numbers of those
jobs again. Their runs are submitted once more.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster.run_lab import Now, RunsOfPerson, runs_of
from tests.cluster.stack import Stack, run_as, wait_until

RUNS = 500
PEOPLE_AT_ONCE = 8
# slurmctld goes away when so many runs have their job: the others are under way.
OUTAGES = (50, 150, 250)
AWAY_S = 1.0
# All of it on two processors: what was refused is tried again after ten seconds.
AT_SLURM_S = 150.0
# What was lost is nowhere for a minute before anybody believes it (RunTimes).
LOST_S = 600.0
ENDED_S = 120.0
NODES = ("cpu01", "cpu02")


@dataclass
class Storm:
    """One person's runs that wait in a queue, all of them of one name."""

    runs: RunsOfPerson
    name: str = field(default_factory=lambda: f"storm-{secrets.token_hex(4)}")

    def ask(self, number: int) -> int:
        """Ask for a run; return its number."""
        size = {"cpus": 1, "memory_mb": 100, "lifetime_s": 600, "zip": False}
        place = {"name": self.name, "tenant": "vision", "queue": "cpu"}
        body = {**size, **place, "command": f"echo {number}"}
        answer = self.runs.client.post("training", json=body)
        assert answer.status_code in {200, 201, 202}, answer.text
        return int(answer.json()["id"])

    def listed(self, state: str = "", most: int = RUNS) -> dict[str, Any]:
        """Return those in a state, and how many there are."""
        query: dict[str, str | int] = {
            "name": self.name,
            "state": state,
            "per_page": most,
        }
        answer = self.runs.client.get("training", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def count(self, state: str) -> int:
        return int(self.listed(state, 1)["total"])

    def give_up(self) -> None:
        """Stop those that a failed test has left: they would fill the queue."""
        left = [one["id"] for one in self.listed("live")["runs"]]
        if left:
            body = {"ids": left, "action": "stop", "tag": ""}
            answer = self.runs.client.post("training/bulk", json=body, timeout=ENDED_S)
            assert answer.status_code == 200, answer.text

    def all(self) -> list[Now]:
        found: list[Now] = self.listed()["runs"]
        return found

    def states(self) -> Counter[str]:
        """Say how they stand, for a test that fails."""
        return Counter(f"{one['state']} {one['detail']}" for one in self.all())


@pytest.fixture
def storm(stack: Stack) -> Iterator[Storm]:
    # In this order: the nodes are free again when no run waits for them any more.
    with taken_nodes(stack), runs_of(stack) as alice:
        storm = Storm(alice)
        try:
            yield storm
        finally:
            stack.mend()
            storm.give_up()


@contextmanager
def taken_nodes(stack: Stack) -> Iterator[None]:
    """Let somebody else have the nodes of the queue: no run starts meanwhile."""
    taken = [taken_node(node) for node in NODES]
    try:
        wait_until(lambda: all(map(runs_at_slurm, taken)), 60, queue_told)
        # A controller that ends in order writes down all it knows. These jobs must not
        # be among those that it forgets when it is killed.
        stack.restart("slurmctld")
        stack.wait_ready("slurmctld")
        yield
    finally:
        run_as("root", "scancel", *taken)


def taken_node(node: str) -> str:
    """Submit what takes a whole node; return the job."""
    take = ["--exclusive", f"--nodelist={node}", "--time=30", "--output=/dev/null"]
    place = ["--partition=cpu", "--account=vision"]
    ran = run_as("carol", "sbatch", "--parsable", *place, *take, "--wrap", "sleep 1800")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def runs_at_slurm(job: str) -> bool:
    return run_as("root", "squeue", "-h", f"-j{job}", "-o%T").stdout == "RUNNING\n"


def queue(columns: str) -> str:
    return run_as("root", "squeue", "-h", "-a", "-t", "all", "-o", columns).stdout


def queue_told() -> str:
    return queue("%i %u %T %r")


def waiting_by_name() -> dict[str, set[int]]:
    """Return every job that waits at the controller, by its name."""
    found: dict[str, set[int]] = {}
    answer = run_as(
        "root", "squeue", "-h", "-a", "-u", "alice", "-t", "PD", "-o", "%A %j"
    )
    for line in answer.stdout.splitlines():
        job, _, name = line.partition(" ")
        found.setdefault(name.strip(), set()).add(int(job))
    return found


def jobs_by_name() -> dict[str, set[int]]:
    """Return every job that Slurm has, or ever had, by its name."""
    words = ("sacct", "-X", "-n", "-P", "-D", "-a", "-S", "now-1hours")
    past = run_as("root", *words, "-o", "jobid,jobname").stdout.replace("|", " ")
    found: dict[str, set[int]] = {}
    for line in (queue("%A %j") + past).splitlines():
        job, _, name = line.partition(" ")
        if job.isdigit():
            found.setdefault(name.strip(), set()).add(int(job))
    return found


def test_five_hundred_runs_have_one_job_each_though_slurmctld_goes_away_three_times(
    storm: Storm, stack: Stack
) -> None:
    def away() -> None:
        stack.hold("slurmctld")
        time.sleep(AWAY_S)
        stack.release("slurmctld")

    numbers = asked_through_outages(storm, stack, away)
    at_least(storm, RUNS, AT_SLURM_S)
    runs = storm.all()
    assert {one["id"] for one in runs} == numbers
    ours = one_job_each(runs, jobs_by_name())
    end_all(storm)
    later = jobs_by_name()
    assert {name: later.get(name) for name in ours} == ours, "a job came afterwards"


def test_five_hundred_runs_have_one_job_each_though_slurmctld_is_killed_three_times(
    storm: Storm, stack: Stack
) -> None:
    numbers = asked_through_outages(storm, stack, lambda: stack.kill("slurmctld"))

    names = {one["job_name"] for one in storm.all()}

    def has_each_one_job() -> bool:
        all_wait = names <= set(waiting_by_name())
        return all_wait and storm.count("pending") == RUNS

    wait_until(has_each_one_job, LOST_S, storm.states)
    runs = storm.all()
    assert {one["id"] for one in runs} == numbers
    one_job_each(runs, waiting_by_name())
    assert {one["state"] for one in runs} == {"pending"}
    end_all(storm)
    assert not names & set(waiting_by_name()), "a job came afterwards"


def asked_through_outages(
    storm: Storm, stack: Stack, away: Callable[[], None]
) -> set[int]:
    """Ask for all runs while slurmctld goes away again and again; return them."""
    deadline = time.monotonic() + AT_SLURM_S
    with ThreadPoolExecutor(PEOPLE_AT_ONCE) as people:
        asked = [people.submit(storm.ask, number) for number in range(RUNS)]
        for reached in OUTAGES:
            at_least(storm, reached, deadline - time.monotonic())
            assert storm.count("pending") < RUNS, "all were at Slurm before the outage"
            away()
            stack.wait_ready("slurmctld")
        numbers = {one.result() for one in asked}
    assert len(numbers) == RUNS
    return numbers


def one_job_each(runs: list[Now], known: dict[str, set[int]]) -> dict[str, set[int]]:
    """Return the job of each run by its name, after a look at whether it is one."""
    ours = {one["job_name"]: known.get(one["job_name"], set()) for one in runs}
    assert ours == {one["job_name"]: {one["job_id"]} for one in runs}
    assert len(set().union(*ours.values())) == RUNS, "two runs share a job"
    return ours


def end_all(storm: Storm) -> None:
    run_as("root", "scancel", "--user=alice")
    wait_until(lambda: storm.count("live") == 0, ENDED_S, storm.states)
    assert Counter(one["state"] for one in storm.all()) == {"killed": RUNS}


def at_least(storm: Storm, many: int, limit_s: float) -> None:
    """Wait until so many runs have their job; less than all may have got further."""
    wait_until(lambda: storm.count("pending") >= many, max(limit_s, 0.0), storm.states)
