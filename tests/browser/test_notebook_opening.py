"""A notebook that opens by itself can be kept from it until its page is there."""

import pytest
from playwright.sync_api import Page, Route, expect

from kqi_hub.domain.notebooks import Cause, Phase
from tests.browser.conftest import OpenPage
from tests.browser.gallery import no_agent
from tests.browser.notebook_states import Furnished
from tests.browser.test_notebooks import start_anew

BUTTON = "#opens-itself button"


class SlowServer:
    """A notebook's server that takes its time to answer with its page."""

    def __init__(self, page: Page) -> None:
        self.asked: list[Route] = []
        page.route("**/user/mia/nb-*/**", lambda route: self.asked.append(route))

    def wait_until_asked(self, page: Page) -> None:
        for _ in range(200):
            if self.asked:
                return
            page.wait_for_timeout(50)
        raise AssertionError("nobody asked for the notebook's page")

    def answer(self) -> None:
        for route in self.asked:
            route.fulfill(status=200, body="<h1>Lab</h1>", content_type="text/html")
        self.asked.clear()


# Playwright's own clicks wait until nobody is on the way out: the page presses itself.
PRESS_ON_THE_WAY_OUT = """
document.addEventListener("kqi:renewed", () => setTimeout(() => {
  if (document.querySelector("[data-part=state]").dataset.state !== "ready") return;
  const button = document.querySelector("#opens-itself button");
  window.wasShown = button.offsetWidth > 0;
  button.click();
}, 300));
"""


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    opened = open_page("me")
    no_agent(opened)
    return opened


def get_ready(furnished: Furnished, number: int) -> None:
    live = furnished.sessions.live_of_server("mia", number)
    assert live is not None
    furnished.sessions.reached(live.id, Phase.READY, furnished.now)


def test_a_press_before_the_notebooks_page_is_there_keeps_it_from_opening(
    page: Page, furnished: Furnished
) -> None:
    server = SlowServer(page)
    number = start_anew(page, furnished, "never-started")
    page.evaluate(PRESS_ON_THE_WAY_OUT)
    get_ready(furnished, number)
    server.wait_until_asked(page)
    expect(page.locator("#opens-itself")).to_be_hidden()
    assert page.evaluate("window.wasShown")
    expect(page.get_by_role("link", name="Open JupyterLab")).to_be_visible()
    assert page.url.endswith(f"/notebooks/{number}")
    server.asked.clear()
    page.reload()
    expect(page.locator("[data-part=heard]")).to_contain_text("Running")
    page.wait_for_timeout(500)
    assert page.url.endswith(f"/notebooks/{number}")


def test_a_press_that_began_counts_though_the_page_is_drawn_anew_under_it(
    page: Page, furnished: Furnished
) -> None:
    number = start_anew(page, furnished, "never-started")
    page.locator(BUTTON).hover()
    page.mouse.down()
    get_ready(furnished, number)
    expect(page.get_by_role("link", name="Open JupyterLab")).to_be_visible()
    page.mouse.up()
    page.wait_for_timeout(500)
    assert page.url.endswith(f"/notebooks/{number}")


def test_the_decision_is_about_one_session_the_next_one_opens(
    page: Page, furnished: Furnished
) -> None:
    number = start_anew(page, furnished, "never-started")
    page.locator(BUTTON).click()
    live = furnished.sessions.live_of_server("mia", number)
    assert live is not None
    furnished.end(live, cause=Cause.STOPPED)
    page.get_by_role("button", name="Start again").click()
    expect(page.locator("[data-part=heard]")).to_contain_text("handed to Slurm")
    expect(page.locator("#opens-itself")).to_be_visible()
    get_ready(furnished, number)
    page.wait_for_url("**/user/mia/nb-*/lab")


def test_whoever_comes_back_from_the_notebook_is_not_sent_there_again(
    page: Page, furnished: Furnished
) -> None:
    server = SlowServer(page)
    number = start_anew(page, furnished, "never-started")
    get_ready(furnished, number)
    server.wait_until_asked(page)
    server.answer()
    page.wait_for_url("**/user/mia/nb-*/lab")
    page.go_back()
    expect(page.get_by_role("link", name="Open JupyterLab")).to_be_visible()
    expect(page.locator("#opens-itself")).to_be_hidden()
    page.wait_for_timeout(500)
    assert page.url.endswith(f"/notebooks/{number}")
