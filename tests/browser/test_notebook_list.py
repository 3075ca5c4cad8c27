"""The list of notebooks in a real browser: what it offers, finds and says."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.gallery import violations
from tests.browser.notebook_states import Furnished, number_of

FOCUSED = "document.activeElement"


def test_the_list_is_filtered_as_one_types_and_by_a_star(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page("notebooks")
    rows = page.locator("[data-part=list] tbody tr")
    before = rows.count()
    expect(rows.first).to_contain_text("running")
    page.keyboard.press("/")
    page.keyboard.type("waiting")
    expect(rows).to_have_count(1)
    assert page.evaluate(f"{FOCUSED}.id") == "field-name"
    page.fill("#field-name", "")
    page.fill("#field-memo", "前処理")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("waiting")
    page.fill("#field-memo", "")
    page.fill("#field-name", "!running")
    expect(rows).to_have_count(before - 1)
    page.fill("#field-name", "")
    page.fill("#field-id", "soon")
    expect(page.locator("#unread")).to_contain_text("soon")
    expect(rows).to_have_count(0)
    page.fill("#field-id", "<2")
    expect(rows).to_have_count(1)
    page.fill("#field-id", "")
    page.fill("#field-created_at", ">2099")
    expect(rows).to_have_count(0)
    page.fill("#field-created_at", "")
    expect(rows).to_have_count(before)
    page.select_option("#field-show", "favourites")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Favourite: running").click()
    expect(page.locator("main")).to_contain_text("No notebook fits")


@pytest.mark.parametrize(
    ("name", "links", "buttons"),
    [
        ("never-started", {"Copy", "Delete"}, {"Start"}),
        ("running", {"Open", "Stop", "Copy"}, set()),
        ("waiting", {"Copy"}, {"Cancel"}),
        ("idle", {"Copy", "Delete"}, {"Start again"}),
    ],
)
def test_a_row_offers_what_its_state_allows(
    open_page: OpenPage,
    furnished: Furnished,
    name: str,
    links: set[str],
    buttons: set[str],
) -> None:
    page = open_page("notebooks")
    actions = page.locator(f"tr:has(a:text-is('{name}')) td").last
    for role, wanted in (("link", links), ("button", buttons)):
        found = actions.get_by_role(role).all_inner_texts()  # type: ignore[arg-type]  # a role
        assert {one.split(":")[0].strip() for one in found} == wanted
    if "Open" in links:
        number = number_of(furnished.site, name)
        expect(actions.get_by_role("link", name="Open")).to_have_attribute(
            "href", re.compile(f"/user/mia/nb-{number}/tree$")
        )


def test_a_second_tab_sees_what_the_first_one_did(
    open_page: OpenPage, furnished: Furnished
) -> None:
    first = open_page("notebooks")
    second = first.context.new_page()
    second.goto(first.url)
    row = "tr:has(a:text-is('never-started'))"
    first.locator(row).get_by_role("button", name="Start :").click()
    expect(second.locator(row)).to_contain_text("Submitting")


def test_a_portal_that_does_not_answer_is_said_and_recovers(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page("notebooks")
    expect(page.locator("#unreachable")).to_be_hidden()
    page.route("**/notebooks", lambda route: route.fulfill(status=503, body="bad"))
    tell_changes_until(page, "!document.querySelector('#unreachable').hidden")
    page.unroute("**/notebooks")
    tell_changes_until(page, "document.querySelector('#unreachable').hidden")


def tell_changes_until(page: Page, true: str) -> None:
    """Tell the page of changes, as its stream does, until something is true of it.

    One that is told while it still fetches for the last one waits for the next.
    """
    page.wait_for_function(
        f"() => {{ if ({true}) return true;"
        " document.dispatchEvent(new CustomEvent('kqi:changed')); return false; }",
        polling=500,
    )


def test_an_old_picture_is_shown_with_its_age(
    open_page: OpenPage, furnished: Furnished
) -> None:
    furnished.now -= 15 * 60
    furnished.shown()
    page = open_page("notebooks")
    expect(page.locator("[data-part=aged]")).to_contain_text("15 min")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_a_manager_looks_through_everybodys(
    open_page: OpenPage,
    furnished: Furnished,
    keep_shot: Callable[[Page, str], None],
    width: int,
    scheme: str,
) -> None:
    size = {"width": width, "height": 900}
    page = open_page("notebooks", "max", viewport=size, color_scheme=scheme)
    expect(page.locator("main")).to_contain_text("No notebooks yet")
    page.select_option("#field-whose", "all")
    rows = page.locator("[data-part=list] tbody tr")
    expect(rows.first).to_contain_text("mia")
    expect(rows.get_by_role("button")).to_have_count(0)
    expect(rows.get_by_role("link")).to_have_count(0)
    page.fill("#field-created_by", "!mia")
    expect(rows).to_have_count(0)
    page.fill("#field-created_by", "mi")
    expect(rows.first).to_contain_text("mia")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep_shot(page, f"list-of-all-{width}-{scheme}")
