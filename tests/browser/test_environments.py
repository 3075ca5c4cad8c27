"""The pages of environments in a real browser; the agent is a fake (FakeAgent)."""

import re
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import OpenPage, Show
from tests.browser.environment_states import EVERY, FakeAgent, environment, task
from tests.browser.gallery import (
    Gallery,
    each_look,
    in_both,
    lost_references,
    too_narrow,
    violations,
)
from tests.fakes.queues import job, reading
from tests.fakes.site import FakeSite

LOG = "Looking at what is needed\nDownloading 120 packages\n"


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent(*deepcopy(EVERY))


@pytest.fixture
def visit(open_page: OpenPage, site: FakeSite, agent: FakeAgent) -> Any:
    """Open a page of environments with the agent beside it, and a clock to turn."""

    def visit_one(
        path: str = "environments", turns_clock: bool = False, **about: Any
    ) -> Page:
        def prepare_for(context: BrowserContext) -> None:
            agent.serve(context)
            if turns_clock:
                context.clock.install()

        return open_page(f"{path}?tenant=vision", before=prepare_for, **about)

    return visit_one


def passing(page: Page, seconds: int, until: Callable[[], object] = bool) -> None:
    """Let the page's own clock go on, faster than ours, until something is true."""
    for _ in range(2 * seconds):
        if until():
            return
        page.clock.run_for(500)
        # What it has asked for meanwhile is answered.
        page.wait_for_timeout(40)


def row(page: Page, name: str) -> Any:
    return page.locator(f"#env-list tr[data-name='{name}']")


def order_of(page: Page, name: str, *presses: str) -> None:
    row(page, name).get_by_role("button", name="More").click()
    for press in presses:
        page.get_by_role("dialog").get_by_role("button", name=press).click()


def test_what_needs_help_comes_first_and_says_why(visit: Any) -> None:
    page = visit()
    rows = page.locator("#env-list tbody tr")
    expect(rows).to_have_count(len(EVERY))
    expect(rows.nth(0)).to_contain_text("Broken")
    expect(rows.nth(0)).to_contain_text("Its Python does not start")
    expect(rows.nth(2)).to_contain_text("notebook")
    expect(rows.nth(2)).to_contain_text("default")
    expect(rows.nth(2)).to_contain_text("18 MiB")
    expect(rows.nth(2)).to_contain_text("files: 2,494")
    expect(rows.nth(2)).to_contain_text("2026-11-21 08:30")
    expect(page.locator("#env-list")).to_contain_text("Free on scratch: 2 TiB")


def test_an_empty_scratch_leads_to_one_button(visit: Any, agent: FakeAgent) -> None:
    agent.environments.clear()
    page = visit()
    expect(page.locator("#env-none")).to_contain_text("You have no environment yet")
    page.get_by_role("button", name="Make your environment").click()
    title = page.get_by_role("heading", name="Making notebook")
    expect(title).to_be_focused()
    assert agent.orders == [
        {
            "queue": "jupyter",
            "tenant": "vision",
            "operation": "setup",
            "name": "notebook",
        }
    ]
    agent.tell(agent.tasks[0]["id"], state="done", ended_at=time.time(), text="Ready.")
    agent.environments.append(environment("notebook"))
    expect(row(page, "notebook")).to_contain_text("Ready")
    expect(page.locator(".task")).to_contain_text("Done")
    page.locator(".task").get_by_role("button", name="Close").click()
    expect(page.locator(".task")).to_have_count(0)


def test_progress_is_shown_with_phase_sizes_and_log(
    visit: Any, agent: FakeAgent
) -> None:
    found = task(state="running", phase="packages", text="Packages",
                 done=40, total=120, bytes=44_040_192, host="jup01", job_id=101,
                 began_at=time.time() - 65)  # fmt: skip
    agent.tasks.append(found)
    agent.logs[found["id"]] = LOG
    page = visit()
    panel = page.locator(".task")
    expect(panel).to_contain_text("Making fresh")
    expect(panel).to_contain_text("Fetching and linking packages")
    expect(panel).to_contain_text("40 of 120 · 42 MiB")
    expect(panel).to_contain_text(re.compile("1 min [0-9]+ sec"))
    expect(panel.locator("progress")).to_have_js_property("value", 40)
    panel.get_by_text("What it says").click()
    expect(panel.locator("code")).to_have_text(LOG)
    agent.logs[found["id"]] = LOG + "Done\n"
    agent.tell(found["id"], done=120)
    expect(panel.locator("code")).to_have_text(LOG + "Done\n")
    expect(panel.locator("progress")).to_have_js_property("value", 120)
    assert violations(page) == []


def test_why_it_waits_is_said_in_words(
    visit: Any, agent: FakeAgent, site: FakeSite
) -> None:
    waits = job(4711, "mia", "jupyter", "PENDING", reason="Priority")
    site.queues.store.save(replace(reading(time.time()), jobs=(waits,)), {})
    agent.tasks.append(task(state="waiting", job_id=4711))
    page = visit()
    why = page.locator(".task [data-slot=why]")
    expect(why).to_contain_text("Why it waits")
    expect(why.locator("p").nth(1)).not_to_have_text("")


def test_a_job_that_slurm_lost_is_checked_once(
    visit: Any, agent: FakeAgent, site: FakeSite
) -> None:
    site.queues.store.save(reading(time.time()), {})
    agent.tasks.append(task(state="waiting", job_id=99999, asked_at=time.time() - 600))
    page = visit(turns_clock=True)

    def checks() -> list[str]:
        return [one for one in agent.asked if one.endswith("/check")]

    passing(page, 30, checks)
    assert checks() == [f"POST api/environments/tasks/{agent.tasks[0]['id']}/check"]
    passing(page, 12)
    assert len(checks()) == 1


def test_it_is_cancelled_and_failures_say_what_to_do(
    visit: Any, agent: FakeAgent
) -> None:
    agent.tasks.append(task(0, state="running", job_id=101))
    agent.tasks.append(task(1, state="running", job_id=102, name="other"))
    page = visit()
    panel = page.locator(".task", has_text="Making fresh")
    panel.get_by_role("button", name="Cancel").click()
    expect(panel).to_contain_text("Cancelled")
    error = {"code": "no_room", "message": "This needs 5 GB.", "hint": "Free some."}
    agent.tell(agent.tasks[1]["id"], state="refused", error=error, ended_at=time.time())
    other = page.locator(".task", has_text="Making other")
    expect(other.locator("[data-slot=error]")).to_contain_text("This needs 5 GB.")
    expect(other.locator("[data-slot=error]")).to_contain_text("Free some.")


def test_a_reset_says_what_is_lost_and_asks(visit: Any, agent: FakeAgent) -> None:
    page = visit()
    order_of(page, "notebook", "Reset …")
    sure = page.get_by_role("dialog")
    expect(sure).to_contain_text("Packages that you have installed into it since")
    expect(sure).to_contain_text("Workspace, logs, notebooks")
    assert agent.orders == []
    sure.get_by_role("button", name="Keep it as it is").click()
    expect(sure).to_be_hidden()
    order_of(page, "notebook", "Reset …")
    sure.get_by_label("Bring my packages back afterwards").check()
    sure.get_by_role("button", name="Reset it").click()
    expect(page.locator(".task")).to_contain_text("Resetting notebook")
    assert agent.orders == [
        {"queue": "jupyter", "tenant": "vision", "operation": "reset",
         "name": "notebook", "base": "notebook", "bring_back": True}
    ]  # fmt: skip


def test_a_delete_asks_by_keyboard_alone(visit: Any, agent: FakeAgent) -> None:
    page = visit()
    row(page, "torch-2.5").get_by_role("button", name="More").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Environment")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Delete …").focus()
    page.keyboard.press("Enter")
    sure = page.get_by_role("dialog", name="Delete this environment?")
    expect(sure).to_be_visible()
    page.keyboard.press("Escape")
    expect(sure).to_be_hidden()
    assert agent.orders == []
    order_of(page, "torch-2.5", "Delete …")
    sure.get_by_role("button", name="Delete it").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".task")).to_contain_text("Deleting torch-2.5")
    assert [one["operation"] for one in agent.orders] == ["delete"]


@pytest.mark.parametrize(
    ("name", "button", "operation"),
    [("notebook", "Verify", "verify"), ("old-one", "Repair", "repair"),
     ("notebook", "Add the plug-ins", "plugins"),
        ("notebook", "Bring my packages back", "bring-back")],
)  # fmt: skip
def test_what_loses_nothing_does_not_ask(
    visit: Any, agent: FakeAgent, name: str, button: str, operation: str
) -> None:
    page = visit()
    order_of(page, name, button)
    expect(page.locator(".task")).to_contain_text(name)
    assert [(one["operation"], one["name"]) for one in agent.orders] == [
        (operation, name)
    ]


def test_a_broken_one_is_repaired_from_its_row(visit: Any, agent: FakeAgent) -> None:
    page = visit()
    page.get_by_role("button", name="Repair : old-one").click()
    expect(page.locator(".task")).to_contain_text("Repairing old-one")


@pytest.mark.parametrize("form", ["environment.yml", "explicit.txt", "lock"])
def test_an_export_is_downloaded(visit: Any, form: str) -> None:
    page = visit()
    with page.expect_download() as download:
        order_of(page, "MyOwn_env", form)
    text = Path(download.value.path()).read_text()
    assert text.endswith(" of MyOwn_env\n")
    assert download.value.suggested_filename.startswith("kept.")


def test_an_example_is_copied_on_request(visit: Any) -> None:
    page = visit()
    page.get_by_text("Example notebooks").click()
    page.get_by_role("button", name="Copy : iris_ex").click()
    expect(page.locator("#said")).to_contain_text("workspace/iris_ex-1.ipynb")


def test_another_becomes_the_default(visit: Any, agent: FakeAgent) -> None:
    page = visit()
    order_of(page, "torch-2.5", "Make it the default")
    expect(row(page, "torch-2.5").locator("[data-slot=default]")).to_be_visible()
    expect(row(page, "notebook").locator("[data-slot=default]")).to_be_hidden()
    assert agent.default == "torch-2.5"


def test_a_second_tab_shows_the_same(visit: Any, agent: FakeAgent) -> None:
    first = visit()
    second = first.context.new_page()
    second.goto(first.url)
    expect(row(second, "notebook")).to_be_visible()
    order_of(first, "notebook", "Verify")
    expect(first.locator(".task")).to_contain_text("Verifying notebook")
    second.bring_to_front()
    expect(second.locator(".task")).to_contain_text("Verifying notebook")


def test_one_that_is_worked_on_shows_how_far_that_is(
    visit: Any, agent: FakeAgent
) -> None:
    page = visit()
    expect(row(page, "notebook")).to_be_visible()
    other = task(0, state="running", name="notebook", operation="reset")
    agent.tasks.append(other)
    agent.refuses = (409, {"error": "busy", "message": "busy", "task": other["id"]})
    order_of(page, "notebook", "Verify")
    expect(page.locator(".task")).to_contain_text("Resetting notebook")
    expect(page.locator("#said")).to_contain_text("worked on already")


def test_a_refusal_is_said_and_the_page_stays(visit: Any, agent: FakeAgent) -> None:
    said = {"error": "slurm-refuses", "message": "Slurm does not take the job: no."}
    agent.refuses = (400, said)
    page = visit()
    order_of(page, "notebook", "Verify")
    expect(page.locator("#failed")).to_contain_text("Slurm does not take the job")
    expect(page.locator(".task")).to_have_count(0)


def away(route: Route) -> None:
    """Answer as a proxy that has no such agent, and none that starts."""
    route.fulfill(status=403, body="<p>no", content_type="text/html")


def test_an_agent_that_starts_and_one_that_is_away_are_told(
    visit: Any, agent: FakeAgent
) -> None:
    agent.is_starting = True
    page = visit()
    expect(page.locator("#env-line")).to_contain_text("is being started")
    agent.is_starting = False
    expect(row(page, "notebook")).to_be_visible()
    page.context.unroute("**/user/mia/agent/**")
    page.context.route("**/user/mia/agent/**", away)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#env-old")).to_contain_text("Your agent does not answer")
    expect(row(page, "notebook")).to_be_visible()


def test_an_agent_that_never_comes_leaves_a_way_on(
    visit: Any, agent: FakeAgent
) -> None:
    page = visit("me")
    page.context.unroute("**/user/mia/agent/**")
    page.context.route("**/user/mia/agent/**", away)
    page.goto(page.url.replace("/me", "/environments"))
    expect(page.locator("#env-failed")).to_contain_text("Not available right now")
    assert violations(page) == []
    with page.expect_request("**/user/mia/agent/**"):
        page.get_by_role("button", name="Try again").click()
    # The page may have asked again by itself, too.
    page.context.unroute("**/user/mia/agent/**")
    agent.serve(page.context)
    page.locator("[data-does=again]").dispatch_event("click")
    expect(row(page, "notebook")).to_be_visible()


@pytest.mark.parametrize(
    ("source", "text", "field"),
    [("A base of this site", "", "base"),
     ("environment.yml", "name: x\ndependencies:\n  - python\n", "yml"),
     ("Lock or explicit list", "version: 6\n", "lock"),
     ("Lock or explicit list", "# made\n@EXPLICIT\nfile:///x.conda#ab\n", "explicit"),
     ("An export from here", "packages: []\n", "import")],
)  # fmt: skip
def test_one_is_made_from_whatever_one_has(
    visit: Any, agent: FakeAgent, source: str, text: str, field: str
) -> None:
    page = visit("environments/new")
    page.get_by_label("Name", exact=True).fill("fresh")
    page.get_by_role("radio", name=re.compile(f"^{source}")).check()
    if text:
        page.get_by_label("or its text").fill(text)
    else:
        page.get_by_role("radio", name=re.compile("^Minimal")).check()
        expect(page.locator("#env-form")).to_contain_text("It needs up to 91.6 MiB")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator(".task")).to_contain_text("Making fresh")
    assert agent.orders == [
        {"queue": "jupyter", "tenant": "vision", "operation": "create",
         "name": "fresh", field: text or "minimal"}
    ]  # fmt: skip


def test_a_file_is_read_into_the_form_and_one_that_is_no_text_refused(
    visit: Any, agent: FakeAgent, tmp_path: Path
) -> None:
    page = visit("environments/new")
    page.get_by_role("radio", name="environment.yml").check()
    good, bad = tmp_path / "environment.yml", tmp_path / "picture.yml"
    good.write_text("name: 手\n")
    bad.write_bytes(b"\x89PNG\0\0")
    page.locator("#env-upload").set_input_files(good)
    expect(page.get_by_label("or its text")).to_have_value("name: 手\n")
    page.locator("#env-upload").set_input_files(bad)
    expect(page.get_by_role("alert").first).to_contain_text("cannot be read as text")
    expect(page.get_by_label("or its text")).to_have_value("name: 手\n")


def test_where_the_site_works_on_its_own_machine_there_is_no_queue(
    visit: Any, agent: FakeAgent
) -> None:
    agent.run_on = "hub"
    page = visit("environments/new")
    page.get_by_label("Name", exact=True).fill("fresh")
    expect(page.get_by_label("Queue")).to_be_hidden()
    page.get_by_role("button", name="Make it").click()
    expect(page.locator(".task")).to_contain_text("Making fresh")
    assert "queue" not in agent.orders[0]


def test_a_queue_that_the_site_has_set_goes_first(visit: Any, agent: FakeAgent) -> None:
    agent.queue = "cpu"
    page = visit()
    order_of(page, "notebook", "Verify")
    expect(page.locator(".task")).to_contain_text("Verifying notebook")
    assert agent.orders[0]["queue"] == "cpu"
    order_of(page, "torch-2.5", "Delete …")
    expect(page.get_by_role("dialog").get_by_label("Queue")).to_have_value("cpu")


def test_names_are_shown_as_they_are(visit: Any, agent: FakeAgent) -> None:
    name = "<img src=x onerror=alert(1)>{count}"
    agent.environments.append(environment(name, state="broken", why={
        "code": "x", "text": "<b>because</b>"}))  # fmt: skip
    page = visit()
    found = page.locator("#env-list tr", has_text="<img src=x")
    expect(found).to_contain_text("<b>because</b>")
    found.get_by_role("button", name="More").click()
    expect(page.get_by_role("dialog")).to_contain_text(name)
    assert page.locator("#env-list img").count() == 0


def test_it_is_reached_by_keys(open_page: OpenPage, agent: FakeAgent) -> None:
    page = open_page("me", before=agent.serve)
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page.get_by_role("heading", level=1)).to_have_text("Environments")


def prepare(page: Page, kind: str) -> None:
    """Bring a page into a state that is worth a look."""
    expect(page.locator("#env-loading")).to_be_hidden()
    if kind == "more":
        row(page, "notebook").get_by_role("button", name="More").click()
    if kind == "sure":
        order_of(page, "notebook", "Reset …")
    if kind == "task":
        page.locator(".task summary").click()
        expect(page.locator(".task code")).to_contain_text("Downloading")


KINDS = ("list", "none", "task", "more", "sure", "new")


@pytest.fixture
def look(show: Show, gallery: Gallery, agent: FakeAgent) -> Iterator[Show]:
    """Show a page of the gallery with the agent beside it."""
    page = gallery.open("mia", "en")
    agent.serve(page)
    yield show
    page.goto("about:blank")
    page.unroute_all()


@in_both(KINDS)
def test_each_state_is_readable_by_everybody(
    look: Show, agent: FakeAgent, keep_shot: Any, name: str, looks: Any
) -> None:
    furnish(agent, name)
    colours, size = looks[0]
    page = look(path_of(name), colours=colours, size=size)
    prepare(page, name)
    assert lost_references(page) == []
    for shown in each_look(page, looks):
        keep_shot(page, f"environments-{name}-{shown}")
        assert violations(page) == []


@pytest.mark.parametrize("name", KINDS)
def test_no_state_has_to_be_scrolled_sideways(
    look: Show, agent: FakeAgent, name: str
) -> None:
    furnish(agent, name)
    page = look(path_of(name))
    prepare(page, name)
    assert too_narrow(page) == []


def path_of(kind: str) -> str:
    path = "environments/new" if kind == "new" else "environments"
    return f"{path}?tenant=vision"


def furnish(agent: FakeAgent, kind: str) -> None:
    """Give the agent what a state is about."""
    if kind == "none":
        agent.environments.clear()
    if kind == "task":
        found = task(state="running", text="Packages", done=40, total=120,
                     bytes=44_040_192, host="jup01", job_id=101, phase="packages",
                     began_at=time.time() - 65)  # fmt: skip
        agent.tasks.append(found)
        agent.tasks.append(task(1, state="done", ended_at=time.time(), name="other"))
        agent.logs[found["id"]] = LOG
