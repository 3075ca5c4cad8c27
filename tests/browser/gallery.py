"""Pages that are only looked at: how they look, in colours, sizes and languages.

They share one furnished site and, for each person and language, one login and one cache
of files: a test opens its page, looks and closes it.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.notebook_states import Furnished
from tests.fakes.site import FakeSite

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
# Where the layout changes, and some widths between.
WIDTHS = (390, 480, 640, 768, 992, 1200, 1440)
LOOKS = (
    ("en", "light", WIDE),
    ("en", "dark", NARROW),
    ("ja", "light", NARROW),
    ("ko", "dark", WIDE),
)
NAMED_LOOKS = pytest.mark.parametrize(
    ("language", "looks"),
    [
        pytest.param(
            spoken, [look[1:] for look in LOOKS if look[0] == spoken], id=spoken
        )
        for spoken in ("en", "ja", "ko")
    ],
)
_PAIRS = (
    (("light", WIDE), ("dark", NARROW)),
    (("dark", WIDE), ("light", NARROW)),
)
ALL_LOOKS = (*_PAIRS[0], *_PAIRS[1])
# Of what is repeated many times axe looks at the first ones.
_THIN = """() => {
  const drop = (all, most) => [...all].slice(most).forEach((one) => one.remove());
  for (const part of document.querySelectorAll('main section')) {
    drop(part.querySelectorAll(':scope > .operation'), 2);
    drop(part.querySelectorAll(':scope > .mt-3'), 2);
  }
  for (const body of document.querySelectorAll('main tbody')) drop(body.rows, 6);
}"""
_REFERENCES = """() => {
  const all = [...document.querySelectorAll('[id]')].map((one) => one.id);
  const twice = all.filter((id, at) => all.indexOf(id) !== at);
  const wanted = [...document.querySelectorAll("a[href^='#']")]
    .map((one) => decodeURIComponent(one.hash.slice(1)));
  for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for'])
    for (const one of document.querySelectorAll(`[${name}]`))
      wanted.push(...one.getAttribute(name).split(/\\s+/));
  const missing = wanted.filter((id) => id && !document.getElementById(id));
  return [...twice.map((id) => `twice: ${id}`), ...missing.map((id) => `no ${id}`)];
}"""

# What is well is told at length: it is not brought out of the browser.
_VIOLATIONS = """async () => {
  const found = await axe.run({ resultTypes: ['violations'] });
  const told = (one, node) => `${one.id}: ${node.target} ${node.failureSummary || ''}`;
  return found.violations.flatMap((one) => one.nodes.map((node) => told(one, node)));
}"""


def in_both(names: Iterable[str]) -> pytest.MarkDecorator:
    """Have each name looked at in both colours and sizes; all four pairs in turn."""
    return pytest.mark.parametrize(
        ("name", "looks"),
        [
            pytest.param(name, looks, id=name)
            for name, looks in zip(names, cycle(_PAIRS), strict=False)
        ],
    )


def each_look(page: Page, looks: Iterable[Any]) -> Iterator[str]:
    """Dress a page in one look after the other; give the look's name.

    Loading it for each would cost more than looking.
    """
    for colours, size in looks:
        dress(page, colours, size)
        # The page hears of its colours a moment later.
        expect(page.locator("html")).to_have_attribute("data-bs-theme", colours)
        yield f"{colours}-{size['width']}"


def violations(page: Page) -> list[str]:
    """Return what axe finds, with the place it finds it at."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(_VIOLATIONS)
    return found


def thin_out(page: Page) -> None:
    """Leave a few of what a page repeats many times: axe is slow where much is."""
    page.evaluate(_THIN)


def lost_references(page: Page) -> list[str]:
    """Return ids that are there twice, and those that something refers to in vain."""
    found: list[str] = page.evaluate(_REFERENCES)
    return found


def fits(page: Page) -> bool:
    """Tell whether a page needs no scrolling sideways."""
    size = page.viewport_size or WIDE
    wide = page.evaluate("document.documentElement.scrollWidth")
    return bool(wide <= size["width"])


def too_narrow(page: Page, widths: Sequence[int] = WIDTHS) -> list[int]:
    """Return the widths at which a page would have to be scrolled sideways."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        if not fits(page):
            found.append(width)
    return found


def answer(route: Route, body: str, status: int = 200) -> None:
    """Answer in the place of somebody else."""
    route.fulfill(status=status, body=body, content_type="application/json")


def no_agent(place: Page | BrowserContext) -> None:
    """Answer as an agent would whose logs are not there."""
    agent = {"url": "user/mia/agent/", "token": "t"}
    place.route("**/api/v1/agent", lambda route: answer(route, json.dumps(agent)))
    place.route("**/user/mia/agent/**", lambda route: answer(route, "{}", 404))


class Gallery:
    """One furnished site, and who has logged in there."""

    def __init__(self, chromium: Browser, furnished: Furnished) -> None:
        self.furnished = furnished
        self.site: FakeSite = furnished.site
        self._chromium = chromium
        self._pages: dict[tuple[str | None, str], Page] = {}

    def open(self, person: str | None, language: str) -> Page:
        """Return the window of somebody who reads this language; it is used again."""
        key = (person, language)
        if key not in self._pages:
            self._pages[key] = self._log_in(person, language)
        # However long the tests take, nothing here grows old.
        self.furnished.now = time.time()
        self.furnished.shown()
        return self._pages[key]

    def close(self) -> None:
        """Log everybody out."""
        for page in self._pages.values():
            page.context.close()

    def _log_in(self, person: str | None, language: str) -> Page:
        context = self._chromium.new_context(locale=language)
        no_agent(context)
        page = context.new_page()
        if person is not None:
            page.goto(f"{self.site.origin}/hub/login?as={person}")
        return page


def dress(page: Page, colours: Any, size: Any) -> None:
    """Give a page colours and a size."""
    # A colour that is still fading in would be taken for one too faint.
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")
    page.set_viewport_size(size)
