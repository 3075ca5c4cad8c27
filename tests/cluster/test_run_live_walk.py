"""Somebody at a browser looks into a training that runs: log, terminal, port, board."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.cluster.browser import assert_accessible, chromium
from tests.cluster.stack import Stack, run_as
from tests.cluster.walker import RUN_MS, START_MS, walker

# Below those that the system gives to connections of anybody's.
PORT = 18_611
COMMAND = f"""\
printf '\\033[32mloss 0.5\\033[0m\\n10%%\\r99%%\\n'
mkdir -p "$KQI_OUTPUT/logs"
cd /kqi/output 2>/dev/null || cd "$KQI_OUTPUT"
echo "the page of the run" > index.html
exec python3 -m http.server --bind 127.0.0.1 {PORT}
"""
ASK = """async (body) => {
  const xsrf = document.querySelector('meta[name="xsrf-token"]').content;
  const address = document.baseURI.replace(/portal.*/, "portal/api/v1/training");
  const answer = await fetch(address, {
    method: "POST", body: JSON.stringify(body),
    headers: {"X-XSRFToken": xsrf, "Content-Type": "application/json"},
  });
  return [answer.status, await answer.json()];
}"""


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Cancel what a walk that was cut short would leave on its port."""
    yield
    run_as("root", "scancel", "--user=alice", "--partition=cpu")


def test_a_running_training_is_looked_into(stack: Stack) -> None:
    with chromium() as browser, walker(stack, browser, "alice") as alice:
        page = alice.page
        page.goto(f"{alice.portal}/training?tenant=vision")
        wish: dict[str, Any] = {
            "name": "look-inside", "tenant": "vision", "queue": "cpu",
            "command": COMMAND, "cpus": 1, "memory_mb": 512, "lifetime_s": 1800,
            "zip": False, "ports": [PORT],
        }  # fmt: skip
        status, run = page.evaluate(ASK, wish)
        assert status in {200, 201, 202}, run
        page.goto(f"{alice.portal}/training/{run['id']}?tenant=vision")
        log = page.locator(".log code").first
        expect(log).to_contain_text("loss 0.5", timeout=RUN_MS)
        expect(log.locator(".ansi-fore-green")).to_have_text("loss 0.5")
        expect(log).not_to_contain_text("10%")

        page.get_by_role("button", name="Open a terminal").click()
        rows = page.locator(".xterm-rows")
        expect(rows).to_contain_text("$", timeout=START_MS)
        page.keyboard.type("echo in-$SLURM_JOB_ID-$((6*7)); ls /kqi/output\n")
        expect(rows).to_contain_text("-42", timeout=START_MS)
        expect(rows).to_contain_text("index.html")
        alice.shot("run-inside")
        assert_accessible(page)

        way = page.get_by_role("link", name=f"Port {PORT}")
        opened = alice.new_tab(way)
        opened.wait_for_url(re.compile(rf"/user/alice/agent/proxy/\d+/{PORT}/"))
        expect(opened.locator("body")).to_contain_text("the page of the run")
        opened.close()

        board = page.locator("[data-run-tensorboard]")
        board.get_by_role("button", name="Start TensorBoard").click()
        expect(board).to_contain_text("It runs.", timeout=RUN_MS)
        tab = alice.new_tab(board.get_by_role("link", name="Open TensorBoard"))
        expect(tab).to_have_title("TensorBoard", timeout=START_MS)
        tab.close()
        board.get_by_role("button", name="Stop TensorBoard").click()
        expect(board).to_contain_text("It has ended.", timeout=START_MS)

        page.get_by_role("link", name="Stop", exact=True).click()
        page.get_by_role("button", name="Stop it: I have what I need").click()
