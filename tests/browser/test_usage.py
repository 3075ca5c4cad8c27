"""Use and bills in a browser: looked at, narrowed, followed, printed, kept."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import RunKind
from kqi_hub.domain.site_days import period_of
from kqi_hub.domain.usage import IntakeState, Measured
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.gallery import (
    ALL_LOOKS,
    WIDE,
    each_look,
    fits,
    lost_references,
    too_narrow,
    violations,
)
from tests.browser.run_states import FULL, SCRIPT
from tests.fakes.site import FakeSite
from tests.fakes.usage import record
from tests.fakes.usage_life import furnish

# A4 upright, at 96 dots an inch.
PAPER: Any = {"width": 794, "height": 1123}
PAGES = {
    "mine": ("usage?period=30-days", "mia"),
    "tenant": ("usage/tenant?tenant=vision&period=30-days", "max"),
    "cluster": ("usage/cluster?period=30-days&show=gpu", "rita"),
    "runs": ("usage/runs?period=30-days", "mia"),
    "run": ("usage/runs/2", "mia"),
    "top": ("usage/top?of=tenant&tenant=vision&period=30-days", "max"),
    "bills": ("usage/bills?tenant=vision", "max"),
}


@pytest.fixture
def used(site: FakeSite) -> None:
    furnish(site.usage, time.time())
    site.usage.measures = Measured(12, 5e5, 2e6, 6e5, 1e6)
    site.budgets.set_amounts["vision", 200_001] = 20_000_000_000
    month = period_of(site.usage.days.day_of(time.time()))
    site.budgets.bills["vision", month] = 12_500_000_000


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_use_is_accessible_and_fits(
    open_page: OpenPage,
    used: None,
    keep_shot: Callable[[Page, str], None],
    name: str,
) -> None:
    path, person = PAGES[name]
    page = open_page(path, person)
    for one in page.locator("details.fold > summary").all():
        one.press("Enter")
    assert lost_references(page) == []
    for look in each_look(page, ALL_LOOKS):
        keep_shot(page, f"usage-{name}-{look}")
        assert fits(page)
        assert violations(page) == []


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_picture_answers_to_the_pointer_and_days_are_chosen_in_it(
    open_page: OpenPage,
    used: None,
    keep_shot: Callable[[Page, str], None],
    colours: Any,
) -> None:
    page = open_page(PAGES["cluster"][0], "rita", color_scheme=colours, viewport=WIDE)
    part = page.locator(".usage-chart.is-alive")
    expect(part.locator("canvas")).to_be_visible()
    expect(part.locator("> svg")).to_be_hidden()
    part.locator("canvas").scroll_into_view_if_needed()
    box = part.locator(".u-over").bounding_box()
    assert box is not None
    across = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.99, across)
    last = part.locator("> svg rect").last
    said = last.locator("title").text_content() or ""
    expect(part.locator("[data-said]")).to_have_text(said)
    page.mouse.move(box["x"] + box["width"] * 0.55, across)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.99, across, steps=5)
    keep_shot(page, f"usage-chart-chosen-{colours}")
    until = last.get_attribute("data-until")
    with page.expect_navigation():
        page.mouse.up()
    assert f"until={until}" in page.url
    assert "period=" not in page.url
    assert "show=gpu" in page.url
    bars = page.locator(".usage-chart > svg rect")
    assert 10 < bars.count() < 20


def test_without_its_script_the_picture_is_the_servers(
    open_page: OpenPage, used: None, complaints: Complaints
) -> None:
    page = open_page(PAGES["cluster"][0], "rita")
    page.route("**/vendor/uplot.mjs*", lambda route: route.abort())
    with page.expect_console_message(lambda one: "stays as it is" in one.text):
        page.reload()
    expect(page.locator(".usage-chart > svg")).to_be_visible()
    expect(page.locator(".usage-chart canvas")).to_have_count(0)
    complaints.forget_broken_connections()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_use_fits_every_width(
    open_page: OpenPage, used: None, name: str
) -> None:
    path, person = PAGES[name]
    assert too_narrow(open_page(path, person)) == []


def test_a_bar_leads_to_the_runs_of_its_day_and_they_to_what_each_cost(
    open_page: OpenPage, used: None
) -> None:
    page = open_page("usage?period=30-days")
    page.locator("details.fold > summary").press("Enter")
    row = page.locator("details.fold tbody tr").filter(has_text="¥630").first
    day = row.locator("th").inner_text()
    row.get_by_role("link").press("Enter")
    expect(page.get_by_text(f"From {day} to {day}")).to_be_visible()
    page.locator("table.grid tbody th a").first.click()
    expect(page.get_by_role("heading", name="What it cost")).to_be_visible()


def test_what_stands_out_leads_to_the_run(open_page: OpenPage, used: None) -> None:
    page = open_page("usage/cluster?period=30-days", "rita")
    page.get_by_role("link", name="Runs that stand out").click()
    expect(page.get_by_label("or from")).not_to_have_value("")
    expect(page.locator(".tabs a[aria-current]")).to_have_text("Cluster")
    for title in ("Dearest runs", "Most failed GPU hours", "Longest waits"):
        rows = page.get_by_role("table", name=title).locator("tbody tr")
        expect(rows.first).to_contain_text("vision")
    failed = page.get_by_role("table", name="Most failed GPU hours")
    name = failed.locator("tbody th a").first.inner_text()
    failed.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", name="What it cost")).to_be_visible()
    expect(page.locator("main")).to_contain_text(name)


def test_what_a_run_ran_is_shown_to_whoever_pays_for_it(
    open_page: OpenPage,
    site: FakeSite,
    used: None,
    keep_shot: Callable[[Page, str], None],
) -> None:
    key = "c" * 26
    asked = site.runs.store.ask(NewRun(RunKind.TRAINING, "mia", key, FULL), 10.0)
    site.runs.store.keep_script(key, SCRIPT)
    run = site.runs.run(asked)
    began = int(time.time()) - 7200
    ended = record(9001, "mia", "vision", "v100", began, 1, name=run.job_name)
    number = site.usage.add(ended)
    page = open_page(f"usage/runs/{number}", "max")
    panel = page.get_by_role("region", name="What it ran")
    expect(panel).to_contain_text("python train.py")
    expect(panel).to_contain_text("#SBATCH --partition=v100")
    expect(panel).to_contain_text("EPOCHS")
    expect(panel).not_to_contain_text("日本語")
    assert lost_references(page) == []
    for look in each_look(page, ALL_LOOKS):
        keep_shot(page, f"usage-what-ran-{look}")
        assert fits(page)
        assert violations(page) == []


def test_a_row_narrows_the_page_and_lets_go_again(
    open_page: OpenPage, used: None
) -> None:
    page = open_page("usage?period=30-days")
    page.get_by_role("link", name="a100").first.click()
    expect(page.get_by_text("Only:")).to_be_visible()
    expect(
        page.get_by_role("table", name="By queue").locator("tbody tr")
    ).to_have_count(1)
    page.get_by_role("link", name="a100 Show all again").click()
    expect(page.get_by_text("Only:")).to_be_hidden()


def test_the_sums_and_the_runs_come_as_files(open_page: OpenPage, used: None) -> None:
    page = open_page("usage?period=30-days")
    for label, begins in (("Sums for", "usage-day-"), ("All runs for", "runs-")):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=label).click()
        download = waiting.value
        assert download.suggested_filename.startswith(begins)
        assert download.path().read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_bill_prints_without_the_frame(
    open_page: OpenPage,
    site: FakeSite,
    used: None,
    keep_shot: Callable[[Page, str], None],
    colours: Any,
) -> None:
    closed = max(site.usage.closed)
    path = f"usage/bills/vision/{closed // 100}-{closed % 100:02}"
    page = open_page(path, "max", color_scheme=colours)
    keep_shot(page, f"usage-bill-1440-{colours}")
    assert violations(page) == []
    expect(page.get_by_text("Node a100-01 was slow")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    keep_shot(page, f"usage-bill-390-{colours}")
    assert fits(page)
    page.set_viewport_size(PAPER)
    page.emulate_media(media="print", color_scheme="light")
    keep_shot(page, f"usage-bill-print-{colours}")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.locator(".side")).to_be_hidden()
    expect(page.get_by_role("heading", name="Bill of vision")).to_be_visible()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (IntakeState(), "has not been read yet"),
        (IntakeState(1_795_000_000, 1_700_000_000, 1_760_000_000), "37 %"),
        (IntakeState(1_795_000_000, 0, 0), "Nothing was used in this time"),
    ],
    ids=["not-begun", "being-read", "nothing-used"],
)
def test_who_has_used_nothing_is_told_why_the_page_is_empty(
    open_page: OpenPage,
    site: FakeSite,
    keep_shot: Callable[[Page, str], None],
    state: IntakeState,
    words: str,
) -> None:
    site.usage.state = state
    page = open_page("usage", "victor")
    expect(page.get_by_text(words).first).to_be_visible()
    keep_shot(page, f"usage-empty-{words.split()[0]}")
    assert violations(page) == []


def test_others_pages_of_use_are_not_offered(open_page: OpenPage, used: None) -> None:
    page = open_page("usage")
    expect(page.get_by_role("link", name="Cluster")).to_have_count(0)
    assert page.request.get(page.url.replace("/usage", "/usage/cluster")).status != 200
