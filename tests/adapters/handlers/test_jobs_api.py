"""One's own live jobs: nobody else's, with why they wait."""

import time
from dataclasses import replace

import pytest

from tests.adapters.handlers.conftest import Client
from tests.fakes.queues import job, reading
from tests.fakes.site import FakeSite


@pytest.fixture
def jobs(site: FakeSite) -> None:
    """mia has one that waits and one that runs, max has one that waits."""
    found = (
        job(
            101, "mia", "jupyter", "PENDING", reason="Priority", starts_at=1_900_000_000
        ),
        job(102, "mia", "v100", "RUNNING", reason="None", node_list="v100-01"),
        job(103, "max", "jupyter", "PENDING", reason="Priority"),
    )
    site.queues.store.save(replace(reading(time.time()), jobs=found), {})


async def test_own_jobs_are_listed_and_no_others(ask: Client, jobs: None) -> None:
    answer = await ask("api/v1/jobs", "mia")
    found = {one["job_id"]: one for one in answer.json["jobs"]}
    assert list(found) == sorted(found, reverse=True)
    assert 103 not in found
    running, waiting = found[102], found[101]
    assert (running["node"], running["reason"], running["text"]) == ("v100-01", "", "")
    assert (waiting["reason"], waiting["is_waiting"]) == ("Priority", True)
    assert waiting["text"]


@pytest.mark.parametrize(("number", "found"), [(101, [101]), (103, []), (9999, [])])
async def test_one_job_is_found_by_its_number_if_it_is_ones_own(
    ask: Client, jobs: None, number: int, found: list[int]
) -> None:
    answer = await ask(f"api/v1/jobs?job_id={number}", "mia")
    assert [one["job_id"] for one in answer.json["jobs"]] == found


@pytest.mark.parametrize("number", ["0", "-1", "x", "1e3", "99999999999", "1&job_id=2"])
async def test_what_is_no_number_is_refused(
    ask: Client, jobs: None, number: str
) -> None:
    assert (await ask(f"api/v1/jobs?job_id={number}", "mia")).status == 400
