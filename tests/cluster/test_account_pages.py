"""The account page and `kqi`, with the real hub, directory and database behind them."""

import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cluster.browser import (
    assert_accessible,
    assert_fits,
    chromium,
    fill_in_login,
    fresh_device,
)
from tests.cluster.login_lab import Device
from tests.cluster.stack import Stack, set_password

KQI = ("/opt/kqi-hub/.venv/bin/python", "-m", "kqi_hub.cli.main")
SETTINGS = Path("/etc/kqi/kqi.toml")
TERMS = Path("/etc/kqi/terms.txt")
TABS = ("me", "me/password", "me/factor", "me/ssh-keys", "me/credentials", "me/tokens")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def url(stack: Stack) -> str:
    return str(stack.status()["url"])


@contextmanager
def logged_in(
    stack: Stack, browser: Browser, name: str
) -> Iterator[tuple[Page, Device]]:
    """Open the portal as a person, with a device whose codes are unused."""
    with fresh_device(stack, name) as device:
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(stack.status()["url"])
        fill_in_login(page, name, stack.person(name)["password"], device.code())
        yield page, device
        context.close()


def kqi(home: Path, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command as on somebody's own machine."""
    return subprocess.run(
        [*KQI, *words],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KQI_CONFIG_DIR": str(home), "PYTHONPATH": "/opt/kqi-hub"},
    )


def test_every_tab_is_accessible_and_fits(
    stack: Stack, browser: Browser, url: str
) -> None:
    with logged_in(stack, browser, "alice") as (page, _):
        for tab in TABS:
            page.goto(f"{url}services/portal/{tab}")
            expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
            assert_accessible(page)
            assert_fits(page)


def test_the_profile_is_the_directorys(
    stack: Stack, browser: Browser, url: str
) -> None:
    with logged_in(stack, browser, "alice") as (page, _):
        page.goto(f"{url}services/portal/me")
        for text in ("Alice Example", "20001", "kqi-users"):
            expect(page.locator("main").get_by_text(text).first).to_be_visible()


def test_a_key_added_on_the_page_is_the_one_that_ssh_keygen_knows(
    stack: Stack, browser: Browser, url: str, tmp_path: Path
) -> None:
    file = tmp_path / "id_ed25519"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True
    )
    public = file.with_suffix(".pub").read_text()
    shown = subprocess.run(
        ["ssh-keygen", "-lf", f"{file}.pub"], capture_output=True, text=True, check=True
    )
    fingerprint = shown.stdout.split()[1]
    name = f"laptop {secrets.token_hex(4)}"
    remove = re.compile(f"Remove.*{name}")
    with logged_in(stack, browser, "bob") as (page, _):
        page.goto(f"{url}services/portal/me/ssh-keys")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Public key").fill(file.read_text())
        page.get_by_role("button", name="Add it").click()
        expect(page.get_by_role("alert").first).to_contain_text("private")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Public key").fill(public)
        page.get_by_role("button", name="Add it").click()
        expect(page.get_by_text(fingerprint).first).to_be_visible()
        page.get_by_role("button", name=remove).click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_role("button", name=remove)).to_have_count(0)


def test_a_token_made_on_the_page_serves_kqi_until_it_is_revoked(
    stack: Stack, browser: Browser, url: str, tmp_path: Path
) -> None:
    note = f"test {secrets.token_hex(4)}"
    revoke = re.compile(f"Revoke.*{note}")
    with logged_in(stack, browser, "bob") as (page, _):
        page.goto(f"{url}services/portal/me/tokens")
        page.get_by_label("What it is for").fill(note)
        page.get_by_role("button", name="Make it").click()
        word = page.locator("pre code, pre").first.inner_text().strip()
        done = kqi(tmp_path, "login", url, "--token", text=word + "\n")
        assert done.returncode == 0, done.stderr
        person = json.loads(kqi(tmp_path, "whoami", "--json").stdout)
        assert person["name"] == "bob"
        roles = {t["name"]: t["role"] for t in person["tenants"]}
        assert roles == {"nlp": "manager"}
        page.goto(f"{url}services/portal/me/tokens")
        page.get_by_role("button", name=revoke).click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        page.wait_for_load_state("networkidle")
        assert kqi(tmp_path, "whoami").returncode == 3
        expect(page.get_by_role("button", name=revoke)).to_have_count(0)


def test_kqi_logs_in_with_password_and_code_and_manages_keys_and_tenants(
    stack: Stack, url: str, tmp_path: Path
) -> None:
    password = stack.person("alice")["password"]
    with fresh_device(stack, "alice") as device:
        typed = f"{password}\n{device.code()}\n"
        done = kqi(tmp_path, "login", url, "--name", "alice", text=typed)
        assert done.returncode == 0, done.stderr
        again = kqi(tmp_path / "b", "login", url, "--name", "alice", text=typed)
        assert again.returncode == 3
        assert "Name, password or code is wrong." in again.stderr
    names = {
        t["name"] for t in json.loads(kqi(tmp_path, "tenant", "list", "--json").stdout)
    }
    assert names == {"vision", "nlp"}
    assert kqi(tmp_path, "tenant", "use", "nlp").returncode == 0
    assert kqi(tmp_path, "tenant", "use", "root").returncode == 1
    file = tmp_path / "id"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True
    )
    added = kqi(tmp_path, "key", "add", f"{file}.pub", "--name", "cli", "--json")
    assert added.returncode == 0, added.stderr
    number = str(json.loads(added.stdout)["id"])
    assert kqi(tmp_path, "key", "rm", number).returncode == 0
    assert kqi(tmp_path, "key", "rm", number).returncode == 4


def test_a_password_changed_on_the_page_is_the_directorys_at_once(
    stack: Stack, browser: Browser, url: str
) -> None:
    old, new = stack.person("bob")["password"], "A-quite-new-Password-7"
    try:
        with logged_in(stack, browser, "bob") as (page, device):
            page.goto(f"{url}services/portal/me/password")
            _change(page, "not the old one", new)
            expect(page.get_by_role("alert").first).to_be_visible()
            _change(page, old, "short")
            expect(page.get_by_role("alert").first).to_be_visible()
            _change(page, old, new)
            expect(page.get_by_role("status").first).to_be_visible()
            other = browser.new_context().new_page()
            other.goto(url)
            fill_in_login(other, "bob", new, device.recovery_codes[0])
            expect(other.get_by_role("heading", name="Welcome, bob")).to_be_visible()
            other.context.close()
    finally:
        set_password("bob", old)


def _change(page: Page, old: str, new: str) -> None:
    page.get_by_label("Present password").fill(old)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password again").fill(new)
    page.get_by_role("button", name="Change it").click()
    page.wait_for_load_state("networkidle")


def test_a_device_is_replaced_with_a_code_of_the_old_one(
    stack: Stack, browser: Browser, url: str
) -> None:
    with logged_in(stack, browser, "alice") as (page, device):
        page.goto(f"{url}services/portal/me/factor")
        page.locator("[name=renew_code]").fill(device.recovery_codes[0])
        page.get_by_role("button", name="Make new codes").click()
        page.wait_for_load_state("networkidle")
        shown = re.findall(r"[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}", page.content())
        assert len(set(shown)) == 10
        assert not set(shown) & set(device.recovery_codes)
        assert_accessible(page)
        assert_fits(page)


@contextmanager
def terms_in_force(stack: Stack, version: str, text: str) -> Iterator[None]:
    """Let the site have terms of use, as an operator would; the portal is restarted."""
    before = SETTINGS.read_text()
    TERMS.write_text(text)
    SETTINGS.write_text(f'{before}\n[terms]\nversion = "{version}"\nfile = "{TERMS}"\n')
    try:
        stack.restart("portal")
        stack.wait_ready("portal")
        yield
    finally:
        SETTINGS.write_text(before)
        stack.restart("portal")
        stack.wait_ready("portal")


def test_terms_are_accepted_before_anything_else_and_again_when_they_change(
    stack: Stack, browser: Browser, url: str, tmp_path: Path
) -> None:
    with logged_in(stack, browser, "carol") as (page, _):
        for version in (f"test-{secrets.token_hex(4)}" for _ in range(2)):
            text = f"# Rules {version}\n\nBe <b>kind</b>.\n"
            with terms_in_force(stack, version, text):
                page.goto(f"{url}services/portal/me/tokens")
                expect(page.get_by_text("Be <b>kind</b>.")).to_be_visible()
                assert_accessible(page)
                page.get_by_label("I have read the terms of use").check()
                page.get_by_role("button", name="Accept").click()
                page.wait_for_url(re.compile("me/tokens"))
                page.goto(f"{url}services/portal/")
                expect(
                    page.get_by_role("heading", name="Welcome, carol")
                ).to_be_visible()
