"""Neuron's guide, "running machine-learning examples", in a browser on the cluster."""

import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cluster.browser import chromium
from tests.cluster.conda import have_environment
from tests.cluster.notebook_lab import SCRATCH
from tests.cluster.notebook_person import SHOTS, Person, person
from tests.cluster.stack import Stack, run_as
from tests.cluster.walker import RUN_MS, start_engines, wait_for_no_engines

WALK = SCRATCH / "workspace/walk"
COPY = """
import sys
from pathlib import Path
from conda_bootstrap.examples import copy
copy(["iris_ex", "tfboard_ex", "ipy_ex"], Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def alice(stack: Stack, browser: Browser) -> Iterator[Person]:
    have_environment("alice", "notebook")
    ran = run_as("alice", "/bin/rm", "-rf", str(WALK))
    ran = run_as("alice", sys.executable, "-I", "-c", COPY, str(WALK))
    assert ran.returncode == 0, ran.stderr
    with person(stack, browser, "alice") as one:
        yield one


def run_all(alice: Person, number: int, name: str) -> Page:
    """Open an example in Notebook 7, run it from its menu, and return the page."""
    page = alice.page.context.new_page()
    page.goto(alice.url + alice.server(number, f"notebooks/walk/{name}.ipynb"))
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=RUN_MS)
    # It says "python3", and that is the chosen environment's.
    expect(page.get_by_text("Python 3 (chosen: notebook)")).to_be_visible(
        timeout=RUN_MS
    )
    # Jupyter takes no order before its kernel is there.
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    expect(idle).to_be_attached(timeout=RUN_MS)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    return page


def test_examples_tensorboard_and_engines_as_in_the_guide(alice: Person) -> None:
    number = alice.running("vision", queue="jupyter", environment="notebook")
    iris = run_all(alice, number, "iris_ex")
    expect(iris.get_by_text("unseen flowers are told right")).to_be_visible(
        timeout=RUN_MS
    )
    shot(iris, "iris")
    expect(iris.locator(".jp-OutputArea img")).to_have_count(3, timeout=RUN_MS)
    board = run_all(alice, number, "tfboard_ex")
    expect(board.get_by_text("written to logs")).to_be_visible(timeout=RUN_MS)
    look_at_the_logs(alice, number)
    compute_on_two_nodes(alice, number)
    shot(alice.page, "engines")
    alice.stop(number)
    alice.wait_status(number, "stopped")
    wait_for_no_engines(alice.name)


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"examples-{name}.png")


def look_at_the_logs(alice: Person, number: int) -> None:
    """Enter the folder, press the button that appears, and see the four views."""
    page = alice.page
    page.goto(alice.url + alice.server(number, "tree/walk"))
    expect(page.locator(".kqi-tensorboard")).to_be_hidden(timeout=RUN_MS)
    page.locator(".jp-DirListing-item", has_text="logs").dblclick()
    with page.expect_popup() as opened:
        page.locator(".kqi-tensorboard").click()
    board = opened.value
    for view in ("Scalars", "Graphs", "Distributions", "Histograms"):
        tab = board.get_by_role("tab", name=view.lower(), exact=True)
        expect(tab).to_be_visible(timeout=RUN_MS)
    board.get_by_role("tab", name="histograms", exact=True).click()
    drawn = board.get_by_text("layer1/weights").locator("visible=true")
    expect(drawn.first).to_be_visible(timeout=RUN_MS)
    shot(board, "tensorboard")


def compute_on_two_nodes(alice: Person, number: int) -> None:
    """Give engines, nodes and queue on the Clusters tab, and see them come."""
    page = alice.page
    page.goto(alice.url + alice.server(number, "tree"))
    page.locator(".jp-TreePanel .lm-TabBar-tab", has_text="Clusters").click()
    inside = page.frame_locator("iframe[title='Clusters']")
    room = inside.locator("#room")
    expect(room).to_contain_text("As the portal saw them")
    expect(room.locator("tr", has_text="cpu").first).to_contain_text("2")
    start_engines(inside, alice.name)
