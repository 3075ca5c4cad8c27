"""The page of files in a real browser, with a real agent on a real folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.files_lab import FilesLab, agents_hub, is_loaded, line_of, new_lab
from tests.fakes.front import Front, fronting
from tests.fakes.site import PREFIX, FakeSite


class Visit(Protocol):
    """Open the page of files at an address."""

    def __call__(self, query: str = "", **about: Any) -> Page:
        """Return the page, with what the agent has said."""


@pytest.fixture
def lab(site: FakeSite, tmp_path: Path) -> Iterator[FilesLab]:
    with agents_hub() as hub:
        lab = new_lab(tmp_path, hub)
        port = int(site.origin.rpartition(":")[2])
        lab.front = Front({"/": port, "/user/mia/agent/": lab.port}, lab.lead)
        with fronting(lab.front):
            site.origin = f"http://127.0.0.1:{lab.front.port}"
            yield lab
            lab.kill()


@pytest.fixture
def visit(open_page: OpenPage, site: FakeSite, lab: FilesLab) -> Visit:
    def visit_one(query: str = "", **about: Any) -> Page:
        page = open_page("me", **about)
        lab.serve(page.context)
        page.goto(site.url(f"files?tenant=vision{query}"))
        is_loaded(page)
        return page

    return visit_one


def names(page: Page) -> list[str]:
    return page.locator("#files-table a[data-slot=name]").all_inner_texts()


def test_the_workspace_is_shown_first_folders_before_files(
    visit: Visit, lab: FilesLab
) -> None:
    lab.write("workspace/b.txt", "b" * 2048)
    lab.write("workspace/runs/1/out.log")
    lab.write("workspace/.hidden")
    page = visit()
    expect(line_of(page, "runs")).to_be_visible()
    assert names(page) == ["runs", "b.txt"]
    expect(line_of(page, "b.txt")).to_contain_text("2 KiB")
    expect(page.locator("#files-pages")).to_contain_text("1–2 of 2")
    page.get_by_label("Hidden files too").check()
    expect(line_of(page, ".hidden")).to_be_visible()
    assert PREFIX in page.url
    assert "hidden=yes" in page.url
    assert os.listdir(lab.workspace)
