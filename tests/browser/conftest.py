"""A real browser before the portal and a fake hub.

Fixtures:
chromium   Debian's chromium, started once
site       the portal beside a fake hub, listening on a port of its own
open_page  opens a page of the portal as a person; what the page complains of, by
           policy, script or missing file, fails the test

The environment variable KQI_SHOTS names a folder that screenshots are kept in.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.notebook_states import Furnished, furnish
from tests.fakes.site import FakeSite, serving_beside

CHROMIUM = "/usr/bin/chromium"
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
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}


class OpenPage(Protocol):
    """Open a page as a person; the rest are options of a browser's context."""

    def __call__(
        self, path: str = "", person: str | None = "mia", **about: Any
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


@pytest.fixture
def open_page(chromium: Browser, site: FakeSite) -> Iterator[OpenPage]:
    contexts = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # That something answers 404 or 503 is told too, and is what some tests want.
        wanted = re.search("status of (4|503)", message.text)
        if message.type in {"error", "warning"} and not wanted:
            complaints.append(message.text)

    def open_one(path: str = "", person: str | None = "mia", **about: Any) -> Page:
        options = {"viewport": WIDE, "locale": "en-GB", **about}
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if person is not None:
            page.goto(f"{site.origin}/hub/login?as={person}")
        page.goto(site.url(path))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def keep_shot() -> Callable[[Page, str], None]:
    """Keep a screenshot where somebody wants to look at it."""
    folder = os.environ.get("KQI_SHOTS")

    def keep(page: Page, name: str) -> None:
        if folder is not None:
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
