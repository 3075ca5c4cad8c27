"""A real browser before the portal and a fake hub.

Fixtures:
chromium   Debian's chromium without a window of its own, started once
site       the portal beside a fake hub, listening on a port of its own
open_page  opens a page of the portal as a person; what the page complains of, by
           policy, script or missing file, fails the test
show       the same for pages that are only looked at: site and logins are shared
files      mia's scratch with a real agent, and the network before it
visit_files  opens the page of files there

The environment variable KQI_SHOTS names a folder that screenshots are kept in.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.files_lab import FilesLab, VisitFiles, agents_hub, new_lab
from tests.browser.gallery import WIDE, Gallery, dress
from tests.browser.notebook_states import Furnished, furnish
from tests.fakes.front import Front, fronting
from tests.fakes.site import FakeSite, serving_beside

# Chromium's engine without its window: no tab strip, new page or side panel is got
# ready for each context, which is two fifths of the work (Debian's 156). The command
# in /usr/bin is a shell that stays between it and whoever started it.
CHROMIUM = "/usr/lib/chromium/chromium-headless-shell"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What is expected comes within a moment; on a busy machine the moment is longer.
expect.set_options(timeout=20_000)


class OpenPage(Protocol):
    """Open a page as a person; the rest are options of a browser's context.

    `before` is called with the context before anything is loaded.
    """

    def __call__(
        self,
        path: str = "",
        person: str | None = "mia",
        before: Callable[[BrowserContext], object] | None = None,
        **about: Any,
    ) -> Page:
        """Return the page, loaded."""


class Show(Protocol):
    """Show a page of the gallery, in a language, in colours and in a size."""

    def __call__(
        self,
        path: str = "",
        person: str | None = "mia",
        language: str = "en",
        colours: Any = "light",
        size: Any = WIDE,
    ) -> Page:
        """Return the page, loaded."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with serving_beside(FakeSite()) as served:
        yield served


@dataclass
class Complaints:
    """What pages complain of."""

    heard: list[str] = field(default_factory=list)

    def listen_to(self, page: Page) -> None:
        """Note what the page writes to its console, and its errors."""
        page.on("console", self._note)
        page.on("pageerror", self._note_error)

    def leave(self, page: Page) -> None:
        """Listen to a page no longer."""
        page.remove_listener("console", self._note)
        page.remove_listener("pageerror", self._note_error)

    def forget_broken_connections(self) -> None:
        """Where a test ends processes, the browser tells of each connection."""
        self.heard = [one for one in self.heard if "net::ERR_" not in one]

    def _note_error(self, error: Error) -> None:
        self.heard.append(str(error))

    def _note(self, message: ConsoleMessage) -> None:
        # That something answers 404, 503 or 507 is told too, and what some tests want.
        wanted = re.search("status of (4|503|507)", message.text)
        if message.type in {"error", "warning"} and not wanted:
            self.heard.append(f"{message.text} {message.location.get('url', '')}")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What is heard fails the test."""
    found = Complaints()
    yield found
    assert found.heard == []


@pytest.fixture
def open_page(
    chromium: Browser, site: FakeSite, complaints: Complaints
) -> Iterator[OpenPage]:
    contexts = []

    def open_one(
        path: str = "",
        person: str | None = "mia",
        before: Callable[[BrowserContext], object] | None = None,
        **about: Any,
    ) -> Page:
        options = {"viewport": WIDE, "locale": "en-GB", **about}
        context = chromium.new_context(**options)
        contexts.append(context)
        if before is not None:
            before(context)
        page = context.new_page()
        complaints.listen_to(page)
        wanted = site.url(path)
        if person is not None:
            # The login leads to the page: the first page is not loaded on the way.
            way = {"as": person, "next": wanted.removeprefix(site.origin)}
            page.goto(f"{site.origin}/hub/login?{urlencode(way)}")
        if page.url != wanted:
            page.goto(wanted)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def gallery(chromium: Browser) -> Iterator[Gallery]:
    with serving_beside(FakeSite()) as served:
        opened = Gallery(chromium, furnish(served))
        yield opened
        opened.close()


@pytest.fixture
def show(gallery: Gallery, complaints: Complaints) -> Iterator[Show]:
    pages: list[Page] = []

    def show_one(
        path: str = "",
        person: str | None = "mia",
        language: str = "en",
        colours: Any = "light",
        size: Any = WIDE,
    ) -> Page:
        page = gallery.open(person, language)
        pages.append(page)
        complaints.listen_to(page)
        dress(page, colours, size)
        page.goto(gallery.site.url(path))
        return page

    yield show_one
    for page in pages:
        complaints.leave(page)
        # It listens to nothing and asks for nothing while nobody looks.
        page.goto("about:blank")


@pytest.fixture
def keep_shot() -> Callable[[Page, str], None]:
    """Keep a screenshot where somebody wants to look at it."""
    folder = os.environ.get("KQI_SHOTS")

    def keep(page: Page, name: str) -> None:
        if folder:
            path = Path(folder) / f"{name}.png"
            page.screenshot(path=path, full_page=True, animations="disabled")

    return keep


@pytest.fixture
def furnished(site: FakeSite) -> Furnished:
    """Notebooks in every state."""
    return furnish(site)


@pytest.fixture
def made(site: FakeSite) -> Furnished:
    """Nothing yet, and the means to make something."""
    return Furnished(site)


@pytest.fixture
def files(site: FakeSite, tmp_path: Path) -> Iterator[FilesLab]:
    """Scratch with a real agent behind the site's own address."""
    with agents_hub() as hub:
        lab = new_lab(tmp_path, hub)
        port = int(site.origin.rpartition(":")[2])
        lab.front = Front({"/": port, "/user/mia/agent/": lab.port}, lab.lead)
        with fronting(lab.front):
            site.origin = f"http://127.0.0.1:{lab.front.port}"
            yield lab
            lab.kill()


@pytest.fixture
def visit_files(files: FilesLab, open_page: OpenPage, site: FakeSite) -> VisitFiles:
    """Open the page of files at an address, once the agent has answered."""

    def visit_one(query: str = "", **about: Any) -> Page:
        page = open_page("me", **about)
        files.serve(page.context)
        page.goto(site.url(f"files?tenant=vision{query}"))
        expect(page.locator("#files-loading")).to_be_hidden()
        return page

    return visit_one
