"""The panel inside JupyterLab and Notebook: a real server, a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.adapters.runner.order_file import PREFIX
from tests.adapters.session.job import Job, job
from tests.fakes.session_hub import until

SHOWN_MS = 30_000


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="en-GB")
    yield context.new_page()
    context.close()


def open_as_owner(page: Page, running: Job, path: str) -> None:
    """Open a page of the session with the cookies of a login."""
    server = f"http://127.0.0.1:{until(running.hub.port_of_server)}{PREFIX}"
    cookies = [
        {"name": name, "value": value, "url": server}
        for name, value in running.log_in().items()
    ]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]  # its TypedDict
    page.goto(server + path)


@pytest.mark.parametrize("path", ["lab", "tree"])
def test_somebody_who_is_warned_of_the_idle_end_says_to_be_here(
    page: Page, tmp_path: Path, path: str
) -> None:
    with job(tmp_path, idle_stop_s=40, idle_warn_s=38) as running:
        warned = until(lambda: running.state()["stops_at"])
        open_as_owner(page, running, path)
        panel = page.locator(".kqi-session")
        expect(panel).to_contain_text("Nothing has happened", timeout=SHOWN_MS)
        expect(panel.get_by_role("link")).to_have_attribute(
            "href", "http://portal/notebooks/12"
        )
        panel.get_by_role("button", name="I am here").click()
        until(lambda: running.state()["idle_since"] > warned - 40 + 1)


def test_the_end_of_the_lifetime_is_told_inside(page: Page, tmp_path: Path) -> None:
    with job(tmp_path, lifetime_s=240, end_warn_s=600) as running:
        open_as_owner(page, running, "lab")
        panel = page.locator(".kqi-session")
        expect(panel).to_contain_text("4 minutes", timeout=SHOWN_MS)
        panel.get_by_role("button", name="Close").click()
        expect(panel).to_be_hidden()


def test_what_went_wrong_at_the_start_is_told_inside(
    page: Page, tmp_path: Path
) -> None:
    with job(tmp_path, command="exit 7") as running:
        open_as_owner(page, running, "tree")
        panel = page.locator(".kqi-session")
        expect(panel).to_contain_text("exit code 7", timeout=SHOWN_MS)


def test_closing_the_window_leaves_kernels_and_programs_running(
    page: Page, tmp_path: Path
) -> None:
    beat = "while test -e here && sleep 0.2; do echo x >> beats; done"
    command = f"touch here; timeout 120 sh -c '{beat}' >/dev/null 2>&1 &"
    with job(tmp_path, command=command) as running:
        kernel = running.ask("api/kernels", "POST", {}).json()
        open_as_owner(page, running, "lab")
        expect(page.locator("#jp-main-dock-panel")).to_be_visible(timeout=SHOWN_MS)
        page.context.close()
        beats = tmp_path / "workspace" / "beats"
        before = beats.stat().st_size
        until(lambda: beats.stat().st_size > before)
        assert [one["id"] for one in running.ask("api/kernels").json()] == [
            kernel["id"]
        ]
        until(lambda: running.state()["seen"]["connections"] == 0)
        assert running.state()["stops_at"] is None
        (tmp_path / "workspace" / "here").unlink()


def shown_in_sidebar(page: Page, terminal: str) -> Locator:
    """Open Lab's sidebar of what runs by its tab, and return a terminal there."""
    # Lab arranges its panels as they were, and then opens the launcher. Until then it
    # knows no shortcuts, and may close what is opened.
    expect(page.locator(".jp-Launcher")).to_be_visible(timeout=SHOWN_MS)
    tab = page.locator("[role=tab][data-id=jp-running-sessions]")
    side = page.locator("#jp-running-sessions")
    item = side.locator(".jp-RunningSessions-item", has_text=terminal)

    def is_shown() -> bool:
        if tab.get_attribute("aria-selected") != "true":
            tab.click()
        page.wait_for_timeout(200)
        return item.is_visible()

    until(is_shown, SHOWN_MS / 1000)
    return item


def test_a_terminal_is_ended_from_labs_sidebar(page: Page, tmp_path: Path) -> None:
    with job(tmp_path) as running:
        running.ask("api/terminals", "POST", {})
        open_as_owner(page, running, "lab")
        item = shown_in_sidebar(page, "terminals/1")
        item.hover()
        item.locator(".jp-RunningSessions-itemShutdown").click()
        until(lambda: running.ask("api/terminals").json() == [])
