"""What a run uses over time, drawn in a real browser.

The agent answers in place of the network; the real one is in tests/adapters/agent.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.gallery import answer, violations
from tests.browser.run_states import furnish_runs, run_number
from tests.fakes.data_items import data_item
from tests.fakes.site import FakeSite

WAY = {"url": "user/mia/agent/", "token": "mine-alone", "lifetime_s": 600}
FIELDS = ["epoch", "cpu_cores_used", "memory_mb", "gpu_percent", "gpu_memory_mb"]
BEGAN = 1_795_000_000


class Figures:
    """An agent that has lines, and more of them each time it is asked."""

    def __init__(self, *lines: list[float | None]) -> None:
        self.lines = list(lines)
        self.asked: list[int] = []

    def serve(self, place: BrowserContext) -> None:
        """Answer a page's questions."""
        place.route("**/api/v1/agent", lambda route: answer(route, json.dumps(WAY)))
        place.route("**/user/mia/agent/**", lambda route: answer(route, "{}", 404))
        place.route("**/user/mia/agent/api/runs/**/use?*", self._answer)

    def _answer(self, route: Route) -> None:
        since = int(parse_qs(urlsplit(route.request.url).query)["since"][0])
        self.asked.append(since)
        lines = [one for one in self.lines if (one[0] or 0) > since]
        said: dict[str, Any] = {"kind": "training", "id": "1", "fields": FIELDS}
        answer(route, json.dumps({**said, "lines": lines}))


def lines(count: int, *, gpu: bool) -> list[list[float | None]]:
    """Return what a job notes in the beginning: ever more, up to what it asked for."""
    return [
        [BEGAN + 5.0 * at, 0.5 + at / 10, 1024.0 * at, 40.0 if gpu else None,
         2048.0 if gpu else None]
        for at in range(count)
    ]  # fmt: skip


@pytest.fixture
def visit(open_page: OpenPage, site: FakeSite) -> Callable[..., Page]:
    furnish_runs(site)

    def visit_one(name: str, agent: Figures) -> Page:
        number = run_number(site, name)
        return open_page(f"training/{number}?tenant=vision", before=agent.serve)

    return visit_one


def test_use_is_drawn_and_read_while_a_run_goes_on(
    visit: Callable[..., Page], keep_shot: Callable[[Page, str], None]
) -> None:
    agent = Figures(*lines(30, gpu=True))
    page = visit("running", agent)
    part = page.locator("[data-run-use]")
    pictures = part.get_by_role("img")
    expect(pictures).to_have_count(4)
    expect(pictures.first).to_have_attribute(
        "aria-label", re.compile(r"CPUs busy: now 3\.4, at most 3\.4 · asked for \d+")
    )
    box = pictures.first.bounding_box()
    assert box is not None
    assert box["width"] > 200
    part.get_by_text("As a table").click()
    rows = part.locator("tbody tr")
    expect(rows.last).to_contain_text("3.4")
    assert 10 < rows.count() <= 24
    keep_shot(page, "run-use")
    assert violations(page) == []
    agent.lines.append([BEGAN + 200.0, 7.25, 100.0, None, None])
    expect(rows.last).to_contain_text("7.25", timeout=15_000)
    assert agent.asked[0] == 0
    assert agent.asked[-1] >= BEGAN + 145


def test_use_of_an_ended_run_is_asked_for_once_and_said_in_all(
    visit: Callable[..., Page],
) -> None:
    agent = Figures(*lines(300, gpu=False))
    page = visit("baseline", agent)
    pictures = page.locator("[data-run-use]").get_by_role("img")
    expect(pictures).to_have_count(2)
    expect(pictures.first).to_have_attribute("aria-label", re.compile("at most 30.4"))
    expect(page.locator("[data-part=now]")).to_contain_text("0.8 of")
    page.wait_for_timeout(6_000)
    assert agent.asked == [0]


@pytest.mark.parametrize("some", [[], lines(1, gpu=False)])
def test_without_figures_nothing_is_shown(
    visit: Callable[..., Page], some: list[list[float | None]]
) -> None:
    agent = Figures(*some)
    page = visit("baseline", agent)
    page.wait_for_timeout(1_000)
    assert agent.asked == [0]
    expect(page.locator("[data-run-use]")).to_be_hidden()


def test_the_run_of_a_preprocessing_shows_its_use_too(
    open_page: OpenPage, site: FakeSite, keep_shot: Callable[[Page, str], None]
) -> None:
    site.data.lab.book.items.setdefault(1, data_item(1))
    site.preprocessings.furnish("mia")
    runs = site.runs.store.runs.values()
    number = next(one.id for one in runs if one.preprocessing == 1 and one.began_at)
    agent = Figures(*lines(300, gpu=False))
    at = f"preprocessing-runs/{number}?tenant=vision"
    page = open_page(at, before=agent.serve)
    part = page.locator("[data-run-use]")
    expect(part.get_by_role("img")).to_have_count(2)
    expect(part).to_contain_text("at most 30.4")
    keep_shot(page, "run-use-preprocessing")
    assert violations(page) == []
    page.wait_for_timeout(6_000)
    assert agent.asked == [0]
