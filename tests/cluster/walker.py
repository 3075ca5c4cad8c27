"""Somebody who walks through the portal and Jupyter with mouse and keyboard."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import (
    Browser,
    BrowserContext,
    FrameLocator,
    Locator,
    Page,
    expect,
)

from tests.cluster.browser import WIDTHS, fill_in_login, fresh_device
from tests.cluster.login_lab import Device
from tests.cluster.notebook_lab import output, wait_for
from tests.cluster.stack import Stack

SCRATCH = Path("/scratch")
# A start waits for Slurm, the session's Python and the browser, on a busy machine.
START_MS = 60_000
JUPYTER_MS = 30_000
# A job, its Python and a kernel or engines in it, on a busy machine.
RUN_MS = 120_000
_KERNEL = "Python 3 (ipykernel)"


@dataclass
class Walker:
    """A person's browser, logged in at the portal."""

    name: str
    url: str
    context: BrowserContext
    page: Page
    password: str = field(repr=False)
    device: Device = field(repr=False)

    def log_in(self) -> None:
        """Type name, password and a code that nobody has used yet."""
        self.page.goto(self.url)
        fill_in_login(self.page, self.name, self.password, self.device.code())
        welcome = self.page.get_by_role("heading", name=f"Welcome, {self.name}")
        expect(welcome).to_be_visible()

    @property
    def portal(self) -> str:
        return f"{self.url}services/portal"

    @property
    def workspace(self) -> Path:
        return SCRATCH / self.name / "workspace"

    def fill_in_notebook(self, name: str, tenant: str, **fields: str) -> None:
        """Fill in the form of a new notebook, from the row of a queue."""
        page = self.page
        page.get_by_label("Name", exact=True).fill(name)
        expect(page.locator("[name=tenant]")).to_have_value(tenant)
        for label, value in fields.items():
            page.locator(f"[name={label}]").fill(value)

    def start(self) -> int:
        """Press Start; return the notebook's number, from the page that follows."""
        self.page.locator("aside").get_by_role(
            "button", name="Start", exact=True
        ).click()
        self.page.wait_for_url(re.compile(r"/notebooks/\d+"))
        return self.notebook

    @property
    def notebook(self) -> int:
        """Return the number of the notebook whose page is open."""
        number = self.page.locator("[data-notebook]").get_attribute("data-notebook")
        return int(number or 0)

    def state(self, word: str) -> Locator:
        """Return the mark on the notebook's page that says its state."""
        return self.page.locator("[data-part=now] .state-line").get_by_text(
            word, exact=True
        )

    def figure(self, label: str) -> str:
        """Return one of the figures below the state."""
        pair = self.page.locator(".figures > div").filter(has=_term(self.page, label))
        return pair.locator("dd").inner_text()

    def new_tab(self, press: Locator) -> Page:
        """Press what opens a tab, and return the tab."""
        with self.context.expect_page() as opened:
            press.click()
        opened.value.set_default_timeout(JUPYTER_MS)
        return opened.value

    def stop_here(self) -> None:
        """Stop the notebook whose page is open, and say so twice."""
        self.page.get_by_role("link", name="Stop").click()
        self.page.get_by_role("button", name="Stop it").click()
        expect(self.state("Stopped")).to_be_visible(timeout=START_MS)

    def shot(self, name: str, page: Page | None = None) -> None:
        """Keep pictures in both colours and at every width, if somebody wants them."""
        folder = os.environ.get("KQI_SHOTS")
        if folder is None:
            return
        page = page or self.page
        before = page.viewport_size or {"width": WIDTHS[-1], "height": 900}
        look = page.locator("html").get_attribute("data-bs-theme")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for theme in ("light", "dark"):
                _wear(page, theme)
                path = Path(folder) / f"{name}-{width}-{theme}.png"
                page.screenshot(path=path, full_page=True, animations="disabled")
        _wear(page, look)
        page.set_viewport_size(before)


def _wear(page: Page, theme: str | None) -> None:
    if theme is not None:
        page.evaluate("t => document.documentElement.dataset.bsTheme = t", theme)


def _term(page: Page, label: str) -> Locator:
    return page.locator("dt").get_by_text(label, exact=True)


@contextmanager
def walker(stack: Stack, browser: Browser, name: str) -> Iterator[Walker]:
    """Log somebody in with password and code; what is left running is cancelled."""
    _forget_open_documents(name)
    url = str(stack.status()["url"])
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    with fresh_device(stack, name) as device:
        password = stack.person(name)["password"]
        one = Walker(name, url, context, page, password, device)
        one.log_in()
        try:
            yield one
        finally:
            context.close()
            cancel_notebooks(name)


def _forget_open_documents(name: str) -> None:
    """Let Lab begin with its launcher, whatever was open in it before."""
    kept = SCRATCH / name / "kqi/jupyter/lab/workspaces"
    for file in kept.glob("*.jupyterlab-workspace"):
        file.unlink()


def cancel_notebooks(name: str) -> None:
    """Cancel the jobs of somebody's notebooks."""
    lines = output("squeue", "-h", "-o", "%i %j", "-u", name).splitlines()
    for job, job_name in (line.split() for line in lines):
        if job_name.startswith("nb-"):
            output("scancel", job)


def accounted(job: str, state: str) -> str:
    """Return user, account and queue of a job once accounting has its end."""
    argv = ("sacct", "-X", "-n", "-P", "-j", job, "-o", "User,Account,Partition,State")

    def said() -> list[str]:
        return output(*argv).strip().split("|")

    def is_whole() -> bool:
        # Accounting hears of a short job's end before it hears of its queue.
        return said()[-1].startswith(state) and all(said())

    wait_for(is_whole, 60, f"job {job}: {said()}")
    return " ".join(said()[:-1])


def run_cell_in_lab(lab: Page, code: str, kernel: str = _KERNEL) -> Locator:
    """Make a notebook in JupyterLab, run a cell in it, and return its output."""
    launch_in_lab(lab, kernel)
    return _run_cell(lab, code)


def launch_in_lab(lab: Page, what: str) -> None:
    """Take something from a new launcher: Lab begins with what was open before."""
    lab.locator("[title='New Launcher']").first.click(timeout=JUPYTER_MS)
    lab.locator(".jp-LauncherCard:visible", has_text=what).first.click()


def run_cell_in_notebook(tree: Page, walker: Walker, code: str) -> tuple[Page, Locator]:
    """Make a notebook in Notebook 7, run a cell in it; return its tab and output."""
    tree.get_by_text("New", exact=True).click()
    document = walker.new_tab(tree.get_by_role("menuitem", name=_KERNEL).first)
    return document, _run_cell(document, code)


def _run_cell(page: Page, code: str) -> Locator:
    cell = page.locator(".jp-Notebook:visible .jp-CodeCell").first
    cell.locator(".cm-content").click(timeout=JUPYTER_MS)
    page.keyboard.insert_text(code)
    expect(cell.locator(".cm-content")).to_have_text(code)
    _press_until_it_runs(page, cell)
    return cell.locator(".jp-OutputArea-output")


def _press_until_it_runs(page: Page, cell: Locator) -> None:
    """Press as one does by hand: Jupyter ignores it until its kernel is connected."""
    prompt = cell.locator(".jp-InputPrompt")

    def has_run() -> bool:
        if prompt.inner_text() == "[ ]:":
            page.keyboard.press("Control+Enter")
            page.wait_for_timeout(500)
        return prompt.inner_text() not in {"[ ]:", "[*]:"}

    wait_for(has_run, JUPYTER_MS / 1000, "the cell does not run")


def type_in_terminal(page: Page, *lines: str) -> None:
    """Type lines into the terminal that is open."""
    terminal = page.locator(".jp-Terminal:visible .xterm-helper-textarea").last
    terminal.wait_for(state="attached", timeout=JUPYTER_MS)
    terminal.focus()
    for line in lines:
        page.keyboard.insert_text(line)
        page.keyboard.press("Enter")


def ask_for_engines(inside: FrameLocator, **fields: str) -> None:
    """Fill in the form of the Clusters page, and press Start."""
    for label, value in fields.items():
        inside.get_by_label(label, exact=True).fill(value)
    inside.get_by_role("button", name="Start").click()


def start_engines(inside: FrameLocator, name: str) -> None:
    """Have four engines on two nodes, and see them come as one job of somebody."""
    ask_for_engines(inside, Engines="4", Nodes="2", Queue="cpu")
    group = inside.locator("[data-state=running]")
    expect(group).to_contain_text("4 of 4", timeout=RUN_MS)
    assert len(engines(name)) == 1


def engines(name: str) -> list[str]:
    """Return the names of somebody's jobs that are engines."""
    lines = output("squeue", "-h", "-o", "%j", "-u", name).split()
    return [one for one in lines if one.startswith("kqi-engines-")]


def wait_for_no_engines(name: str) -> None:
    """Return when none of somebody's engines are left in Slurm."""
    wait_for(lambda: not engines(name), 30, f"engines are left: {engines(name)}")
