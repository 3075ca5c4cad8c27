"""The pages of preprocessings: accessible, and fitting in both colours and sizes."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from kqi_hub.domain.runs import RunState
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
from tests.fakes.data_items import data_item
from tests.fakes.site import FakeSite

PATHS = {
    "list": "preprocessing",
    "list-of-data": "preprocessing?of=1,2",
    "nothing-found": "preprocessing?name=nothing-of-this-name",
    "new": "preprocessing/new",
    "one": "preprocessing/1",
    "free": "preprocessing/2",
    "edit": "preprocessing/1/edit",
    "run": "preprocessing/2/run?data=1,2",
    "delete": "preprocessing/1/delete",
    "done": "preprocessing-runs/[completed]",
    "waits": "preprocessing-runs/[pending]",
    "delete-run": "preprocessing-runs/[completed]/delete",
}


@pytest.fixture(scope="module")
def furnished(gallery: Gallery) -> FakeSite:
    """Give mia two preprocessings, one of which has run on data 1 and waits on 2."""
    site = gallery.site
    site.data.lab.book.items.setdefault(1, data_item(1))
    site.preprocessings.furnish("mia")
    return site


def path_of(site: FakeSite, name: str) -> str:
    """Replace [state] by the number of the preprocessing's run in that state."""
    path = PATHS[name]
    for one in site.runs.store.runs.values():
        if one.preprocessing == 1:
            path = path.replace(f"[{one.state.value}]", str(one.id))
    return f"{path}{'&' if '?' in path else '?'}tenant=vision"


@in_both(PATHS)
def test_every_page_is_accessible_and_fits(
    show: Show,
    furnished: FakeSite,
    keep_shot: Callable[[Page, str], None],
    name: str,
    looks: Any,
) -> None:
    colours, size = looks[0]
    page = show(path_of(furnished, name), colours=colours, size=size)
    assert page.locator("h1").count() == 1
    assert lost_references(page) == []
    for look in each_look(page, looks):
        keep_shot(page, f"preprocessings-{name}-{look}")
        assert fits(page)
    thin_out(page)
    for _ in each_look(page, looks):
        assert violations(page) == []


@pytest.mark.parametrize("name", ["list", "one", "run", "done"])
def test_no_width_makes_a_page_scroll_sideways(
    show: Show, furnished: FakeSite, name: str
) -> None:
    assert too_narrow(show(path_of(furnished, name))) == []


def test_a_run_is_stopped_by_its_button(show: Show, furnished: FakeSite) -> None:
    page = show(path_of(furnished, "waits"))
    page.locator("#stop").click()
    page.get_by_text("is being stopped").first.wait_for()
    [waiting] = [
        one
        for one in furnished.runs.store.runs.values()
        if one.preprocessing == 1 and one.state is RunState.PENDING
    ]
    assert waiting.stopping is RunState.USER_CANCELED
