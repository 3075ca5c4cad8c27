"""The walk of Neuron's guide in a browser: queue, notebook, Jupyter, stop, log out."""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cluster.browser import chromium, fresh_device
from tests.cluster.notebook_lab import wait_for
from tests.cluster.stack import Stack
from tests.cluster.test_account_pages import kqi as run_kqi
from tests.cluster.walker import (
    JUPYTER_MS,
    START_MS,
    Walker,
    accounted,
    cancel_notebooks,
    launch_in_lab,
    run_cell_in_lab,
    run_cell_in_notebook,
    type_in_terminal,
    walker,
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def alice(stack: Stack, browser: Browser) -> Iterator[Walker]:
    with walker(stack, browser, "alice") as one:
        yield one


def named(word: str) -> str:
    return f"{word}-{secrets.token_hex(3)}"


def test_the_walk_of_the_guide_on_a_free_and_on_a_charged_queue(
    alice: Walker,
) -> None:
    free = work_on_the_free_queue(alice)
    log_out_with_nothing_running(alice)
    alice.log_in()
    charged = work_on_a_charged_queue(alice)
    assert accounted(free, "CANCELLED") == "alice vision jupyter"
    assert accounted(charged, "CANCELLED") == "alice nlp v100"


def work_on_the_free_queue(alice: Walker) -> str:
    """Go from the list of queues to the end of a notebook; return its job."""
    refresh_and_choose(alice, "jupyter", "vision", "free")
    name = named("walk")
    alice.fill_in_notebook(name, "vision", cpus="1", memory_gb="2", lifetime_h="1")
    expect(alice.page.locator("[data-part=estimate] .price")).to_contain_text("free")
    alice.shot("form-free")
    alice.start()
    watch_the_start(alice)
    job, node = alice.figure("Job"), alice.figure("Node")
    assert re.fullmatch(r"jup0\d", node)
    assert re.search(r"\d+ min", alice.figure("Time left"))
    lab = alice.new_tab(alice.page.get_by_role("link", name="Open JupyterLab"))
    made = work_in_lab(alice, lab, job, node)
    work_in_notebook(alice)
    alice.page.bring_to_front()
    log = alice.page.locator(".log code")
    expect(log).to_contain_text("Kernel started")
    expect(log).to_contain_text("written while somebody looked")
    alice.shot("running-free")
    alice.stop_here()
    alice.shot("stopped-free")
    look_at_what_is_left(alice, made)
    return job


def refresh_and_choose(walker: Walker, queue: str, tenant: str, price: str) -> None:
    """Look at the queues anew, and take one of them."""
    page = walker.page
    page.goto(f"{walker.portal}/?tenant={tenant}")
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("Slurm was looked at anew.")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-ago]")).to_have_text(re.compile(r"now|\b[0-4] sec"))
    row = page.locator(f"tr[data-queue={queue}]")
    for label in ("Idle", "Down", "Total"):
        assert row.locator(f"[data-label={label}]").inner_text().isdigit()
    expect(row.locator("[data-label='Price per hour']")).to_contain_text(price)
    walker.shot(f"queues-{queue}")
    row.get_by_role("link", name="New notebook").click()
    expect(page.locator(f"[name=queue][value={queue}]")).to_be_checked()


def watch_the_start(walker: Walker) -> None:
    """Stay on the page of progress until the notebook is ready, and do not open it."""
    page = walker.page
    steps = page.get_by_role("list", name="Steps of the start").get_by_role("listitem")
    expect(steps).to_have_count(5)
    page.get_by_role("button", name="Do not open it").click()
    walker.shot("progress")
    expect(walker.state("Running")).to_be_visible(timeout=START_MS)


def look_at_what_is_left(walker: Walker, made: str) -> None:
    """Go from the notebook's page to its folder, in the portal."""
    page = walker.page
    page.get_by_role("link", name=str(walker.workspace)).click()
    page.get_by_label("Name contains").fill(made)
    expect(page.get_by_role("link", name=made)).to_be_visible(timeout=START_MS)
    walker.shot("workspace")


def work_in_lab(walker: Walker, lab: Page, job: str, node: str) -> str:
    """Run a cell and use a terminal in JupyterLab; return a file that this made."""
    place = named("lab")
    ran = run_cell_in_lab(lab, "import os; print(os.getcwd(), 6 * 7)")
    expect(ran).to_have_text(f"{walker.workspace} 42\n", timeout=JUPYTER_MS)
    walker.shot("lab", lab)
    launch_in_lab(lab, "Terminal")
    log = f"/scratch/{walker.name}/log/{job}.log"
    type_in_terminal(
        lab,
        f'echo "${{PS1@P}}" > {place}.prompt',
        f"echo written while somebody looked >> {log}",
        f"echo '{json.dumps(document('print(2 ** 40)'))}' > {place}.ipynb",
        "jupyter nbconvert --to notebook --execute "
        f"--ExecutePreprocessor.timeout=-1 {place}.ipynb",
    )
    prompt = walker.workspace / f"{place}.prompt"
    wait_for(prompt.exists, 30, "the terminal writes nothing")
    wait_for(lambda: node in prompt.read_text(), 5, prompt.read_text())
    assert "workspace" in prompt.read_text()
    result = walker.workspace / f"{place}.nbconvert.ipynb"
    wait_for(result.exists, 60, "nbconvert made nothing")
    [cell] = json.loads(result.read_text())["cells"]
    assert cell["outputs"][0]["text"] == ["1099511627776\n"]
    walker.shot("lab-terminal", lab)
    return result.name


def document(code: str) -> dict[str, object]:
    """Return an ipynb file with one cell."""
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": "one",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": code,
    }
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def work_in_notebook(walker: Walker) -> None:
    """Run a cell in Notebook 7, and shut its kernel down from the Running list."""
    tree = walker.new_tab(walker.page.get_by_role("link", name="Open Notebook"))
    tree.get_by_text("New", exact=True).click()
    for name in ("New File", "New Folder", "Terminal", "TensorBoard"):
        expect(tree.get_by_role("menuitem", name=name)).to_be_visible()
    walker.shot("new-in-notebook", tree)
    tree.keyboard.press("Escape")
    made, ran = run_cell_in_notebook(tree, walker, "print('seen', 3 * 7)")
    expect(ran).to_have_text("seen 21\n", timeout=JUPYTER_MS)
    walker.shot("notebook", made)
    kernels = tree.url.partition("/tree")[0] + "/api/kernels"
    assert len(walker.page.request.get(kernels).json()) == 2
    made.close()
    tree.get_by_role("tab", name="Running").click()
    walker.shot("running-list", tree)
    # Each kernel has the first letters of its id beside its name.
    shown = re.compile(r"\([0-9a-f]{8}\)")
    one = tree.locator(".jp-RunningSessions-item", has_text=shown).last
    one.hover()
    one.locator(".jp-RunningSessions-itemShutdown").click()
    wait_for(
        lambda: len(walker.page.request.get(kernels).json()) == 1, 20, "it is not shut"
    )


def log_out_with_nothing_running(walker: Walker) -> None:
    """Log out: nobody is asked anything, and nobody is in any more."""
    walker.page.locator("[data-menu=person] summary").click()
    walker.page.get_by_role("link", name="Log out").click()
    expect(walker.page.get_by_role("heading", name="Log in")).to_be_visible()
    walker.page.goto(f"{walker.portal}/notebooks")
    expect(walker.page.get_by_label("One-time code")).to_be_visible()


def work_on_a_charged_queue(alice: Walker) -> str:
    """See price and cost, log out and have all stopped by that; return the job."""
    refresh_and_choose(alice, "v100", "nlp", "¥240")
    name = named("paid")
    alice.fill_in_notebook(name, "nlp", cpus="1", memory_gb="2", lifetime_h="2")
    estimate = alice.page.locator("[data-part=estimate]")
    expect(estimate.locator(".price")).to_contain_text("¥240 an hour")
    expect(estimate.get_by_text("¥480")).to_be_visible()
    alice.shot("form-charged")
    number = alice.start()
    # Whoever presses Start and stays is led into the notebook.
    alice.page.wait_for_url(re.compile(rf"/nb-{number}/lab"), timeout=START_MS)
    alice.page.goto(f"{alice.portal}/notebooks/{number}")
    assert "¥240 an hour" in alice.figure("Cost so far")
    assert re.fullmatch(r"v100-0\d", alice.figure("Node"))
    job = alice.figure("Job")
    wait_for(lambda: cost_so_far(alice) > 0, 30, "its cost does not grow")
    alice.shot("running-charged")
    ask_to_log_out(alice)
    row = alice.page.get_by_role("row", name=re.compile(name))
    expect(row).to_contain_text("¥240 an hour")
    expect(alice.page.get_by_text("Together ¥240 an hour")).to_be_visible()
    alice.shot("logout")
    alice.page.get_by_role("radio", name="Stop them all").check()
    alice.page.get_by_role("button", name="Log out").click()
    expect(alice.page.get_by_role("heading", name="Log in")).to_be_visible()
    return job


def cost_so_far(walker: Walker) -> float:
    """Return the cost on the page, which renews itself."""
    return float(walker.figure("Cost so far").split()[0].lstrip("¥"))


def ask_to_log_out(walker: Walker) -> None:
    walker.page.locator("[data-menu=person] summary").click()
    walker.page.get_by_role("link", name="Log out").click()
    heading = walker.page.get_by_role("heading", name="Log out", exact=True)
    expect(heading).to_be_visible()


def test_a_second_tab_and_the_list_notice_what_another_tab_does(
    alice: Walker,
) -> None:
    alice.page.goto(f"{alice.portal}/notebooks/new?queue=cpu&tenant=vision")
    name = named("tabs")
    alice.fill_in_notebook(name, "vision", cpus="1", memory_gb="1", lifetime_h="1")
    alice.start()
    first = alice.page
    second, listed = alice.context.new_page(), alice.context.new_page()
    second.goto(first.url)
    listed.goto(f"{alice.portal}/notebooks")
    alice.page = second
    first.wait_for_url(re.compile(r"/nb-\d+/lab"), timeout=START_MS)
    expect(alice.state("Running")).to_be_visible(timeout=START_MS)
    row = listed.get_by_role("row", name=re.compile(name))
    expect(row).to_contain_text("Running")
    alice.shot("list", listed)
    job = alice.figure("Job")
    alice.page = first
    first.goto(f"{alice.portal}/notebooks")
    ask_to_log_out(alice)
    first.get_by_role("link", name="Stay here").click()
    first.get_by_role("link", name=re.compile(f"^Stop.*{name}")).click()
    alice.shot("stop")
    first.get_by_role("button", name="Stop it").click()
    alice.page = second
    expect(alice.state("Stopped")).to_be_visible(timeout=START_MS)
    expect(row).to_contain_text("Stopped")
    expect(second.get_by_role("button", name="Start again")).to_be_visible()
    assert accounted(job, "CANCELLED") == "alice vision cpu"


def test_the_same_by_the_command(stack: Stack, tmp_path: Path) -> None:
    name = named("cli")
    with logged_in_kqi(stack, tmp_path, "alice") as kqi:
        assert "jupyter" in kqi("queue", "list").split()
        choices = ("--queue", "jupyter", "--cpus", "1", "--memory-gb", "1")
        kqi("notebook", "create", name, "--tenant", "nlp", *choices, "--lifetime", "1h")
        started = json.loads(kqi("notebook", "start", name, "--json"))
        job = str(started["session"]["job_id"])
        assert name in kqi("notebook", "list", "--live")
        assert "running" in kqi("notebook", "show", name)
        address = kqi("notebook", "open", name).strip()
        assert address.endswith(f"/user/alice/nb-{started['id']}/lab")
        assert f"nb-{started['id']}" in kqi("notebook", "logs", name)
        kqi("notebook", "stop", name)
        assert accounted(job, "CANCELLED") == "alice nlp jupyter"
        show = ("notebook", "show", name)
        wait_for(lambda: "stopped" in kqi(*show), 30, "it is not shown as stopped")
        kqi("notebook", "rm", name, "--yes")
        assert name not in kqi("notebook", "list")


@contextmanager
def logged_in_kqi(stack: Stack, home: Path, name: str) -> Iterator[Callable[..., str]]:
    """Give `kqi` with a login; what left running is cancelled."""

    def kqi(*words: str, text: str = "") -> str:
        ran = run_kqi(home, *words, text=text)
        assert ran.returncode == 0, (words, ran.stderr)
        return ran.stdout

    person = stack.person(name)
    with fresh_device(stack, name) as device:
        typed = f"{person['password']}\n{device.code()}\n"
        kqi("login", str(stack.status()["url"]), "--name", name, text=typed)
    try:
        yield kqi
    finally:
        cancel_notebooks(name)
