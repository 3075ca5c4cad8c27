"""The pages of trainings and inferences: every state, in both colours and sizes."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Show
from tests.browser.gallery import (
    Gallery,
    each_look,
    fits,
    in_both,
    lost_references,
    thin_out,
    too_narrow,
    violations,
)
from tests.browser.run_states import ENDS, RunStates, furnish_runs, run_number
from tests.fakes.site import FakeSite

STATES = (
    *("running", "completed", "waiting", "asked", "prepared", "collecting", "refused"),
    *("x" * 30, "of-max", *(one.value for one in ENDS)),
)
PATHS = {
    "list": "training?tenant=vision",
    "list-conditions": "training?tenant=vision&memo=augmentation&state=running",
    "list-nothing-found": "training?tenant=vision&name=nothing-of-this-name",
    "list-unread": "training?tenant=vision&asked_at=yesterday",
    "values": "inference?tenant=vision&sort=-value",
    "new": "training/new?tenant=vision",
    "new-copy": "training/new?tenant=vision&copy_of=[completed]",
    "new-inference": "inference/new?tenant=vision&parent=[completed]",
    "new-impossible": "training/new?tenant=vision&queue=v100&cpus=800&name=too-large",
    **{f"one-{name[:12]}": f"training/[{name}]" for name in STATES},
    "one-inference": "inference/[value-0]",
    "stop": "training/[running]/stop",
    "delete": "training/[completed]/delete",
    "delete-free": "training/[failed]/delete",
    "delete-live": "training/[running]/delete",
    "edit": "training/[completed]/edit",
}  # fmt: skip


@pytest.fixture(scope="module")
def runs_gallery(gallery: Gallery) -> RunStates:
    """Runs in every state on the site that is only looked at."""
    made = furnish_runs(gallery.site)
    gallery.furnished.jobs += made.jobs
    return made


def path_of(site: FakeSite, path: str) -> str:
    """Replace [name] by the number of that run."""
    start, bracket, rest = path.partition("[")
    if not bracket:
        return path
    name, _, end = rest.partition("]")
    return f"{start}{run_number(site, name)}{end}"


@in_both(PATHS)
def test_every_page_and_state_is_accessible_and_fits(
    show: Show,
    runs_gallery: RunStates,
    keep_shot: Callable[[Page, str], None],
    name: str,
    looks: Any,
) -> None:
    path = path_of(runs_gallery.site, PATHS[name])
    colours, size = looks[0]
    page = show(path, colours=colours, size=size)
    assert page.locator("h1").count() == 1
    assert lost_references(page) == []
    for look in each_look(page, looks):
        keep_shot(page, f"runs-{name}-{look}")
        assert fits(page)
    thin_out(page)
    for _ in each_look(page, looks):
        assert violations(page) == []


@pytest.mark.parametrize(
    "name", ["list", "values", "new-copy", "one-running", "delete"]
)
def test_no_width_makes_a_page_scroll_sideways(
    show: Show, runs_gallery: RunStates, name: str
) -> None:
    assert too_narrow(show(path_of(runs_gallery.site, PATHS[name]))) == []
