"""The account's pages in a real browser, furnished, in every state that they have."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from kqi_hub.auth.codes import OneTimeCodes
from kqi_hub.domain.credentials import Secret
from kqi_hub.domain.enrolment import Invitation
from tests.browser.conftest import OpenPage
from tests.browser.gallery import LOOKS, dress, fits, violations
from tests.browser.test_face import is_english
from tests.fakes.account import SERVICES, ed25519
from tests.fakes.site import FakeSite

State = Callable[[Page, FakeSite], None]
FOCUSED = "document.activeElement"
LONG = "workstation-of-the-vision-group-in-the-third-floor-" + "x" * 13


@pytest.fixture
def furnished(site: FakeSite) -> FakeSite:
    """Give mia something of everything, with names that are as long as they may be."""
    account, now = site.account, site.account.desk.clock.now()
    for number, name in enumerate(("laptop", LONG, "<b>ノート PC</b>")):
        account.keys.add("mia", name, ed25519(number), now)
    account.credentials.put("mia", SERVICES[0], Secret("", "x"), now)
    moved = replace(SERVICES[2], url="https://registry.old.example.org")
    account.credentials.put("mia", moved, Secret("mia" * 60, "x"), now)
    gone = replace(SERVICES[1], name="gone")
    account.credentials.put("mia", gone, Secret("mia", "x"), now)
    account.credentials.use("mia", SERVICES[0], now + 60)
    account.desk.enrol("mia")
    del account.desk.factors.recovery["mia"][2:]
    real = OneTimeCodes(site.name)

    def invite(person: str, secret: str) -> Invitation:
        return real.invitation(person, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

    # The fake's pictures are empty: what is looked at here has to be a real one.
    account.desk.codes.invitation = invite  # type: ignore[method-assign]  # see above
    return site


def send(page: Page, **fields: str) -> None:
    """Fill in a form of the page, found by its fields, and send it."""
    for name, value in fields.items():
        page.fill(f"main form.form [name={name}]", value)
    last = f"main form.form:has([name={name}])"
    buttons = page.locator(last).locator("button.btn-primary, button.btn-secondary")
    with page.expect_navigation():
        buttons.first.click()


def private_key(page: Page, _: FakeSite) -> None:
    page.goto(page.url + "/ssh-keys")
    send(page, name="laptop", key="-----BEGIN OPENSSH PRIVATE KEY-----")
    assert page.evaluate(f"{FOCUSED}.getAttribute('role')") == "alert"


def remove_key(page: Page, _: FakeSite) -> None:
    page.goto(page.url + "/ssh-keys")
    page.locator("[data-opens=remove-2]").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def wrong_password(page: Page, _: FakeSite) -> None:
    page.goto(page.url + "/password")
    send(page, old="wrong", new="better", again="better")


def new_device(page: Page, site: FakeSite) -> None:
    page.goto(page.url + "/factor")
    send(page, code=site.account.desk.code("mia"))
    expect(page.locator(".qr svg")).to_be_visible()
    page.locator(".fold summary").click()


def recovery_codes(page: Page, site: FakeSite) -> None:
    page.goto(page.url + "/factor")
    send(page, renew_code=site.account.desk.code("mia"))
    expect(page.locator(".recovery-codes li")).to_have_count(10)


def wrong_code(page: Page, _: FakeSite) -> None:
    page.goto(page.url + "/factor")
    send(page, renew_code="nonsense")


def moved_service(page: Page, _: FakeSite) -> None:
    page.goto(page.url + "/credentials/dockerhub")
    send(page, user_name="mia mia", value="x")


def made_token(page: Page, _: FakeSite) -> None:
    page.goto(page.url + "/tokens")
    send(page, note="nightly evaluation " + "x" * 181)


def revoke_token(page: Page, site: FakeSite) -> None:
    made = site.hub.made
    made.add("word", {"name": "mia", "scopes": ["custom:kqi:read"]}, note="夜間の評価")
    page.goto(page.url + "/tokens")
    page.locator("[data-opens^=revoke]").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def directory_away(page: Page, site: FakeSite) -> None:
    site.account.desk.directory.down = True
    page.reload()


def keys(page: Page, _: FakeSite) -> None:
    page.goto(page.url + "/ssh-keys")


def services(page: Page, _: FakeSite) -> None:
    page.goto(page.url + "/credentials")


def few_codes(page: Page, _: FakeSite) -> None:
    page.goto(page.url + "/factor")


def all_terms(page: Page, _: FakeSite) -> None:
    page.goto(page.url.removesuffix("/me") + "/terms")


STATES = (
    private_key,
    remove_key,
    wrong_password,
    new_device,
    recovery_codes,
    wrong_code,
    moved_service,
    made_token,
    revoke_token,
    directory_away,
    keys,
    services,
    few_codes,
    all_terms,
)


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_state_is_accessible_fits_and_is_in_the_readers_language(
    open_page: OpenPage,
    furnished: FakeSite,
    keep_shot: Callable[[Page, str], None],
    state: State,
    language: str,
) -> None:
    furnished.account.terms.held = []
    furnished.account.terms_in_force = None
    looks = [(colours, size) for spoken, colours, size in LOOKS if spoken == language]
    colours, size = looks[0]
    page = open_page("me", locale=language, color_scheme=colours, viewport=size)
    if state is not all_terms:
        _accept(page)
    state(page, furnished)
    for colours, size in looks:
        dress(page, colours, size)
        keep_shot(page, f"account-{state.__name__}-{language}-{colours}")
        assert violations(page) == []
        assert fits(page)
    if language != "en":
        said = page.locator("main").inner_text().split("\n")
        kept = ("x" * 13, "nightly evaluation", "kqi-", "mia", "GEZD")
        left = [t for t in said if is_english(t) and not any(k in t for k in kept)]
        assert left == []


def _accept(page: Page) -> None:
    if "/terms" in page.url:
        page.check("#agree")
        with page.expect_navigation():
            page.locator("main form.form button.btn-primary").click()


def tab_to(page: Page, text: str) -> None:
    """Press Tab until something of this text has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        said = page.evaluate(f"{FOCUSED}.innerText || {FOCUSED}.name || ''")
        if text in str(said):
            return
    raise AssertionError(f"the focus never came to {text}")


def test_a_key_is_added_and_removed_with_the_keyboard_alone(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page("me")
    tab_to(page, "SSH keys")
    page.keyboard.press("Enter")
    page.wait_for_url("**/me/ssh-keys")
    tab_to(page, "name")
    page.keyboard.type("laptop")
    page.keyboard.press("Tab")
    page.keyboard.insert_text(ed25519(1).line)
    tab_to(page, "Add it")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("The key laptop is added.")
    tab_to(page, "Remove")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert "Remove" in page.evaluate(f"{FOCUSED}.innerText")
    page.keyboard.press("Enter")
    tab_to(page, "Remove")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("The key laptop is removed.")
    assert site.account.keys.keys("mia") == ()


def test_keeping_a_key_in_the_dialog_keeps_it(
    open_page: OpenPage, furnished: FakeSite
) -> None:
    page = open_page("me")
    remove_key(page, furnished)
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator("[data-opens=remove-2]").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#said")).to_contain_text("is removed")
    assert [key.id for key in furnished.account.keys.keys("mia")] == [1, 3]


def test_a_new_token_is_copied_by_a_button(
    chromium: Browser, open_page: OpenPage, site: FakeSite
) -> None:
    granted = ["clipboard-read", "clipboard-write"]
    page = open_page("me/tokens", permissions=granted)
    send(page, note="nightly")
    page.locator("[data-copy]").first.click()
    expect(page.locator("#said")).to_contain_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied in site.hub.tokens
    assert site.hub.tokens[copied]["scopes"] == ["custom:kqi:read"]


def test_recovery_codes_are_printed_without_the_frame(
    open_page: OpenPage, furnished: FakeSite
) -> None:
    page = open_page("me")
    recovery_codes(page, furnished)
    page.evaluate("window.print = () => { document.title = 'printed' }")
    page.get_by_role("button", name="Print").click()
    assert page.title() == "printed"
    page.emulate_media(media="print")
    for hidden in (".top", ".side", ".foot", ".tabs", "[data-print]"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.get_by_text("KQI Hub, mia")).to_be_visible()
    expect(page.locator(".recovery-codes")).to_be_visible()


def test_everything_works_without_script_but_the_dialogs(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page("me/ssh-keys", java_script_enabled=False)
    send(page, name="laptop", key=ed25519(1).line)
    expect(page.locator("main")).to_contain_text("laptop")
    assert len(site.account.keys.keys("mia")) == 1
