"""All jobs through REST and the real Slurm: by hand, in arrays, held, cancelled."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.run_lab import RunsOfPerson, runs_of
from tests.cluster.slurm_jobs import sbatch, squeue, wait_for_state
from tests.cluster.stack import Stack, run_as, wait_until

# The worker looks every few seconds, and at once when it is asked to.
SEEN_S = 60.0


@pytest.fixture
def alice(stack: Stack) -> Iterator[RunsOfPerson]:
    with runs_of(stack) as made:
        yield made
        run_as("alice", "scancel", "--user=alice", "--name=own-jobs")


def by_hand(*options: str, wrap: str = "sleep 300", user: str = "alice") -> int:
    return sbatch(user, "--job-name=own-jobs", "--mem=100", *options, wrap=wrap)


def job(alice: RunsOfPerson, number: int | str) -> dict[str, Any] | None:
    answer = alice.client.get(f"jobs/{number}")
    if answer.status_code == 404:
        return None
    found: dict[str, Any] = answer.json()["job"]
    return found


def seen(alice: RunsOfPerson, number: int | str, **counts: int) -> dict[str, Any]:
    """Return a job once the portal counts so many in each state."""

    def is_so() -> bool:
        found = job(alice, number)
        return found is not None and found["counts"] == counts

    wait_until(is_so, SEEN_S, lambda: str(job(alice, number)))
    found = job(alice, number)
    assert found is not None
    return found


def act(alice: RunsOfPerson, number: int | str, action: str) -> int:
    return int(alice.client.post(f"jobs/{number}/{action}").status_code)


def test_a_job_by_hand_is_held_released_and_cancelled(alice: RunsOfPerson) -> None:
    number = by_hand("--hold")
    found = seen(alice, number, PENDING=1)
    assert (found["kind"], found["tasks"][0]["is_held"]) == ("other", True)
    assert found["tasks"][0]["why"]
    assert act(alice, number, "release") == 204
    seen(alice, number, RUNNING=1)
    assert act(alice, number, "hold") == 409
    assert act(alice, number, "cancel") == 204
    ended = seen(alice, number, CANCELLED=1)
    assert ended["actions"] == []


def test_a_job_is_there_at_once_although_no_look_has_seen_it(
    alice: RunsOfPerson,
) -> None:
    # Three in a row, so that at least two are newer than the last look.
    for options in (("--hold",), ("--array=0-3", "--hold"), ("--hold",)):
        number = by_hand(*options)
        answer = alice.client.get(f"jobs/{number}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["job"]["id"] == number
    never = alice.client.get(f"jobs/{number + 1000}")
    assert never.status_code == 404, never.text


def test_one_task_is_cancelled_and_the_array_goes_on(alice: RunsOfPerson) -> None:
    number = by_hand("--array=0-3%1")
    seen(alice, number, RUNNING=1, PENDING=1)
    assert act(alice, f"{number}_0", "cancel") == 204
    seen(alice, number, CANCELLED=1, RUNNING=1, PENDING=1)
    assert squeue(number, "%T").count("RUNNING") == 1
    # Tasks that have ended do not make a failure of what is done to the others.
    assert act(alice, number, "hold") == 204
    wait_until(
        lambda: "JobHeldUser" in str(job(alice, number)),
        SEEN_S,
        lambda: str(job(alice, number)),
    )
    assert act(alice, number, "release") == 204
    assert act(alice, number, "cancel") == 204
    wait_until(
        lambda: (job(alice, number) or {}).get("is_live") is False,
        SEEN_S,
        lambda: str(job(alice, number)),
    )


def test_jobs_of_others_are_not_there_and_stay(alice: RunsOfPerson) -> None:
    number = by_hand(user="bob")
    try:
        wait_for_state(number, "RUNNING")
        for action in ("cancel", "hold", "release"):
            assert act(alice, number, action) == 404
        assert job(alice, number) is None
        assert squeue(number, "%T") == "RUNNING"
    finally:
        run_as("bob", "scancel", str(number))


def test_a_job_that_failed_is_listed_as_such(alice: RunsOfPerson) -> None:
    number = by_hand(wrap="exit 3")
    found = seen(alice, number, FAILED=1)
    assert found["tasks"][0]["ends_at"] is not None
    listed = alice.client.get("jobs/all?show=ended&q=own-jobs").json()
    assert number in {one["id"] for one in listed["jobs"]}
