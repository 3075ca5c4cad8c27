"""A real browser for tests inside the cluster, and code devices for its people."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from kqi_hub.devstack.directory import PEOPLE_BASE
from tests.cluster.login_lab import Device, login_lab
from tests.cluster.stack import Stack, run_as

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = (390, 1440)
# Words of other languages that a Japanese or Korean page may hold.
NAMES = frozenset(
    {"KQI", "Hub", "demo", "English", "QR", "API", "REST"}
    | {"hpc", "help", "example", "org"}  # where people of the demo turn for help
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield browser
        browser.close()


@contextmanager
def fresh_device(stack: Stack, name: str) -> Iterator[Device]:
    """Give a person a new device; the demo's own one is back afterwards."""
    with login_lab(stack) as lab:
        yield lab.fresh_device(name)


def must_change_password(name: str) -> None:
    """Make the directory want a new password, as after an operator's reset."""
    ran = run_as(
        "root", "ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///",
        input=f"dn: uid={name},{PEOPLE_BASE}\nchangetype: modify\n"
        "replace: pwdReset\npwdReset: TRUE\n",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def fill_in_login(page: Page, name: str, password: str, code: str = "") -> None:
    """Fill in the form of the login page and send it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_label("One-time code").fill(code)
    # The first page listens for changes as long as it is open: it is never idle.
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click()


def assert_accessible(page: Page) -> None:
    """Fail with axe's words when it finds anything."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def assert_fits(page: Page) -> None:
    """Fail when a page can be scrolled sideways at any width."""
    before = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} is {wide} px wide at {width} px"
    if before is not None:
        page.set_viewport_size(before)


def assert_no_english(page: Page, *names: str) -> None:
    """Fail when a Japanese or Korean page has English on it; `names` may stand."""
    text = page.locator("body").inner_text()
    assert set(re.findall(r"[A-Za-z]{2,}", text)) <= NAMES | {*names}, text
