"""All jobs in a browser: looked at, filtered, unfolded, held, released, cancelled."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.gallery import (
    NARROW,
    WIDE,
    fits,
    lost_references,
    too_narrow,
    violations,
)
from tests.fakes.own_jobs import furnish
from tests.fakes.site import FakeSite

JOBS = "jobs?tenant=vision"


@pytest.fixture
def jobs(site: FakeSite) -> None:
    furnish(site.queues.store, time.time())


def unfold(page: Page) -> None:
    page.locator("#tasks-200 summary").click()
    expect(page.locator("#tasks-200 .tasks")).to_be_visible()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1440", "390"])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_list_is_accessible_and_fits(
    open_page: OpenPage,
    jobs: None,
    keep_shot: Callable[[Page, str], None],
    colours: Any,
    size: Any,
) -> None:
    page = open_page(JOBS, color_scheme=colours, viewport=size)
    unfold(page)
    keep_shot(page, f"jobs-{size['width']}-{colours}")
    assert fits(page)
    assert violations(page) == []
    assert lost_references(page) == []
    page.goto(page.url.replace("/jobs?", "/jobs/200/cancel?back=jobs&"))
    keep_shot(page, f"jobs-cancel-{size['width']}-{colours}")
    assert fits(page)
    assert violations(page) == []


def test_the_list_fits_every_width(open_page: OpenPage, jobs: None) -> None:
    page = open_page(JOBS)
    unfold(page)
    assert too_narrow(page) == []


def test_somebody_without_jobs_finds_a_way_on(
    open_page: OpenPage, keep_shot: Callable[[Page, str], None]
) -> None:
    page = open_page("jobs", person="victor")
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    keep_shot(page, "jobs-empty")
    assert violations(page) == []


def test_the_list_is_filtered_as_one_types(open_page: OpenPage, jobs: None) -> None:
    page = open_page(JOBS)
    page.get_by_label("Number, name, queue or tenant").fill("by-hand")
    expect(page.locator("table.grid tbody tr")).to_have_count(1)
    page.get_by_label("Kind").select_option("training")
    expect(page.get_by_text("No job fits")).to_be_visible()


def test_a_waiting_job_is_held_and_released(
    open_page: OpenPage, site: FakeSite, jobs: None
) -> None:
    page = open_page(JOBS)
    page.locator("#hold-106").press("Enter")
    expect(page.get_by_text("Job 106 is held")).to_be_visible()
    page.locator("#release-108").click()
    expect(page.get_by_text("Job 108 is released")).to_be_visible()
    assert site.own_jobs.control.done == [
        ("hold", "mia", "106"),
        ("release", "mia", "108"),
    ]
    # It comes back to the list as it was looked at.
    assert page.url.endswith("tenant=vision")


def test_a_running_job_is_cancelled_after_a_question(
    open_page: OpenPage, site: FakeSite, jobs: None
) -> None:
    page = open_page(JOBS)
    page.locator("#cancel-105").click()
    expect(page.get_by_role("heading", name="Cancel job 105?")).to_be_visible()
    page.get_by_role("link", name="Let it go on").click()
    assert site.own_jobs.control.done == []
    page.locator("#cancel-105").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("Job 105 is being cancelled")).to_be_visible()
    assert site.own_jobs.control.done == [("cancel", "mia", "105")]


def test_one_task_is_cancelled_and_the_array_goes_on(
    open_page: OpenPage, site: FakeSite, jobs: None
) -> None:
    page = open_page(JOBS)
    unfold(page)
    page.locator("#tasks-200").locator("#cancel-200_1").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("Job 200_1 is being cancelled")).to_be_visible()
    assert site.own_jobs.control.done == [("cancel", "mia", "200_1")]


def test_what_was_too_late_is_said_with_the_job(
    open_page: OpenPage, site: FakeSite, jobs: None
) -> None:
    page = open_page(JOBS)
    store = site.queues.store

    def start_meanwhile(route: Route) -> None:
        store.known[106] = replace(store.known[106], state="RUNNING", reason="")
        route.continue_()

    page.route("**/jobs/106/hold", start_meanwhile)
    page.locator("#hold-106").click()
    expect(page.get_by_text("Job 106 runs already")).to_be_visible()
    assert violations(page) == []


def rename_another(site: FakeSite) -> None:
    store = site.queues.store
    store.known[105] = replace(store.known[105], name="renamed")
    fresh = replace(
        store.reading,
        taken_at=time.time(),
        jobs=tuple(
            replace(one, name="renamed") if one.job_id == 105 else one
            for one in store.reading.jobs
        ),
    )
    store.save(fresh, {})


def test_an_unfolded_array_stays_so_when_the_list_changes(
    open_page: OpenPage, site: FakeSite, jobs: None
) -> None:
    page = open_page(JOBS)
    unfold(page)
    rename_another(site)
    expect(page.get_by_text("renamed", exact=True)).to_be_visible()
    expect(page.locator("#tasks-200 .tasks")).to_be_visible()


def test_a_click_that_the_change_of_the_list_falls_into_counts(
    open_page: OpenPage, site: FakeSite, jobs: None
) -> None:
    page = open_page(JOBS)
    page.locator("#tasks-200 summary").hover()
    page.mouse.down()
    with page.expect_response(page.url):
        rename_another(site)
    page.wait_for_timeout(200)
    page.mouse.up()
    expect(page.locator("#tasks-200 .tasks")).to_be_visible()
    expect(page.get_by_text("renamed", exact=True)).to_be_visible()
    expect(page.locator("#tasks-200 .tasks")).to_be_visible()
