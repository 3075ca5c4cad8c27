"""Send folders as a person does in a browser: Debian's Chromium and our page of data.

python -m benchmarks.upload_browser FOLDER ...

It runs inside the cluster and prints, for each folder, the seconds from pressing the
button to the page of the data, as JSON.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyotp
from playwright.sync_api import Page, sync_playwright

from benchmarks.our_portal import PORTS, SECRETS

CHROMIUM: Final = "/usr/bin/chromium"
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
)
_PERSON, _TENANT = "alice", "vision"
_LONGEST_MS: Final = 30 * 60 * 1000.0
_PERIOD_S: Final = 30
_TRIES: Final = 4


def main() -> None:
    base = f"http://127.0.0.1:{json.loads(PORTS.read_text())['proxy']}"
    with signed_in(base, _PERSON) as page:
        times = {
            folder: send(page, base, _TENANT, Path(folder))[1]
            for folder in sys.argv[1:]
        }
    print(json.dumps(times))


@contextmanager
def signed_in(base: str, person: str) -> Iterator[Page]:
    """Open a browser in which somebody has logged in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*_ARGUMENTS]
        )
        page = browser.new_page()
        _log_in(page, base, person)
        yield page
        browser.close()


def _log_in(page: Page, base: str, person: str) -> None:
    """Fill in the form; a code that was used a moment ago is waited out."""
    secret = json.loads(SECRETS.read_text())[person]
    for _ in range(_TRIES):
        page.goto(f"{base}/hub/login")
        page.get_by_label("Name").fill(person)
        page.get_by_label("Password").fill(secret["password"])
        code = pyotp.TOTP(secret["code_secret"]).now()
        page.get_by_label("One-time code").fill(code)
        with page.expect_navigation():
            page.get_by_role("button", name="Log in").click()
        if "/hub/login" not in page.url:
            return
        page.wait_for_timeout((_PERIOD_S - time.time() % _PERIOD_S) * 1000 + 500)
    raise RuntimeError(f"{person} is not let in: {page.url}")


def send(page: Page, base: str, tenant: str, folder: Path) -> tuple[int, float]:
    """Send a folder; return the number of the data and how long it took."""
    page.goto(f"{base}/services/portal/data/new?tenant={tenant}")
    chooser = page.locator("#data-drop input[webkitdirectory]")
    chooser.set_input_files(folder, timeout=_LONGEST_MS)
    page.get_by_label("Name", exact=True).fill(folder.name)
    began = time.monotonic()
    page.get_by_role("button", name="Make the data").click()
    page.wait_for_url(re.compile(r"/data/\d+\?"), timeout=_LONGEST_MS)
    took = time.monotonic() - began
    found = re.search(r"/data/(\d+)", page.url)
    if found is None:
        raise RuntimeError(f"the data have no number: {page.url}")
    return int(found[1]), took


if __name__ == "__main__":
    main()
