"""Trainings and inferences with mouse and keys: from the form to the value in the list.

Log and files come from the person's own agent, as they do on a site.
"""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cluster.browser import assert_accessible, chromium
from tests.cluster.stack import Stack
from tests.cluster.walker import Walker, walker

NAME, TENANT = "alice", "vision"
# Slurm, the runner, the worker's next look and the page, on a busy machine.
RUN_MS = 180_000
TRAIN = """\
python3 - <<'END'
import os, pathlib, sys, time
out = pathlib.Path(os.environ["KQI_OUTPUT"])
for step in range(8):
    print(f"step {step}", flush=True)
    time.sleep(1)
(out / "model.txt").write_text("weights of %s" % os.environ["WHO"])
END
"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def alice(stack: Stack, browser: Browser) -> Iterator[Walker]:
    with walker(stack, browser, NAME) as one:
        yield one


def fill_in(page: Page, **fields: str) -> None:
    """Fill in fields of the form, each in its step."""
    for name, value in fields.items():
        field = page.locator(f"#field-{name}")
        if not field.is_visible():
            step = field.locator("xpath=ancestor::section[1]").get_attribute("id")
            page.locator(f"[data-step='{str(step)[-1]}']").click()
        field.fill(value)


def start(page: Page) -> int:
    """Press Start; return the number of the run whose page follows."""
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/(training|inference)/\d+\?"))
    found = re.search(r"/(\d+)\?", page.url)
    return int(found[1]) if found else 0


def small(page: Page) -> None:
    """Choose a small place in the queue that has room."""
    page.locator("[data-step='3']").click()
    page.locator("input[name=queue][value=cpu]").check()
    fill_in(page, cpus="1", memory_gb="0.5", gpus="0", lifetime_h="0.5")


def test_a_training_is_watched_to_its_end_and_its_result_put_to_work(
    alice: Walker,
) -> None:
    page, name = alice.page, f"walk-{secrets.token_hex(4)}"
    page.goto(f"{alice.portal}/training/new?tenant={TENANT}")
    fill_in(
        page,
        name=name,
        memo="walked <b>here</b>",
        tags="walk",
        command=TRAIN,
        variables="WHO=the walker",
    )
    small(page)
    expect(page.locator("[data-part=estimate]")).to_contain_text("cpu")
    number = start(page)
    heard = page.locator("[data-part=heard]")
    expect(heard).to_contain_text("Running", timeout=RUN_MS)
    log = page.locator("[data-part=log-box] > .log code")
    expect(log).to_contain_text("step 1", timeout=RUN_MS)
    expect(page.locator("[data-run-inside]")).to_contain_text("Command", timeout=RUN_MS)
    alice.shot("run-running")
    assert_accessible(page)
    expect(heard).to_contain_text("Completed", timeout=RUN_MS)
    expect(log).to_contain_text("step 7", timeout=RUN_MS)
    expect(page.locator("[data-part=now]")).to_contain_text("Exit code")
    expect(page.locator("#script code").last).to_contain_text("#SBATCH --job-name=")
    page.get_by_role("link", name="Browse its results").click()
    expect(page.locator("main")).to_contain_text("model.txt", timeout=RUN_MS)
    alice.shot("run-results")
    page.goto(f"{alice.portal}/training/{number}?tenant={TENANT}")
    page.get_by_role("link", name="Run inference").click()
    expect(page.locator("#field-parents")).to_have_value(str(number))
    # One parent is there as /kqi/parent itself, two would be folders in it.
    command = (
        'grep -q walker "$KQI_HOME/parent/model.txt" &&'
        ' echo 0.93 > "$KQI_OUTPUT/value.txt"'
    )
    fill_in(page, name=f"{name}-i", command=command)
    second = start(page)
    expect(heard).to_contain_text("Completed", timeout=RUN_MS)
    expect(page.locator("[data-part=now]")).to_contain_text("0.93")
    expect(page.locator("#lineage")).to_contain_text(name)
    page.goto(f"{alice.portal}/inference?tenant={TENANT}&sort=-value")
    row = page.locator("tr", has=page.locator(f"#name-{second}"))
    expect(row).to_contain_text("0.93")
    alice.shot("run-values")
    page.goto(f"{alice.portal}/training/{number}/delete?tenant={TENANT}")
    expect(page.locator("main")).to_contain_text("It cannot be deleted")
    for way in (f"inference/{second}", f"training/{number}"):
        page.goto(f"{alice.portal}/{way}/delete?tenant={TENANT}")
        page.get_by_role("button", name="Delete it").click()
        expect(page.locator("#said")).to_contain_text("is deleted")
    assert not Path(f"/scratch/{NAME}/kqi/training/{number}").exists()


def test_a_run_is_stopped_and_copied(alice: Walker) -> None:
    page = alice.page
    page.goto(f"{alice.portal}/training/new?tenant={TENANT}")
    fill_in(page, name=f"walk-{secrets.token_hex(4)}", command="sleep 600")
    small(page)
    start(page)
    heard = page.locator("[data-part=heard]")
    expect(heard).to_contain_text("Running", timeout=RUN_MS)
    page.get_by_role("link", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop it as failed").click()
    expect(heard).to_contain_text("Killed", timeout=RUN_MS)
    page.get_by_role("link", name="Copy run").click()
    page.locator("[data-step='2']").click()
    expect(page.locator("#field-command")).to_have_value("sleep 600")
