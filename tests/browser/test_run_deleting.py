"""Runs that live are deleted: what people are told, and where their pages lead."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from kqi_hub.domain.run_ports import Collected
from kqi_hub.domain.runs import RunState
from tests.browser.conftest import OpenPage
from tests.browser.gallery import no_agent, violations
from tests.browser.run_states import RunStates, furnish_runs, run_number
from tests.browser.test_runs import chosen, named
from tests.fakes.site import FakeSite


@pytest.fixture
def furnished_runs(site: FakeSite) -> RunStates:
    """Runs in every state."""
    return furnish_runs(site)


def test_a_live_run_is_deleted_and_its_page_is_left_when_it_is_gone(
    open_page: OpenPage,
    furnished_runs: RunStates,
    keep_shot: Callable[[Page, str], None],
) -> None:
    site = furnished_runs.site
    number = run_number(site, "running")
    page = open_page(f"training/{number}", before=no_agent)
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.locator(".is-lost")).to_contain_text("Its job, which is ended first")
    expect(page.locator(".is-lost")).to_contain_text("Its TensorBoard")
    assert violations(page) == []
    keep_shot(page, "run-delete-live")
    page.get_by_role("button", name="End its job and delete it").press("Enter")
    expect(page.locator("#said")).to_contain_text("running is being deleted")
    row = page.locator("tr", has_text="running")
    expect(row).to_contain_text("Being deleted")
    assert site.runs.submission.stopped == [number]
    page.goto(site.url(f"training/{number}"))
    expect(page.locator("[data-part=now]")).to_contain_text("If Slurm does not answer")
    for name in ("Stop", "Delete", "Change"):
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    assert violations(page) == []
    keep_shot(page, "run-deleting")
    page.goto(site.url(f"training/{number}/delete"))
    expect(page.locator("main")).to_contain_text("It is being deleted already")
    expect(page.get_by_role("button", name="delete it")).to_have_count(0)
    page.goto(site.url(f"training/{number}"))
    site.runs.store.collected(number, Collected(RunState.USER_CANCELED), 1.0)
    page.evaluate("document.dispatchEvent(new Event('kqi:changed'))")
    page.wait_for_url("**/training?tenant=vision")


def test_live_ones_among_several_are_deleted_when_their_jobs_have_ended(
    open_page: OpenPage,
    furnished_runs: RunStates,
    keep_shot: Callable[[Page, str], None],
) -> None:
    site = furnished_runs.site
    page = open_page("training?tenant=vision")
    for name in ("running", "failed"):
        chosen(page, name)
    page.get_by_role("button", name="Delete …").click()
    expect(page.locator("main")).to_contain_text("as soon as their jobs are ended")
    keep_shot(page, "runs-many-delete-live")
    assert violations(page) == []
    page.get_by_role("button", name="Delete them").click()
    expect(page.locator("#said")).to_contain_text("To be deleted: 2")
    assert named(site, "running").going_at is not None
    chosen(page, "running")
    page.get_by_role("button", name="Delete …").click()
    expect(page.locator("main")).to_contain_text("is being deleted already")
