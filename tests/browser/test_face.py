"""Every page at every width, in every language and colour: whole and legible."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from handlers.service import all_routes
from tests.browser.conftest import NARROW, WIDE, OpenPage

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
WIDTHS = (390, 480, 640, 768, 992, 1200, 1440)
LOOKS = [
    ("en", "light", WIDE),
    ("en", "dark", NARROW),
    ("ja", "light", NARROW),
    ("ko", "dark", WIDE),
]
NAMED_LOOKS = pytest.mark.parametrize(
    ("language", "colours", "size"),
    LOOKS,
    ids=[f"{language}-{colours}-{size['width']}" for language, colours, size in LOOKS],
)


def violations(page: Page) -> list[str]:
    """Return what axe finds, with the place it finds it at."""
    found = Axe().run(page)
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


@NAMED_LOOKS
@pytest.mark.parametrize("path", [*PAGES, MISSING])
def test_a_page_is_accessible_and_fits(
    open_page: OpenPage,
    keep_shot: Callable[[Page, str], None],
    path: str,
    language: str,
    colours: Any,
    size: Any,
) -> None:
    page = open_page(path, "rita", locale=language, color_scheme=colours, viewport=size)
    assert page.get_attribute("html", "lang") == language
    assert page.get_attribute("html", "data-bs-theme") == colours
    name = f"{path.replace('/', '-') or 'home'}-{language}-{colours}-{size['width']}"
    keep_shot(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert violations(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_no_width_makes_a_page_scroll_sideways(open_page: OpenPage, path: str) -> None:
    page = open_page(path, "rita")
    too_wide = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            too_wide.append(width)
    assert too_wide == []


@NAMED_LOOKS
def test_who_is_not_logged_in_finds_a_page_of_errors_as_good(
    open_page: OpenPage, language: str, colours: Any, size: Any
) -> None:
    page = open_page(
        MISSING, None, locale=language, color_scheme=colours, viewport=size
    )
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_open_menu_and_the_help_are_accessible(
    open_page: OpenPage, colours: Any
) -> None:
    page = open_page("", "mia", color_scheme=colours)
    page.click("details.menu > summary")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("#shortcuts").is_visible()
    assert violations(page) == []


@pytest.mark.parametrize("language", ["ja", "ko"])
@pytest.mark.parametrize("path", [*PAGES, MISSING])
def test_no_english_is_left_over(open_page: OpenPage, path: str, language: str) -> None:
    """A run of English words is a text that was forgotten; names and code are not."""
    page = open_page(path, "rita", locale=language)
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
    left = [text.strip() for text in texts if is_english(text)]
    assert left == []


# Names; the API's own words; and the site's about its terms of use and its queues, for
# these are in the site's language.
KEPT = {
    *("KQI Hub", "REST API", "English", "problem+json"),
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
