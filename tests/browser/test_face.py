"""Every page at every width, in every language and colour: whole and legible."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from handlers.service import all_routes
from tests.browser.conftest import Show
from tests.browser.gallery import (
    NAMED_LOOKS,
    each_look,
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
def test_a_page_is_accessible_fits_and_is_in_its_readers_language(
    show: Show,
    keep_shot: Callable[[Page, str], None],
    path: str,
    language: str,
    looks: Any,
) -> None:
    page = show(path, "rita", language, *looks[0])
    assert page.get_attribute("html", "lang") == language
    assert set(lost_references(page)) <= EXAMPLES
    if language != "en":
        assert english_of(page) == []
    for look in each_look(page, looks):
        keep_shot(page, f"{path.replace('/', '-') or 'home'}-{language}-{look}")
        assert fits(page)
    thin_out(page)
    for _ in each_look(page, looks):
        assert violations(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_no_width_makes_a_page_scroll_sideways(show: Show, path: str) -> None:
    assert too_narrow(show(path, "rita")) == []


@NAMED_LOOKS
def test_who_is_not_logged_in_finds_a_page_of_errors_as_good(
    show: Show, language: str, looks: Any
) -> None:
    page = show(MISSING, None, language, *looks[0])
    for _ in each_look(page, looks):
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


def english_of(page: Page) -> list[str]:
    """Return the texts of a page that are English; what is code is not looked at.

    A run of English words is a text that was forgotten; names are not.
    """
    texts = page.evaluate(
        """() => {
          const body = document.body.cloneNode(true);
          body.querySelectorAll('code,pre,kbd,samp').forEach((e) => e.remove());
          const walk = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
          const found = [];
          while (walk.nextNode()) found.push(walk.currentNode.data);
          const named = '[aria-label],[title],[placeholder]';
          for (const e of body.querySelectorAll(named))
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
