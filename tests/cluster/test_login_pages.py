"""The way in, in a real browser, with everything behind it real."""

import re
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.cluster.browser import (
    assert_accessible,
    assert_fits,
    assert_no_english,
    chromium,
    fill_in_login,
    fresh_device,
    must_change_password,
)
from tests.cluster.portal_lab import kqi_hub
from tests.cluster.stack import Stack, set_password

OF_YESTERDAY = """
for (const one of document.querySelectorAll("input[name=_xsrf]")) one.value = "2|old";
"""
ONE_ANSWER = "Name, password or code is wrong."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def url(stack: Stack) -> str:
    return str(stack.status()["url"])


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    # Colours that are still fading in have a contrast of their own.
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if _is_csp(said) else None)
    page.goto(url)
    yield page
    context.close()
    assert faults == []


def _is_csp(said: ConsoleMessage) -> bool:
    """Tell whether the browser complains about our own Content-Security-Policy."""
    return "Content Security Policy" in said.text


def test_alice_logs_in_once_with_the_code_that_the_demo_prints(
    stack: Stack, page: Page, browser: Browser, url: str
) -> None:
    with fresh_device(stack, "alice"):
        pass  # whatever other tests did, the demo's own codes are unused now
    alice = stack.person("alice")
    fill_in_login(page, "alice", alice["password"], alice["code"])
    expect(page.get_by_role("heading", name="Welcome, alice")).to_be_visible()
    again = browser.new_context().new_page()
    again.goto(url)
    fill_in_login(again, "alice", alice["password"], alice["code"])
    expect(again.get_by_text(ONE_ANSWER)).to_be_visible()
    again.context.close()


def test_wrong_in_any_part_is_answered_with_one_sentence_and_keeps_the_name(
    stack: Stack, page: Page
) -> None:
    bob = stack.person("bob")
    with fresh_device(stack, "bob") as device:
        for name, password, code in (
            ("bob", "wrong", device.code()),
            ("bob", bob["password"], "000000"),
            ("nobody-of-this-name", bob["password"], device.code()),
            ("erin", stack.person("erin")["password"], stack.person("erin")["code"]),
        ):
            fill_in_login(page, name, password, code)
            expect(
                page.get_by_role("alert").filter(has_text=ONE_ANSWER)
            ).to_be_visible()
            expect(page.get_by_label("Name")).to_have_value(name)
            expect(page.get_by_label("Password")).to_have_value("")
        assert_accessible(page)
        fill_in_login(page, "bob", bob["password"], device.code())
        expect(page.get_by_role("heading", name="Welcome, bob")).to_be_visible()


def test_dave_sets_up_a_device_and_a_recovery_code_lets_him_in_once(
    stack: Stack, page: Page, browser: Browser, url: str
) -> None:
    kqi_hub("person", "reset-factor", "dave")
    password = stack.person("dave")["password"]
    fill_in_login(page, "dave", password)
    expect(page.get_by_role("heading", name="Set up your code device")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_text("Type the key instead").click()
    key = page.locator("[data-key]").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("The code is wrong.")).to_be_visible()
    page.get_by_text("Type the key instead").click()
    assert page.locator("[data-key]").inner_text().replace(" ", "") == key
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(key).now())
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    codes = page.locator(".recovery-codes code").all_inner_texts()
    assert len(set(codes)) == 10
    page.get_by_role("link", name="I have kept them, go on").click()
    expect(page.get_by_role("heading", name="Welcome, dave")).to_be_visible()
    for attempt, answer in ((1, "Welcome, dave"), (2, ONE_ANSWER)):
        other = browser.new_context().new_page()
        other.goto(url)
        fill_in_login(other, "dave", password, codes[0])
        expect(other.get_by_text(answer), f"attempt {attempt}").to_be_visible()
        other.context.close()
    kqi_hub("person", "reset-factor", "dave")


def test_a_page_between_password_and_portal_is_nobodys_without_its_ticket(
    page: Page, url: str
) -> None:
    for path in ("hub/enrol", "hub/new-password"):
        page.goto(url + path)
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_password_that_the_directory_resets_is_changed_on_the_way_in(
    stack: Stack, page: Page
) -> None:
    carol = stack.person("carol")
    first, second = "First-pass-word-1", "Second-pass-word-2"
    try:
        set_password("carol", first)
        must_change_password("carol")
        with fresh_device(stack, "carol") as device:
            fill_in_login(page, "carol", first, device.code())
            heading = page.get_by_role("heading", name="Choose a new password")
            expect(heading).to_be_visible()
            assert_accessible(page)
            assert_fits(page)
            _change(page, first, second, "something else")
            expect(page.get_by_text("The two new passwords differ.")).to_be_visible()
            _change(page, first, "short", "short")
            expect(page.get_by_role("alert").first).to_be_visible()
            _change(page, first, second, second)
            expect(page.get_by_role("heading", name="Welcome, carol")).to_be_visible()
    finally:
        set_password("carol", carol["password"])


def _change(page: Page, old: str, new: str, again: str) -> None:
    page.get_by_label("Present password").fill(old)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password again").fill(again)
    with page.expect_navigation():
        page.get_by_role("button", name="Change it").click()


def test_the_keyboard_alone_logs_in(stack: Stack, page: Page) -> None:
    alice = stack.person("alice")
    with fresh_device(stack, "alice") as device:
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        name = page.get_by_label("Name")
        for _ in range(10):  # the frame's own links and buttons stand before the form
            if name.evaluate("field => field === document.activeElement"):
                break
            page.keyboard.press("Tab")
        expect(name).to_be_focused()
        for text in ("alice", alice["password"], device.code()):
            page.keyboard.type(text)
            page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Log in")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Welcome, alice")).to_be_visible()


def test_the_login_page_is_accessible_in_both_colours_and_at_every_width(
    page: Page,
) -> None:
    for theme in ("Light", "Dark"):
        page.get_by_role("button", name=theme).click()
        ground = page.locator(f"html[data-bs-theme={theme.lower()}]")
        expect(ground).to_have_count(1)
        assert_accessible(page)
        assert_fits(page)


def test_the_login_says_where_to_turn_for_help(page: Page) -> None:
    for part in ("main", "body > footer"):
        link = page.locator(part).get_by_role("link", name="hpc-help@example.org")
        expect(link).to_have_attribute("href", "mailto:hpc-help@example.org")


@pytest.mark.parametrize(
    ("language", "title"), [("日本語", "ログイン"), ("한국어", "로그인")]
)
def test_the_way_in_speaks_the_chosen_language_and_no_english(
    stack: Stack, page: Page, language: str, title: str
) -> None:
    page.get_by_role("button", name=language).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    assert_no_english(page)
    page.locator("[name=username]").fill("dave")
    page.locator("[name=password]").fill("wrong")
    page.locator("main button").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    assert_no_english(page)
    kqi_hub("person", "reset-factor", "dave")
    page.locator("[name=password]").fill(stack.person("dave")["password"])
    page.locator("main button").click()
    expect(page.locator("[data-key]")).to_be_attached()
    assert_no_english(page)


def test_the_tenant_switch_changes_what_is_shown(stack: Stack, page: Page) -> None:
    alice = stack.person("alice")
    with fresh_device(stack, "alice") as device:
        fill_in_login(page, "alice", alice["password"], device.code())
        menu = page.locator("[data-menu=person]")
        for tenant in ("nlp", "vision"):
            menu.locator("summary").click()
            menu.get_by_role("link", name=re.compile(rf"^{tenant}")).click()
            expect(menu.locator(".who-tenant")).to_have_text(tenant)
            assert f"tenant={tenant}" in page.url
        page.goto(page.url.replace("tenant=vision", "tenant=root"))
        expect(page.get_by_text("There is no tenant root")).to_be_visible()


def test_logging_out_ends_the_session_in_the_portal_too(
    stack: Stack, page: Page, url: str
) -> None:
    bob = stack.person("bob")
    with fresh_device(stack, "bob") as device:
        fill_in_login(page, "bob", bob["password"], device.code())
        page.locator("[data-menu=person] summary").click()
        page.get_by_role("link", name="Log out").click()
        page.goto(url + "services/portal/")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_login_form_of_yesterday_says_so_and_works_the_second_time(
    stack: Stack, page: Page
) -> None:
    alice = stack.person("alice")
    with fresh_device(stack, "alice") as device:
        # Not the cookie: an answer that is still on its way would bring it back.
        page.evaluate(OF_YESTERDAY)
        fill_in_login(page, "alice", alice["password"], device.code())
        expect(page.get_by_role("alert").first).to_be_visible()
        fill_in_login(page, "alice", alice["password"], device.code())
        expect(page.get_by_role("heading", name="Welcome, alice")).to_be_visible()


def test_pages_of_the_hub_that_are_not_there_wear_the_portals_look(
    page: Page, url: str
) -> None:
    answer = page.goto(url + "hub/no-such-page")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "There is nothing at this address"
    )
    assert_accessible(page)
    assert_fits(page)


def test_nobody_starts_a_server_on_the_hubs_own_machine(
    stack: Stack, page: Page, url: str
) -> None:
    alice = stack.person("alice")
    with fresh_device(stack, "alice") as device:
        fill_in_login(page, "alice", alice["password"], device.code())
        for path in ("hub/spawn", "hub/spawn/alice?cmd=id", "hub/user-redirect/lab"):
            answer = page.goto(url + path)
            assert answer is not None
            # The hub's own way to a server ends at the list of notebooks, if anywhere.
            led_away = page.url == f"{url}services/portal/notebooks"
            assert led_away or answer.status in {403, 404}, path
