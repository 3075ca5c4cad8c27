"""Searches of runs under a name, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.gallery import violations
from tests.browser.run_states import furnish_runs
from tests.fakes.site import FakeSite


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_a_search_is_kept_applied_and_deleted(
    open_page: OpenPage,
    site: FakeSite,
    keep_shot: Callable[[Page, str], None],
    width: int,
    scheme: str,
) -> None:
    furnish_runs(site)
    size = {"width": width, "height": 900}
    page = open_page("training?tenant=vision", viewport=size, color_scheme=scheme)
    rows = page.locator("[data-part=list] tbody tr")
    before = rows.count()
    page.select_option("#field-state", "live")
    expect(rows).to_have_count(6)
    page.fill("#field-search-name", "what lives")
    page.keyboard.press("Enter")
    kept = page.get_by_role("link", name="what lives")
    expect(kept).to_have_attribute("aria-current", "true")
    expect(page.locator("body")).to_contain_text("Kept: what lives")
    expect(rows).to_have_count(6)
    page.select_option("#field-state", "")
    expect(rows).to_have_count(before)
    expect(kept).not_to_have_attribute("aria-current", "true")
    kept.click()
    expect(rows).to_have_count(6)
    assert page.locator("#field-state").input_value() == "live"
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep_shot(page, f"runs-searches-{width}-{scheme}")
    page.get_by_role("button", name="Delete the search what lives").press("Enter")
    expect(kept).to_have_count(0)
    expect(rows).to_have_count(6)
