"""Data with mouse and keys: a folder through the real proxy, whatever breaks meanwhile.

What the browser sent is compared with what the portal lists and with the files that the
store has, by SHA-256.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cluster.browser import assert_accessible, assert_fits, chromium
from tests.cluster.stack import Stack, run_as
from tests.cluster.walker import Walker, walker

NAME, TENANT = "alice", "vision"
STORE = Path("/scratch/kqi-store") / TENANT / "data"
MB = 1024 * 1024
LARGE_MB, SMALL_FILES = 96, 300
# Everything is read, sent, hashed and flushed, on a busy machine.
DONE_MS = 240_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with a large file, small ones, an empty one, odd names."""
    top = tmp_path / "walked"
    (top / "deep" / "er").mkdir(parents=True)
    with (top / "large.bin").open("wb") as file:
        for _ in range(LARGE_MB):
            file.write(os.urandom(MB))
    for number in range(SMALL_FILES):
        (top / "deep" / "er" / f"{number:03}").write_bytes(os.urandom(number))
    (top / "<i>odd %25 名前.txt").write_text("hello <b>you</b>\n")
    yield top
    shutil.rmtree(top)


@pytest.fixture
def name() -> str:
    """Return a name that no earlier run has left behind."""
    return f"walk-{secrets.token_hex(4)}"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def alice(stack: Stack, browser: Browser) -> Iterator[Walker]:
    with walker(stack, browser, NAME) as one:
        yield one


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def listed(page: Page, number: int) -> dict[str, str]:
    """Return what the portal says of the item's files."""
    said = page.evaluate(
        """async (address) => {
          const proof = document.querySelector('meta[name=xsrf-token]').content;
          const headers = {'X-XSRFToken': proof, Accept: 'application/json'};
          // A proxy that was killed leads nowhere until the hub has told it again.
          for (let tries = 0; tries < 60; tries += 1) {
            const answer = await fetch(address, {headers}).catch(() => null);
            if (answer?.ok) return answer.json();
            await new Promise((resolve) => setTimeout(resolve, 1000));
          }
          throw new Error(`${address} does not answer`);
        }""",
        f"/services/portal/api/v1/data/{number}/files?limit=10000",
    )
    return {one["path"]: one["sha256"] for one in said["files"]}


def assert_whole(page: Page, number: int, folder: Path) -> None:
    """Fail unless portal and store have exactly the folder."""
    wanted = {f"{folder.name}/{path}": one for path, one in hashes(folder).items()}
    assert listed(page, number) == wanted
    assert hashes(STORE / str(number)) == wanted


def begin(one: Walker, folder: Path, name: str, bytes_per_s: int = -1) -> None:
    """Begin to send a folder, over a network that is no quicker than this."""
    page = one.page
    page.goto(f"{one.portal}/data/new?tenant={TENANT}")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1,
         "uploadThroughput": bytes_per_s},
    )  # fmt: skip
    page.locator("#data-drop input[webkitdirectory]").set_input_files(folder)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Make the data").click()


def number_of(page: Page) -> int:
    page.wait_for_url(re.compile(r"/data/\d+\?"), timeout=DONE_MS)
    found = re.search(r"/data/(\d+)", page.url)
    return int(found[1]) if found else 0


def delete(one: Walker, number: int) -> None:
    one.page.goto(f"{one.portal}/data/{number}/delete?tenant={TENANT}")
    one.page.get_by_role("button", name="Delete it").click()
    expect(one.page.locator("#said")).to_contain_text("is deleted")
    assert not (STORE / str(number)).exists()


def test_a_folder_is_brought_looked_at_put_in_a_dataset_and_deleted(
    alice: Walker, folder: Path, name: str
) -> None:
    begin(alice, folder, name)
    page = alice.page
    number = number_of(page)
    assert_whole(page, number, folder)
    page.get_by_role("link", name="walked", exact=True).click()
    page.locator("tr", has_text="odd").get_by_role("button", name="Look").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("code")).to_have_text("hello <b>you</b>\n", timeout=DONE_MS)
    page.keyboard.press("Escape")
    assert_accessible(page)
    assert_fits(page)
    page.goto(f"{alice.portal}/datasets/new?tenant={TENANT}")
    page.get_by_label("Name", exact=True).first.fill(name)
    page.locator("#set-q-id").fill(str(number))
    option = page.locator("#set-all [role=option]")
    expect(option).to_have_count(1)
    option.click()
    page.get_by_role("button", name="Into testing").click()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="What a job sees").click()
    expect(page.locator("main")).to_contain_text(f"testing/{number}/walked/deep/er/000")
    alice.shot("data-what-a-job-sees")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("#said")).to_contain_text("Its data are still there.")
    delete(alice, number)


def test_files_of_scratch_are_handed_over_without_the_network(alice: Walker) -> None:
    page = alice.page
    page.goto(f"{alice.portal}/data/new?tenant={TENANT}")
    page.get_by_text("On scratch").click()
    scratch = page.locator("#data-scratch")
    # The agent makes the folder when it starts.
    scratch.get_by_role("button", name="workspace").click(timeout=DONE_MS)
    made = run_as(
        NAME, "sh", "-c",
        "mkdir -p $0/sub && head -c 3000000 /dev/urandom >$0/a && echo hi >$0/sub/b",
        str(alice.workspace / "walked-scratch"),
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    page.get_by_role("button", name="Up").click()
    scratch.get_by_role("button", name="workspace").click()
    scratch.get_by_label("walked-scratch", exact=True).check()
    page.get_by_label("Name", exact=True).fill("walked-scratch")
    page.get_by_role("button", name="Make the data").click()
    panel = page.locator(".upload")
    expect(panel).to_contain_text("Done", timeout=DONE_MS)
    expect(panel).to_contain_text(re.compile("shared with scratch: [0-9]+, copied"))
    panel.get_by_role("link", name="Open").click()
    number = number_of(page)
    assert_whole(page, number, alice.workspace / "walked-scratch")
    delete(alice, number)
    shutil.rmtree(alice.workspace / "walked-scratch")


def _cut_nothing(stack: Stack) -> None:
    """Let only the browser go."""


def _kill_store(stack: Stack) -> None:
    stack.kill("store")


def _kill_portal(stack: Stack) -> None:
    stack.kill("portal")


def _kill_proxy(stack: Stack) -> None:
    stack.kill("proxy")


@pytest.mark.parametrize("breaks", [_kill_store, _kill_portal, _kill_proxy])
def test_what_is_killed_meanwhile_is_waited_for(
    alice: Walker,
    stack: Stack,
    folder: Path,
    name: str,
    breaks: Callable[[Stack], None],
) -> None:
    begin(alice, folder, name, 20 * MB)
    expect(alice.page.locator(".upload")).to_be_visible()
    alice.page.wait_for_timeout(secrets.randbelow(2500))
    breaks(stack)
    number = number_of(alice.page)
    stack.mend()
    assert_whole(alice.page, number, folder)
    delete(alice, number)


@pytest.mark.parametrize("breaks", [_cut_nothing, _kill_store])
def test_a_browser_that_is_closed_goes_on_with_the_same_folder(
    alice: Walker,
    stack: Stack,
    folder: Path,
    name: str,
    breaks: Callable[[Stack], None],
) -> None:
    # So slowly that it is under way still when it is paused.
    begin(alice, folder, name, 8 * MB)
    expect(alice.page.locator(".upload")).to_be_visible()
    alice.page.wait_for_timeout(secrets.randbelow(900))
    alice.page.get_by_role("button", name="Pause").click()
    first, alice.page = alice.page, alice.context.new_page()
    first.close()
    breaks(stack)
    stack.wait_ready("store")
    page = alice.page
    page.goto(f"{alice.portal}/data?tenant={TENANT}")
    line = page.locator("#data-uploads li", has_text=name)
    line.locator("input[webkitdirectory]").set_input_files(folder)
    link = page.get_by_role("link", name=name, exact=True)
    expect(link).to_be_visible(timeout=DONE_MS)
    expect(line).to_have_count(0)
    link.click()
    number = number_of(page)
    assert_whole(page, number, folder)
    delete(alice, number)
