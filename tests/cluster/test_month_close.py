"""An operator closes months on the real cluster: by terminal alone, by the web alone.

Months that are over have no jobs here. A job that really ran is copied in slurmdbd's
own table to months that are: another number, and exactly an hour.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cluster.run_lab import RunsOfPerson, runs_of
from tests.cluster.slurm_jobs import sbatch, wait_for_end
from tests.cluster.slurm_lab import only_inside
from tests.cluster.slurm_tables import job_rows, put_copy
from tests.cluster.stack import Stack, run_as, wait_until

pytestmark = only_inside

# Far above what this cluster counts to.
FIRST = 60_000_000
CLOSED_S = 240.0
# Only two tests, each with a month of its own: what is closed stays closed.
BY_TERMINAL, BY_WEB = 1, 2


@dataclass(frozen=True)
class Past:
    """A month that is over, and the job that somebody had in it."""

    period: str
    noon: int
    job: int


@pytest.fixture(scope="module")
def ran() -> int:
    size = ("-n1", "-c2", "--mem=200")
    job = sbatch("alice", "-A", "vision", "-p", "cpu", *size, wrap="sleep 1")
    wait_for_end(job)
    wait_until(lambda: job_rows(job) == 1, 60)
    return job


@pytest.fixture
def carol(stack: Stack) -> Iterator[RunsOfPerson]:
    with runs_of(stack, "carol") as made:
        yield made


def past_month(months: int) -> Past:
    day = datetime.now(UTC).replace(day=15, hour=12, minute=0, second=0, microsecond=0)
    for _ in range(months):
        day = (day.replace(day=1) - timedelta(days=1)).replace(day=15)
    return Past(f"{day:%Y-%m}", int(day.timestamp()), FIRST + months)


def put(job: int, past: Past) -> None:
    """Copy a job to a month that is over, where it takes an hour."""
    times = dict.fromkeys(("time_submit", "time_eligible", "time_start"), past.noon)
    put_copy(job, {"id_job": past.job, "time_end": past.noon + 3600, **times})


def price_of_an_hour(person: RunsOfPerson) -> int:
    shape = {"cpus": "2", "memory_mb": "200", "lifetime_s": "3600"}
    where = {"tenant": "vision", "queue": "cpu"}
    answer = person.client.get("price", params=shape | where)
    assert answer.status_code == 200, answer.text
    [found] = answer.json()["queues"]
    assert found["cost_micro"] > 0
    return int(found["cost_micro"])


def by_tenant(told: dict[str, Any], key: str) -> dict[str, int]:
    return {one["tenant"]: one[key] for one in told["bills"]}


def closing(*words: str) -> dict[str, Any]:
    done = run_as("root", "kqi-hub", "close", "--json", *words)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_month_is_closed_from_the_terminal_alone(
    ran: int, carol: RunsOfPerson
) -> None:
    month = past_month(BY_TERMINAL)
    put(ran, month)
    price = price_of_an_hour(carol)
    plan = closing(month.period, "--dry-run")
    assert plan["obstacles"] == []
    assert by_tenant(plan, "total") == {"vision": price}
    assert closing(month.period, "--yes")["total"] == price
    again = run_as("root", "kqi-hub", "close", month.period, "--yes")
    assert again.returncode != 0
    assert "closed" in again.stderr
    verified = run_as("root", "kqi-hub", "ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_month_is_closed_from_the_web_alone(
    ran: int, carol: RunsOfPerson, stack: Stack
) -> None:
    month = past_month(BY_WEB)
    put(ran, month)
    way = f"ledger/months/{month.period}"
    order = {"confirmation": plan_of(carol, way)["confirmation"]}
    # The job is not in the book yet: what was looked at is not what would be closed.
    assert carol.client.post(f"{way}/close", json=order).status_code == 202
    assert ended(carol, way)["step"] == "changed"
    plan = plan_of(carol, way)
    assert by_tenant(plan, "total_micro") == {"vision": price_of_an_hour(carol)}
    order = {"confirmation": plan["confirmation"]}
    assert carol.client.post(f"{way}/close", json=order).status_code == 202
    told = ended(carol, way)
    if told["step"] == "differs":
        # slurmdbd's rollup of that month is long done and has no such job.
        order["accepted_differences"] = told["differences"]
        assert carol.client.post(f"{way}/close", json=order).status_code == 202
        told = ended(carol, way)
    assert told["step"] == "closed", told
    assert plan_of(carol, way)["closed_at"] is not None
    assert carol.client.post(f"{way}/close", json=order).status_code == 409


def plan_of(person: RunsOfPerson, way: str) -> dict[str, Any]:
    answer = person.client.get(way)
    assert answer.status_code == 200, answer.text
    plan: dict[str, Any] = answer.json()
    return plan


def ended(person: RunsOfPerson, way: str) -> dict[str, Any]:
    """Return the order of a month once the worker is done with it."""
    wait_until(
        lambda: not plan_of(person, way)["order"]["is_open"],
        CLOSED_S,
        lambda: plan_of(person, way)["order"],
    )
    order: dict[str, Any] = plan_of(person, way)["order"]
    return order
