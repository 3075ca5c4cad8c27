"""Data and the person's agent in a real browser: files of scratch, previews.

The agent answers in place of the network; the real one is in tests/cluster.
"""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.data_states import keep
from tests.browser.gallery import violations
from tests.fakes.site import FakeSite

Shot = Callable[[Page, str], None]
WAY = {"url": "user/mia/agent/", "token": "mine-alone", "lifetime_s": 600}
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
FOLDERS: dict[str, list[tuple[str, str, int]]] = {
    "": [("workspace", "folder", 0), ("notes.txt", "file", 12), ("pipe", "other", 0)],
    "workspace": [("pics", "folder", 0), ("<b>odd</b>.csv", "file", 30)],
    "workspace/pics": [("a.png", "file", 70)],
}


class FilesAgent:
    """Folders, previews and offers; `misses` are files that the store does not take."""

    def __init__(self, site: FakeSite) -> None:
        self.site = site
        self.orders: list[dict[str, Any]] = []
        self.seen: list[dict[str, list[str]]] = []
        self.misses: list[dict[str, str]] = []
        self.files = {"pics/a.png": b"x" * 70}
        self.content: dict[str, Any] = {"kind": "text", "text": "hello <b>you</b>"}

    def serve(self, page: Page) -> None:
        """Answer a page's questions."""
        page.context.route("**/api/v1/agent", lambda route: said(route, WAY))
        page.context.route("**/user/mia/agent/**", self._answer)

    def _answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        what = address.path.split("/api/files/", 1)[1]
        query = parse_qs(address.query, keep_blank_values=True)
        if what == "list":
            return said(route, {"entries": self._list(query["path"][0]), "next": None})
        if what == "use":
            total = sum(map(len, self.files.values()))
            return said(route, {"files": len(self.files), "bytes": total})
        if what == "view":
            self.seen.append(query)
            if query["as"] == ["image"]:
                return route.fulfill(body=PIXEL, content_type="image/png")
            return said(route, self.content)
        return self._work(route, what)

    def _list(self, folder: str) -> list[dict[str, Any]]:
        return [
            {"name": name, "kind": kind, "size": size,
             "path": f"{folder}/{name}".lstrip("/")}
            for name, kind, size in FOLDERS[folder]
        ]  # fmt: skip

    def _work(self, route: Route, what: str) -> None:
        if what == "offer":
            order = json.loads(route.request.post_data or "")
            self.orders.append(order)
            for path, content in self.files.items():
                if not self.misses:
                    self.site.door.take(order["upload"], path, content)
            return said(route, self._state("running"), 202)
        return said(route, self._state("done"))

    def _state(self, state: str) -> dict[str, Any]:
        return {
            "id": "w1", "state": state, "done": len(self.files), "error": None,
            "bytes": sum(map(len, self.files.values())), "misses": self.misses,
            "missed": len(self.misses), "result": {"reflink": 1, "copy": 0},
        }  # fmt: skip


def said(route: Route, about: object, status: int = 200) -> None:
    route.fulfill(
        status=status, body=json.dumps(about), content_type="application/json"
    )


@pytest.fixture
def agent(site: FakeSite) -> FilesAgent:
    return FilesAgent(site)


@pytest.fixture
def visit(open_page: OpenPage, site: FakeSite, agent: FilesAgent) -> Any:
    """Open a page with the agent beside it."""

    def visit_one(path: str, **about: Any) -> Page:
        page = open_page("me", **about)
        agent.serve(page)
        page.goto(site.url(path))
        return page

    return visit_one


def choose_pics(page: Page) -> None:
    page.get_by_text("On scratch").click()
    scratch = page.locator("#data-scratch")
    scratch.get_by_role("button", name="workspace").click()
    expect(scratch.locator("[data-slot=where]")).to_have_text("/scratch/mia/workspace")
    scratch.get_by_label("pics", exact=True).check()
    page.get_by_label("Name", exact=True).fill("from scratch")


def test_a_folder_of_scratch_is_handed_over_and_it_is_said_how(
    visit: Any, agent: FilesAgent, site: FakeSite, keep_shot: Shot
) -> None:
    page = visit("data/new?tenant=vision")
    choose_pics(page)
    expect(page.locator("#data-scratch")).to_contain_text("<b>odd</b>.csv")
    expect(page.locator("#data-scratch")).not_to_contain_text("pipe")
    keep_shot(page, "data-scratch")
    assert violations(page) == []
    page.get_by_role("button", name="Make the data").click()
    panel = page.locator(".upload")
    expect(panel).to_contain_text("Done")
    expect(panel).to_contain_text("shared with scratch: 1, copied: 0")
    keep_shot(page, "data-scratch-done")
    [order] = agent.orders
    assert (order["paths"], order["base"]) == (["workspace/pics"], "workspace")
    assert site.data.lab.book.items[1].origin.value == "scratch"
    panel.get_by_role("link", name="Open").click()
    expect(page).to_have_url(re.compile("/data/1[?]tenant=vision"))


def test_what_the_store_does_not_take_is_named(
    visit: Any, agent: FilesAgent, site: FakeSite
) -> None:
    agent.misses = [{"path": "pics/a.png", "error": "x", "message": "It changed."}]
    page = visit("data/new?tenant=vision")
    choose_pics(page)
    page.get_by_role("button", name="Make the data").click()
    panel = page.locator(".upload")
    expect(panel).to_contain_text("Failed")
    expect(panel).to_contain_text("pics/a.png: It changed.")
    panel.get_by_role("button", name="Give up").click()
    expect(panel).to_have_count(0)
    assert site.data.lab.book.items == {}


def test_text_is_looked_at_as_text(
    visit: Any, agent: FilesAgent, site: FakeSite, keep_shot: Shot
) -> None:
    item = keep(site, "signs", {"a %25 b.html": 16})
    page = visit(f"data/{item.id}?tenant=vision")
    page.get_by_role("button", name="Look :").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("code")).to_have_text("hello <b>you</b>")
    keep_shot(page, "data-look")
    assert violations(page) == []
    # As agents write a name that has what could be taken for an odd byte.
    assert agent.seen[0]["path"] == [f"{item.id}/a %2525 b.html"]
    assert agent.seen[0]["root"] == ["data:vision"]
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_picture_is_drawn_and_what_is_neither_is_said(
    visit: Any, agent: FilesAgent, site: FakeSite
) -> None:
    item = keep(site, "signs", {"a.png": 70})
    agent.content = {"kind": "image", "type": "image/png"}
    page = visit(f"data/{item.id}?tenant=vision")
    look = page.get_by_role("button", name="Look : a.png")
    look.click()
    picture = page.locator("#data-preview img")
    expect(picture).to_be_visible()
    assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 1
    page.keyboard.press("Escape")
    agent.content = {"kind": "binary", "hex": "00 01"}
    look.click()
    expect(page.locator("#data-preview")).to_contain_text("This is not text")


def test_files_are_sent_by_keyboard_alone(
    open_page: OpenPage, site: FakeSite, tmp_path: Path
) -> None:
    (tmp_path / "one.txt").write_text("one")
    page = open_page("data/new?tenant=vision")
    files = page.locator("#field-files")
    with page.expect_file_chooser() as chooser:
        files.press("Enter")
    chooser.value.set_files(tmp_path / "one.txt")
    expect(page.locator("#data-drop")).to_contain_text("files: 1, 3 B")
    page.get_by_label("Memo (optional)").focus()
    page.keyboard.type("typed")
    page.get_by_role("button", name="Make the data").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/data/1[?]"))
    assert site.data.lab.book.items[1].name == "one.txt"
