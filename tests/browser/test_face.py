"""Every page at every width, in every language and colour: whole and legible."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from handlers.service import all_routes
from tests.browser.conftest import Show
from tests.browser.gallery import (
    NAMED_LOOKS,
    fits,
    lost_references,
    thin_out,
    too_narrow,
    violations,
)

PAGES = sorted(
    route.path.lstrip("/")
    for route in all_routes()
    if route.is_page
    and route.is_reading
    and not route.parameters
    # With nothing running it leads to the hub's own: tests/browser/test_notebooks.py.
    and route.path != "/logout"
)
MISSING = "nothing/here"
# Tabs that the page of the design shows, and that lead nowhere.
EXAMPLES = {"no monitor", "no billing"}


@NAMED_LOOKS
@pytest.mark.parametrize("path", [*PAGES, MISSING])
def test_a_page_is_accessible_and_fits(
    show: Show,
    keep_shot: Callable[[Page, str], None],
    path: str,
    language: str,
    colours: Any,
    size: Any,
) -> None:
    page = show(path, "rita", language, colours, size)
    assert page.get_attribute("html", "lang") == language
    assert page.get_attribute("html", "data-bs-theme") == colours
    name = f"{path.replace('/', '-') or 'home'}-{language}-{colours}-{size['width']}"
    keep_shot(page, name)
    assert fits(page)
    assert set(lost_references(page)) <= EXAMPLES
    thin_out(page)
    assert violations(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_no_width_makes_a_page_scroll_sideways(show: Show, path: str) -> None:
    assert too_narrow(show(path, "rita")) == []


@NAMED_LOOKS
def test_who_is_not_logged_in_finds_a_page_of_errors_as_good(
    show: Show, language: str, colours: Any, size: Any
) -> None:
    page = show(MISSING, None, language, colours, size)
    assert violations(page) == []
    assert fits(page)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_open_menu_and_the_help_are_accessible(show: Show, colours: Any) -> None:
    page = show(colours=colours)
    page.click("details.menu > summary")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("#shortcuts").is_visible()
    assert violations(page) == []


@pytest.mark.parametrize("language", ["ja", "ko"])
@pytest.mark.parametrize("path", [*PAGES, MISSING])
def test_no_english_is_left_over(show: Show, path: str, language: str) -> None:
    """A run of English words is a text that was forgotten; names and code are not."""
    page = show(path, "rita", language)
    assert english_of(page) == []


def english_of(page: Page) -> list[str]:
    """Return the texts of a page that are English; what is code is taken away."""
    page.evaluate(
        "document.querySelectorAll('code,pre,kbd,samp').forEach(e=>e.remove())"
    )
    texts = page.evaluate(
        """() => {
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const found = [];
          while (walk.nextNode()) found.push(walk.currentNode.data);
          const named = '[aria-label],[title],[placeholder]';
          for (const e of document.querySelectorAll(named))
            found.push(e.ariaLabel, e.title, e.placeholder);
          return found.filter(Boolean);
        }"""
    )
    return [text.strip() for text in texts if is_english(text)]


# Names; the API's own words; and the site's about its terms of use and its queues, for
# these are in the site's language.
KEPT = {
    *("KQI Hub", "REST API", "English", "problem+json", "images.example.org"),
    *("now, about, longer, unknown", "DOWN, DRAIN, INACTIVE"),
    "new, waiting, starting, running, stopping",
    *("Be kind to the queue.", "Setting up, preprocessing, debugging"),
}


def is_english(text: str) -> bool:
    """Tell whether three plain words stand in a row, and not only abbreviations."""
    for name in KEPT:
        text = text.replace(name, "")
    run: list[str] = []
    for word in text.replace(",", " ").replace(".", " ").split():
        run = [*run, word] if word.isascii() and word.isalpha() else []
        if len(run) >= 3 and max(map(len, run)) > 3:
            return True
    return False
