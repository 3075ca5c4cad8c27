"""The page of all jobs: what it shows, and what its buttons do."""

import time
from dataclasses import replace

import pytest

from tests.adapters.handlers.conftest import Client
from tests.fakes.own_jobs import furnish
from tests.fakes.site import FakeSite


@pytest.fixture
def jobs(site: FakeSite) -> None:
    furnish(site.queues.store, time.time())


async def test_the_page_shows_own_jobs_with_reason_kind_and_cost(
    ask: Client, jobs: None
) -> None:
    page = (await ask("jobs", "mia")).text
    assert "Training 12" in page
    assert "by-hand" in page
    assert "Preprocessing 5" in page
    assert "secret" not in page
    assert "Start expected" in page
    assert "200_[3-9]" in page
    assert 'id="release-108"' in page


async def test_the_exit_code_of_what_failed_is_below_its_state(
    site: FakeSite, ask: Client, jobs: None
) -> None:
    site.queues.store.codes = {61: 41, 60: 0}
    page = (await ask("jobs", "mia")).text
    assert 'Exit code <span class="number">41</span>' in page
    assert 'Exit code <span class="number">0</span>' not in page
    said = (await ask("api/v1/jobs/61", "mia")).json
    assert said["job"]["tasks"][0]["exit_code"] == 41


async def test_somebody_without_jobs_is_told_what_will_be_there(ask: Client) -> None:
    page = (await ask("jobs", "victor")).text
    assert "No jobs yet" in page


async def test_a_filter_that_nothing_fits_says_so(ask: Client, jobs: None) -> None:
    page = (await ask("jobs?q=zzz%3Cb%3E", "mia")).text
    assert "No job fits" in page
    assert "zzz<b>" not in page


async def test_names_of_jobs_are_text_not_markup(site: FakeSite, ask: Client) -> None:
    store = site.queues.store
    evil = '<img src=x onerror="alert(1)">\u202e'
    store.known[101] = replace(store.known[101], name=evil, node_list=evil)
    store.known[106] = replace(store.known[106], reason=evil)
    page = (await ask("jobs", "mia")).text
    assert "<img src=x" not in page


async def test_a_page_beyond_the_last_shows_the_last(ask: Client, jobs: None) -> None:
    page = (await ask("jobs?page=99", "mia")).text
    assert "by-hand" in page


@pytest.mark.parametrize("number", ["103", "999", "1%3Bid", "x", "200_99"])
async def test_a_question_about_what_is_not_ones_own_is_404(
    ask: Client, jobs: None, number: str
) -> None:
    assert (await ask(f"jobs/{number}/cancel", "mia")).status == 404


async def test_a_cancel_of_an_array_says_that_all_of_it_goes(
    ask: Client, jobs: None
) -> None:
    whole = (await ask("jobs/200/cancel", "mia")).text
    assert "Cancel all of array 200?" in whole
    assert "Tasks that still wait never start." in whole
    one = (await ask("jobs/200_1/cancel", "mia")).text
    assert "Cancel job 200_1?" in one
    assert "never start" not in one


async def test_a_question_about_what_has_ended_offers_nothing(
    ask: Client, jobs: None
) -> None:
    page = (await ask("jobs/60/cancel", "mia")).text
    assert "Cancel it" not in page


async def test_the_list_asks_slurm_nothing(
    site: FakeSite, ask: Client, jobs: None
) -> None:
    await ask("jobs", "mia")
    assert site.own_jobs.control.done == []
    assert site.queues.store.asked is None
