"""TensorBoard, Clusters and resources in JupyterLab and Notebook: a real browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.adapters.session.job import Job, job
from tests.adapters.session.test_tools import QUEUES, tell, write_events
from tests.browser.test_session_panel import open_as_owner
from tests.fakes.local_slurm import LocalSlurm

SHOWN_MS = 40_000
SHOTS = Path(os.environ.get("KQI_SHOTS", "/var/tmp/kqi-shots"))


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="en-GB")
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    top = tmp_path_factory.mktemp("alice")
    slurm = LocalSlurm(top / "slurm")
    write_events(top / "workspace/logs/one")
    (top / "workspace/plain").mkdir()
    login = {
        "PATH": f"{slurm.bin}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "99",
        "SLURM_JOB_PARTITION": "cpu",
        "SLURM_CPUS_ON_NODE": "2",
        "SLURM_MEM_PER_NODE": "4096",
    }
    with job(top, login) as started:
        started.hub.queues = QUEUES
        yield started
    slurm.end()


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"session-{name}.png")


def test_lab_has_both_in_its_launcher_and_the_jobs_resources(
    page: Page, running: Job
) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    open_as_owner(page, running, "lab?reset")
    launcher = page.locator(".jp-Launcher")
    card = launcher.locator(".jp-LauncherCard", has_text="TensorBoard")
    expect(card).to_be_visible(timeout=SHOWN_MS)
    resources = page.locator(".kqi-resources")
    expect(resources).to_contain_text("of 2 cores", timeout=SHOWN_MS)
    expect(resources).to_contain_text("of 4.0 GB")
    card.click()
    board = page.frame_locator("iframe[title^='TensorBoard']")
    expect(board.locator("tb-webapp")).to_contain_text("loss", timeout=SHOWN_MS)
    shot(page, "lab-tensorboard")
    assert problems == []


def test_lab_opens_a_folder_in_tensorboard_from_its_menu(
    page: Page, running: Job
) -> None:
    open_as_owner(page, running, "lab?reset")
    folder = page.locator(".jp-DirListing-item", has_text="logs")
    expect(folder).to_be_visible(timeout=SHOWN_MS)
    folder.click(button="right")
    shot(page, "lab-menu")
    page.get_by_role("menuitem", name="Open in TensorBoard").click()
    tab = page.locator(".lm-TabBar-tabLabel", has_text="TensorBoard: logs")
    expect(tab).to_be_visible(timeout=SHOWN_MS)


def test_lab_shows_the_clusters_page_and_starts_engines(
    page: Page, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_as_owner(page, running, "lab?reset")
    card = page.locator(".jp-Launcher .jp-LauncherCard", has_text="Clusters")
    card.click(timeout=SHOWN_MS)
    inside = page.frame_locator("iframe[title='Clusters']")
    expect(inside.locator("#room tr", has_text="cpu")).to_contain_text("12")
    inside.get_by_label("Engines", exact=True).fill("2")
    inside.get_by_label("Nodes", exact=True).fill("2")
    expect(inside.get_by_label("Queue")).to_have_value("cpu")
    inside.get_by_role("button", name="Start").click()
    expect(inside.locator("[data-state=running]")).to_contain_text(
        "2 of 2", timeout=SHOWN_MS
    )
    # The parts of the page renew themselves: nobody has pressed anything. How old the
    # picture is tells nothing: each new one may be as old as the one before it was.
    grown = {"name": "big", "is_up": True, "free": 7, "total": 9}
    monkeypatch.setattr(running.hub, "queues", QUEUES | {"queues": [grown]})
    expect(inside.locator("#room tr", has_text="big")).to_contain_text(
        "79", timeout=SHOWN_MS
    )
    shot(page, "lab-clusters")
    inside.get_by_role("button", name="Stop").click()
    expect(inside.locator("main")).to_contain_text(
        "Nothing runs here", timeout=SHOWN_MS
    )


def test_notebook_has_a_clusters_tab_and_tensorboard_in_its_new_menu(
    page: Page, running: Job
) -> None:
    open_as_owner(page, running, "tree")
    tab = page.locator(".jp-TreePanel .lm-TabBar-tab", has_text="Clusters")
    tab.click(timeout=SHOWN_MS)
    inside = page.frame_locator("iframe[title='Clusters']")
    expect(inside.get_by_role("heading", name="Clusters")).to_be_visible()
    shot(page, "notebook-clusters")
    page.locator(".jp-TreePanel .lm-TabBar-tab", has_text="Files").click()
    page.locator(".jp-DropdownMenu", has_text="New").click()
    with page.expect_popup() as opened:
        page.get_by_role("menuitem", name="TensorBoard").click()
    expect(opened.value.locator("tb-webapp")).to_contain_text("loss", timeout=SHOWN_MS)


def test_notebook_offers_tensorboard_on_a_folder_of_logs_alone(
    page: Page, running: Job
) -> None:
    open_as_owner(page, running, "tree/plain")
    button = page.locator(".kqi-tensorboard")
    expect(button).to_be_attached(timeout=SHOWN_MS)
    expect(button).to_be_hidden()
    page.goto(page.url.replace("tree/plain", "tree/logs"))
    expect(button).to_be_visible(timeout=SHOWN_MS)
    shot(page, "notebook-logs")
    with page.expect_popup() as opened:
        button.click()
    expect(opened.value.locator("tb-webapp")).to_contain_text("loss", timeout=SHOWN_MS)


@pytest.mark.parametrize("path", ["kqi/clusters", "kqi/tensorboards"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_own_pages_can_be_used_by_everybody(
    page: Page, running: Job, path: str, theme: str, width: int
) -> None:
    tell(running, "kqi/tensorboards", logdir="logs")
    page.set_viewport_size({"width": width, "height": 800})
    open_as_owner(page, running, f"{path}?theme={theme}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    shot(page, f"{path.rpartition('/')[2]}-{theme}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
