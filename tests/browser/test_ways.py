"""What people do in the frame around every page: keys, menus, choices, messages."""

import re

import pytest
from playwright.sync_api import Page, expect

from kqi_hub.domain.preferences import Preferences, Theme
from tests.browser.conftest import OpenPage
from tests.browser.gallery import NARROW
from tests.fakes.site import FakeSite

FOCUSED = "document.activeElement"
COPY = re.compile("Copy.*Submit by hand")
CLIPBOARD = ["clipboard-read", "clipboard-write"]


def focused_text(page: Page) -> str:
    text = page.evaluate(f"{FOCUSED}.innerText || {FOCUSED}.ariaLabel || ''")
    return " ".join(str(text).split())


def walk(page: Page, key: str = "Tab", steps: int = 60) -> list[str]:
    """Press a key until the focus is back at the top; return what had it."""
    seen = []
    for _ in range(steps):
        page.keyboard.press(key)
        if page.evaluate(f"{FOCUSED} === document.body"):
            break
        seen.append(focused_text(page))
    return seen


def test_everything_is_reached_with_the_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    seen = walk(page)
    assert seen[0] == "Skip to the content"
    wanted = ["KQI Hub", "Overview", "REST API", "nlp", "vision"]
    places = [next(i for i, t in enumerate(seen) if t == name) for name in wanted]
    assert places == sorted(places), "the focus goes through the page in its order"
    assert any(text.startswith("Make it usual") for text in seen)


def test_the_focus_can_always_be_seen(open_page: OpenPage) -> None:
    page = open_page()
    for _ in range(12):
        page.keyboard.press("Tab")
        outline = page.evaluate(f"getComputedStyle({FOCUSED}).outlineStyle")
        assert outline == "solid", focused_text(page)


def test_the_skip_link_leads_past_the_navigation(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate(f"{FOCUSED}.id") == "main"


def test_the_tenant_is_switched_with_the_keyboard_and_kept(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.keyboard.press("t")
    assert focused_text(page).startswith("nlp")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?tenant=vision")
    expect(page.locator(".who-tenant")).to_have_text("vision")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/api?tenant=vision")


def test_a_menu_closes_on_escape_and_gives_the_focus_back(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    expect(page.locator(".menu-panel")).to_be_hidden()
    assert page.evaluate(f"{FOCUSED}.tagName") == "SUMMARY"


def test_a_menu_closes_when_something_else_is_clicked(open_page: OpenPage) -> None:
    page = open_page()
    page.click("details.menu > summary")
    page.click("h1")
    expect(page.locator(".menu-panel")).to_be_hidden()


def test_the_help_lists_the_keys_and_can_switch_them_off(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("?")
    dialog = page.locator("#shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Open the menu of tenants")
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.reload()
    page.keyboard.press("t")
    expect(page.locator(".menu-panel")).to_be_hidden()


def test_keys_typed_into_a_field_are_no_shortcuts(open_page: OpenPage) -> None:
    page = open_page("design", "rita")
    page.fill("#field-plain", "")
    page.type("#field-plain", "t?/gh")
    assert page.input_value("#field-plain") == "t?/gh"
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_colours_change_at_once_and_are_kept(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page(color_scheme="light")
    page.click("details.menu > summary")
    with page.expect_response("**/choices"):
        page.get_by_role("button", name="Dark").click()
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert site.preferences.held["mia"].theme is Theme.DARK
    page.goto(site.url("api"))
    expect(root).to_have_attribute("data-bs-theme", "dark")


def test_the_browsers_colours_are_followed_while_a_page_is_open(
    open_page: OpenPage,
) -> None:
    page = open_page(color_scheme="light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_language_is_chosen_and_its_page_shown(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page("?tenant=vision")
    page.click("details.menu > summary")
    page.get_by_role("button", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("#said")).to_contain_text("설정을 저장했습니다.")
    assert page.url == site.url("?tenant=vision")
    assert site.preferences.held["mia"] == Preferences(language="ko")


def test_who_is_not_logged_in_chooses_for_this_browser(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page("nothing", None)
    page.get_by_role("button", name="日本語").click()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    page.get_by_role("button", name="ダーク").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert site.preferences.held == {}


def test_choices_work_without_script(open_page: OpenPage, site: FakeSite) -> None:
    page = open_page("", "mia", java_script_enabled=False)
    page.click("details.menu > summary")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("#said")).to_contain_text("Your choice is saved.")
    page.get_by_role("button", name=re.compile("Make it usual.*vision")).click()
    assert site.preferences.held["mia"].default_tenant == "vision"


def test_navigation_opens_from_the_bar_on_a_telephone(open_page: OpenPage) -> None:
    page = open_page(viewport=NARROW)
    expect(page.locator("#side")).to_be_hidden()
    button = page.get_by_role("button", name="Pages")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    assert focused_text(page) == "Overview"
    page.keyboard.press("Escape")
    expect(page.locator("#side")).to_be_hidden()


def test_navigation_stands_open_on_a_telephone_without_script(
    open_page: OpenPage,
) -> None:
    page = open_page("", "mia", viewport=NARROW, java_script_enabled=False)
    page.get_by_role("link", name="REST API").first.click()
    expect(page.locator("h1")).to_have_text("REST API")


def test_results_go_away_and_errors_stay(open_page: OpenPage) -> None:
    page = open_page("design", "rita")
    page.clock.install()
    page.get_by_role("button", name="Show a result").click()
    page.get_by_role("button", name="Show an error").click()
    expect(
        page.get_by_role("status").filter(has_text="The key was added.")
    ).to_have_count(1)
    expect(page.get_by_role("alert").filter(has_text="refused")).to_have_count(1)
    page.clock.fast_forward(10_000)
    expect(page.locator("#said .toast-line")).to_have_count(0)
    expect(page.locator("#failed .toast-line")).to_have_count(1)
    page.locator("#failed").get_by_role("button", name="Close").click()
    expect(page.locator("#failed .toast-line")).to_have_count(0)


def test_a_table_is_sorted_by_its_heads(open_page: OpenPage) -> None:
    page = open_page("design", "rita")
    head = page.get_by_role("columnheader", name="Runtime")
    names = page.locator("table[data-sorts] tbody tr td:nth-child(2)")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(names).to_have_text(
        ["llm-finetune-7b", "eval-checkpoints", "tokenize-corpus", "resnet50-ablation"]
    )
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(names.first).to_have_text("resnet50-ablation")


def test_tabs_inside_a_page_are_moved_with_arrows(open_page: OpenPage) -> None:
    page = open_page("design", "rita")
    page.get_by_role("tab", name="Output").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Log")).to_be_focused()
    expect(page.get_by_role("tabpanel")).to_have_text("Nothing was written yet.")


def test_a_dialog_keeps_the_focus_and_gives_it_back(open_page: OpenPage) -> None:
    page = open_page("design", "rita")
    button = page.locator("#buttons + .panel").get_by_role("button", name="Delete")
    button.click()
    expect(page.locator("#sure")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#sure")).to_be_hidden()
    expect(button).to_be_focused()


def test_code_is_copied_and_that_is_said(open_page: OpenPage) -> None:
    page = open_page(
        "design", "rita", permissions=["clipboard-read", "clipboard-write"]
    )
    page.get_by_role("button", name=COPY).click()
    expect(page.locator("#said")).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").startswith("sbatch ")


def test_a_browser_that_may_not_copy_is_told_what_to_do(open_page: OpenPage) -> None:
    page = open_page("design", "rita")
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error()) }"
    )
    page.get_by_role("button", name=COPY).click()
    expect(page.locator("#failed")).to_contain_text("select the text yourself")


def test_a_form_is_sent_once_however_often_it_is_clicked(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page()
    button = page.get_by_role("button", name=re.compile("Make it usual.*vision"))
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.method) if r.method == "POST" else None)
    button.dblclick()
    expect(page.locator("#said")).to_contain_text("Your choice is saved.")
    assert sent == ["POST"]
    assert site.preferences.held["mia"].default_tenant == "vision"


def test_what_was_typed_before_a_new_login_is_sent_again_with_one_click(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page()
    other = page.context.new_page()
    other.goto(f"{site.origin}/hub/login?as=mia")
    page.get_by_role("button", name=re.compile("Make it usual.*vision")).click()
    expect(page.locator("main")).to_contain_text("Nothing was changed.")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("#said")).to_contain_text("Your choice is saved.")
    assert site.preferences.held["mia"].default_tenant == "vision"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_flashes_while_a_page_is_painted(
    open_page: OpenPage, site: FakeSite, theme: str
) -> None:
    """The colours are right before the style sheets are, whatever the browser wants."""
    site.preferences.held["mia"] = Preferences(theme=Theme(theme))
    other = "light" if theme == "dark" else "dark"
    page = open_page("", "mia", color_scheme=other)
    text = page.request.get(site.url()).text()
    assert f'data-bs-theme="{theme}"' in text
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
