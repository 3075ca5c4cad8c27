"""Every page of one thing, as the routes are now: accessible, whole, no English.

Those that need no number or name are looked at in test_face.py.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page

from handlers.service import all_routes
from tests.adapters.handlers.test_roles import furnish, path_of
from tests.browser.gallery import NARROW, WIDE, dress, fits, no_agent, violations
from tests.browser.test_face import english_of
from tests.fakes.site import FakeSite, serving_beside

# What people wrote themselves is in the language that they wrote it in.
WRITTEN = {"a first try", "python resize.py"}
PERSON = "rita"  # an operator: every page is open to her
PATHS = {
    route.path: path_of(route)
    for route in all_routes()
    if route.is_page and route.is_reading and route.parameters
}
# Pages that show more where there is something to show.
MORE = {
    "a month that is being closed": "usage/months/2026-08",
    "a month with bills": "usage/months/2026-10",
    "runs that stand out": "usage/top?of=cluster&since=2026-10-01&until=2026-10-31",
    "runs of a month": "usage/runs?of=cluster&since=2026-10-01&until=2026-10-31",
}


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """Give a window before a site that has one of everything, its reader Korean."""
    site = FakeSite()
    # Here a loop runs already, the browser's: what is furnished needs one of its own.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, furnish(site, PERSON)).result()
    with serving_beside(site), chromium.new_context(locale="ko") as context:
        no_agent(context)
        page = context.new_page()
        page.goto(f"{site.origin}/hub/login?as={PERSON}")
        page.goto(site.url())
        yield page


@pytest.mark.parametrize("name", [*PATHS, *MORE])
def test_a_page_of_one_thing_is_accessible_and_in_its_readers_language(
    page: Page, name: str
) -> None:
    home = page.url.partition("/services/portal/")[0] + "/services/portal/"
    answer = page.goto(home + {**PATHS, **MORE}[name])
    assert answer is not None
    assert answer.status == 200
    for colours, size in (("light", WIDE), ("dark", NARROW)):
        dress(page, colours, size)
        assert fits(page)
        assert violations(page) == []
    assert set(english_of(page)) - WRITTEN == set()


def test_what_shows_more_is_on_those_pages(page: Page) -> None:
    home = page.url.partition("/services/portal/")[0] + "/services/portal/"
    for name, selector in (
        ("a month that is being closed", "[aria-current=step]"),
        ("a month with bills", "[data-part=bills] tbody tr"),
        ("runs that stand out", "table tbody tr"),
        ("runs of a month", "table tbody tr"),
    ):
        page.goto(home + MORE[name])
        assert page.locator(selector).count() > 0, name
