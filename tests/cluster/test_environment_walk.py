"""Neuron's guide of environments with mouse and keys: first click, work, reset."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.adapters.conda_site.wheels import make_wheel
from tests.cluster.browser import chromium
from tests.cluster.notebook_lab import wait_for
from tests.cluster.stack import Stack
from tests.cluster.test_environments import forget
from tests.cluster.test_neuron_walk import named
from tests.cluster.walker import (
    JUPYTER_MS,
    RUN_MS,
    SCRATCH,
    START_MS,
    Walker,
    ask_for_engines,
    launch_in_lab,
    run_cell_in_lab,
    start_engines,
    type_in_terminal,
    wait_for_no_engines,
    walker,
)

NAME = "bob"
ENVIRONMENT = SCRATCH / NAME / ".conda/envs/notebook"
WORKSPACE = SCRATCH / NAME / "workspace"
EXAMPLES = ("iris_ex", "tfboard_ex", "ipy_ex")
GIFT = "kqi_walk_gift"
WHEEL = f"{GIFT}-1.0-py3-none-any.whl"
IMPORT = f"import {GIFT}, sys; print({GIFT}.WORD, sys.prefix)"
KERNEL = "Python 3 (chosen: notebook)"
# A job, its Python, 150 packages and a kernel, on a busy machine.
DONE_MS = 180_000


@pytest.fixture
def bob(stack: Stack) -> Iterator[Walker]:
    """Log somebody in who has no environment yet, and a wheel in his workspace."""
    if not Path("/opt/kqi-environments").is_dir():
        pytest.skip("this demo has no conda packages")
    forget(NAME, "notebook")
    shutil.rmtree(SCRATCH / NAME / ".conda", ignore_errors=True)
    with chromium() as browser, walker(stack, browser, NAME) as one:
        clear_workspace()
        yield one
    clear_workspace()


def clear_workspace() -> None:
    """Remove what this walk leaves in the workspace."""
    for pattern in ("*_ex*.ipynb", "Untitled*.ipynb", "walk.*", WHEEL):
        for file in WORKSPACE.glob(pattern):
            file.unlink()
    shutil.rmtree(WORKSPACE / "logs", ignore_errors=True)


def test_from_the_first_click_through_the_guides_examples_to_a_reset(
    bob: Walker,
) -> None:
    make_the_environment(bob)
    lab = open_a_notebook(bob)
    install_a_wheel(lab)
    see_pictures(lab)
    watch_it_learn(lab)
    compute_on_two_nodes(lab)
    break_the_environment(bob, lab)
    reset_the_environment(bob.page)
    bring_the_packages_back(bob.page)
    work_again(lab)


def make_the_environment(bob: Walker) -> None:
    """Press the one button, see it through, and copy the examples."""
    page = bob.page
    page.goto(f"{bob.portal}/environments")
    page.get_by_role("button", name="Make your environment").click(timeout=START_MS)
    follow_to_the_end(page)
    expect(row(page)).to_contain_text("Ready", timeout=JUPYTER_MS)
    for plugin in ("ipyparallel", "tensorboard"):
        assert any(ENVIRONMENT.glob(f"lib/python3*/site-packages/{plugin}"))
    page.get_by_text("Example notebooks").click()
    for example in EXAMPLES:
        page.get_by_role("button", name=f"Copy : {example}").click()
        expect(page.locator("#said")).to_contain_text(f"workspace/{example}.ipynb")


def row(page: Page) -> Locator:
    return page.locator("#env-list tr[data-name=notebook]")


def follow_to_the_end(page: Page) -> Locator:
    """Return the panel of the work that is under way, once it is done."""
    panel = page.locator(".task").first
    expect(panel.locator("[data-slot=mark]")).to_have_text("Done", timeout=DONE_MS)
    return panel


def open_a_notebook(bob: Walker) -> Page:
    """Start a notebook on the free queue, and return the Lab that opens by itself."""
    page = bob.context.new_page()
    page.goto(f"{bob.portal}/notebooks/new?queue=jupyter&tenant=nlp")
    portal, bob.page = bob.page, page
    expect(page.locator("select[name=environment]")).to_have_value("notebook")
    bob.fill_in_notebook(named("guide"), "nlp", cpus="1", memory_gb="2")
    bob.start()
    page.wait_for_url(f"**/user/{NAME}/nb-*/lab**", timeout=DONE_MS)
    bob.page = portal
    return page


def install_a_wheel(lab: Page) -> None:
    """Install into the environment in a terminal; a cell has it."""
    make_wheel(WORKSPACE, GIFT, {f"{GIFT}.py": "WORD = 'given'\n"}).chmod(0o644)
    launch_in_lab(lab, "Terminal")
    type_in_terminal(
        lab,
        "conda activate notebook",
        'echo "${PS1@P}" > walk.prompt',
        f"pip install --no-index ./{WHEEL}; echo $? > walk.installed",
    )
    wait_until_written("walk.installed", "0")
    assert (WORKSPACE / "walk.prompt").read_text().startswith("(notebook) ")
    assert any(ENVIRONMENT.glob(f"lib/python3*/site-packages/{GIFT}.py"))
    ran = run_cell_in_lab(lab, IMPORT, KERNEL)
    expect(ran).to_have_text(f"given {ENVIRONMENT}\n", timeout=RUN_MS)


def wait_until_written(name: str, text: str) -> None:
    file = WORKSPACE / name
    wait_for(lambda: file.exists() and file.read_text().strip() != "", 60, name)
    assert file.read_text().strip() == text


def run_example(lab: Page, name: str) -> Locator:
    """Open an example from the file list, run all of it, and return its panel."""
    lab.locator(".jp-DirListing-item", has_text=f"{name}.ipynb").dblclick()
    expect(lab.locator(".lm-TabBar-tab.lm-mod-current", has_text=name)).to_be_visible()
    panel = lab.locator(".jp-NotebookPanel:visible")
    # The example says "python3", and that is the chosen environment's.
    expect(panel.get_by_text(KERNEL)).to_be_visible(timeout=RUN_MS)
    # Jupyter takes no order before its kernel is there.
    idle = panel.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    expect(idle).to_be_attached(timeout=RUN_MS)
    lab.get_by_role("menuitem", name="Run", exact=True).click()
    lab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    return panel


def see_pictures(lab: Page) -> None:
    panel = run_example(lab, "iris_ex")
    told = panel.get_by_text("unseen flowers are told right")
    expect(told).to_be_visible(timeout=RUN_MS)
    expect(panel.locator(".jp-OutputArea img").first).to_be_visible(timeout=RUN_MS)


def watch_it_learn(lab: Page) -> None:
    """Run the example that writes logs, and look at them with TensorBoard."""
    panel = run_example(lab, "tfboard_ex")
    expect(panel.get_by_text("written to logs")).to_be_visible(timeout=RUN_MS)
    lab.locator(".jp-DirListing-item", has_text="logs").click(button="right")
    lab.get_by_role("menuitem", name="Open in TensorBoard").click()
    board = lab.frame_locator("iframe[title^='TensorBoard']")
    curve = board.locator("scalar-card", has_text="accuracy")
    expect(curve).to_be_visible(timeout=RUN_MS)
    # The table below the curve: the last step that the example wrote.
    expect(curve).to_contain_text("1,500")


def compute_on_two_nodes(lab: Page) -> None:
    """Start engines on the Clusters page, use them in the example, and stop them."""
    launch_in_lab(lab, "Clusters")
    inside = lab.frame_locator("iframe[title='Clusters']")
    find_no_room_on_the_free_queue(inside)
    start_engines(inside, NAME)
    panel = run_example(lab, "ipy_ex")
    expect(panel.get_by_text("pi is about 3.14")).to_be_visible(timeout=RUN_MS)
    for node in ("cpu01", "cpu02"):
        expect(panel.get_by_text(f"'{node}'").first).to_be_visible()
    lab.locator(".lm-TabBar-tab", has_text="Clusters").click()
    inside.get_by_role("button", name="Stop").click()
    expect(inside.locator("main")).to_contain_text("Nothing runs here", timeout=RUN_MS)
    wait_for_no_engines(NAME)


def find_no_room_on_the_free_queue(inside: FrameLocator) -> None:
    """Ask the queue that the form begins with: it is for notebooks, on one node."""
    ask_for_engines(inside, Engines="4", Nodes="2")
    expect(inside.locator("main")).to_contain_text("Why: QOSMax", timeout=RUN_MS)
    inside.get_by_role("button", name="Remove").click()
    expect(inside.locator("main")).to_contain_text("Nothing runs here")


def break_the_environment(bob: Walker, lab: Page) -> None:
    """Take from it what kernels are made of; list and Lab say that it is broken."""
    lab.locator(".lm-TabBar-tab", has_text=f"{NAME}@").click()
    type_in_terminal(lab, "pip uninstall -y ipykernel; echo $? > walk.broken")
    wait_until_written("walk.broken", "0")
    bob.page.reload()
    expect(row(bob.page)).to_contain_text("Broken", timeout=JUPYTER_MS)
    kernels = lab.url.partition("/lab")[0] + "/api/kernelspecs"
    broken = f"{KERNEL} \u2014 broken: repair it"
    # It looks at environments every few seconds, and Lab asks it when it is opened.
    wait_for(lambda: broken in titles(lab, kernels), 20, titles(lab, kernels))
    lab.reload()
    lab.locator("[title='New Launcher']").first.click(timeout=JUPYTER_MS)
    card = lab.locator(".jp-LauncherCard:visible", has_text=broken).first
    expect(card).to_be_visible()


def titles(lab: Page, kernels: str) -> str:
    """Return the titles of the kernels that are on offer, a line each."""
    found = lab.request.get(kernels).json()["kernelspecs"].values()
    return "\n".join(one["spec"]["display_name"] for one in found)


def reset_the_environment(page: Page) -> None:
    """Reset it from the page: packages are new, the workspace is as it was."""
    before = kept_work()
    order(page, "Reset …", "Reset it")
    follow_to_the_end(page)
    expect(row(page)).to_contain_text("Ready", timeout=JUPYTER_MS)
    assert kept_work() == before
    assert not any(ENVIRONMENT.glob(f"lib/python3*/site-packages/{GIFT}*"))


def kept_work() -> dict[str, bytes]:
    """Return the files of the workspace; Lab saves notebooks when it wants."""
    files = (one for one in WORKSPACE.rglob("*") if one.is_file())
    own = (one for one in files if ".ipynb_checkpoints" not in one.parts)
    return {
        str(one): b"" if one.suffix == ".ipynb" else one.read_bytes() for one in own
    }


def order(page: Page, *presses: str) -> None:
    row(page).get_by_role("button", name="More").click()
    for press in presses:
        page.get_by_role("dialog").get_by_role("button", name=press).click()


def bring_the_packages_back(page: Page) -> None:
    """Ask for the saved packages: what came from a file comes from that file again."""
    page.locator(".task").get_by_role("button", name="Close").click()
    order(page, "Bring my packages back")
    panel = follow_to_the_end(page)
    panel.get_by_text("What it says").click()
    expect(panel).not_to_contain_text("Not to be had")
    expect(row(page)).to_contain_text("Ready", timeout=JUPYTER_MS)


def work_again(lab: Page) -> None:
    """Run a cell in the kernel that is whole again, in the Lab that was open."""
    ran = run_cell_in_lab(lab, IMPORT, KERNEL)
    expect(ran).to_have_text(f"given {ENVIRONMENT}\n", timeout=RUN_MS)
