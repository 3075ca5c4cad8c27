"""The hub's own pages that people still meet: in our look and the reader's language."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cluster.agent_lab import AgentLab, agent_lab
from tests.cluster.browser import (
    assert_accessible,
    assert_fits,
    assert_no_english,
    chromium,
    fill_in_login,
    fresh_device,
)
from tests.cluster.stack import Stack

PERSON = "bob"
LANGUAGES = ("ja", "ko")
# Each page, and a piece of what it says.
PAGES = {
    "hub/token": "API tokens",
    "hub/spawn-pending/bob/agent": "One moment",
    "user/bob/nb-999999/lab": "Nothing is running here",
    "hub/no-such-page": "There is nothing at this address",
    "hub/admin": "Not allowed",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def agent(stack: Stack) -> Iterator[AgentLab]:
    """Give an agent that is there for the hub, and does not run."""
    with agent_lab(stack, PERSON) as agent:
        agent.start()
        agent.stop()
        yield agent


@pytest.fixture
def page(stack: Stack, browser: Browser, agent: AgentLab) -> Iterator[Page]:
    """Give a page of the person's browser, logged in."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    page, url = context.new_page(), str(stack.status()["url"])
    with fresh_device(stack, PERSON) as device:
        page.goto(url)
        fill_in_login(page, PERSON, stack.person(PERSON)["password"], device.code())
        yield page
    context.close()


def test_each_page_wears_the_look_and_is_accessible(stack: Stack, page: Page) -> None:
    url = str(stack.status()["url"])
    for path, heading in PAGES.items():
        page.goto(url + path)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.locator("body > footer.foot")).to_be_visible()
        assert_accessible(page)
        assert_fits(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_is_in_the_readers_language(
    stack: Stack, page: Page, language: str
) -> None:
    url = str(stack.status()["url"])
    page.context.add_cookies([{"name": "kqi-language", "value": language, "url": url}])
    for path in PAGES:
        page.goto(url + path)
        assert page.get_attribute("html", "lang") == language
        assert_no_english(page)


def test_a_page_that_waits_leads_on_when_it_is_over(
    stack: Stack, page: Page, agent: AgentLab
) -> None:
    waiting = f"{stack.status()['url']}hub/spawn-pending/{PERSON}/agent"
    page.goto(waiting)
    page.get_by_role("link", name="Look again").focus()
    page.wait_for_timeout(5000)
    # Nothing has changed, and whoever reads is where they were.
    expect(page.get_by_role("link", name="Look again")).to_be_focused()
    agent.start()
    page.wait_for_url(f"**/user/{PERSON}/agent/**", timeout=20_000)
