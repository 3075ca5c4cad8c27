"""Trainings and inferences in a real browser: asked for, watched, stopped, deleted."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from kqi_hub.domain.notebooks import Staging
from kqi_hub.domain.runs import Run, RunKind, RunState
from tests.browser.conftest import OpenPage
from tests.browser.data_states import furnish_data
from tests.browser.gallery import answer, no_agent, violations
from tests.browser.run_states import RunStates, furnish_runs, run_number
from tests.browser.test_account import tab_to
from tests.fakes.site import FakeSite

FOCUSED = "document.activeElement"


@pytest.fixture
def furnished_runs(site: FakeSite) -> RunStates:
    """Runs in every state."""
    return furnish_runs(site)


def named(site: FakeSite, name: str) -> Run:
    """Return a run as it is now."""
    return site.runs.store.runs[run_number(site, name)]


def saying(what: object) -> Callable[[Route], None]:
    """Answer each request with this."""
    return lambda route: answer(route, json.dumps(what))


def chosen(page: Page, name: str) -> None:
    """Tick a run of the list."""
    page.get_by_role("checkbox", name=f"Choose {name}", exact=True).check()


def test_a_training_is_asked_for_step_by_step_with_the_keyboard_alone(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page("me?tenant=vision", before=no_agent)
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/training?tenant=vision")
    tab_to(page, "Start the first training")
    page.keyboard.press("Enter")
    page.wait_for_url("**/training/new*")
    tab_to(page, "name")
    page.keyboard.type("first-steps")
    tab_to(page, "Next")
    page.keyboard.press("Enter")
    expect(page.locator("#step-1")).to_be_hidden()
    expect(page.locator("#step-2-title")).to_be_focused()
    tab_to(page, "command")
    page.keyboard.type("  echo one\necho two")
    page.locator("#step-2 [data-turns='3']").press("Enter")
    page.locator("input[name=queue][value=cpu]").press("Space")
    expect(page.locator("[data-part=estimate]")).to_contain_text("cpu")
    page.locator("#step-3 [data-turns='2']").press("Enter")
    expect(page.locator("#field-command")).to_have_value("  echo one\necho two")
    page.go_back()
    expect(page.locator("#step-3")).to_be_visible()
    tab_to(page, "Start")
    page.keyboard.press("Enter")
    page.wait_for_url("**/training/1?*")
    [run] = site.runs.store.runs.values()
    assert run.spec.command == "  echo one\necho two"
    assert (run.name, run.spec.queue, run.state) == (
        "first-steps",
        "cpu",
        RunState.ASKED,
    )
    assert site.runs.submission.begun == [run.key]
    expect(page.locator("[data-part=heard]")).to_contain_text("handed to Slurm")


def test_what_is_wrong_leads_to_its_step_and_nothing_typed_is_lost(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page("training/new?tenant=vision&queue=cpu", before=no_agent)
    page.fill("#field-name", "allowed")
    page.locator("#step-1 [data-turns='2']").click()
    command = "\n\necho \"$(id)\" '<b>' \\\n  --odd é世界"
    page.fill("#field-command", command)
    page.fill("#field-variables", "EPOCHS=10\nnonsense")
    page.locator("#step-2 [data-turns='3']").click()
    page.fill("#field-cpus", "many")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.locator("#step-2")).to_be_visible()
    expect(page.locator("#fault-variables")).to_contain_text("Line 2")
    expect(page.locator("[data-step].is-wrong")).to_have_count(2)
    expect(page.locator("#field-command")).to_have_value(command)
    assert violations(page) == []
    page.get_by_role("link", name="cpus").click()
    expect(page.locator("#field-cpus")).to_be_focused()
    page.fill("#field-cpus", "2")
    page.locator("#step-3 [data-turns='2']").click()
    page.fill("#field-variables", "EPOCHS=10")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/training/1?*")
    [run] = site.runs.store.runs.values()
    assert run.spec.command == command
    assert run.spec.variables == (("EPOCHS", "10"),)


def test_a_draft_is_kept_until_it_is_sent(open_page: OpenPage, site: FakeSite) -> None:
    page = open_page("training/new?tenant=vision", before=no_agent)
    expect(page.locator("#draft")).to_be_hidden()
    page.fill("#field-name", "half-typed")
    page.fill("#field-memo", "not yet sent")
    page.wait_for_function("() => localStorage.getItem('kqi-draft-training/mia')")
    page.goto(site.url("inference/new?tenant=vision"))
    expect(page.locator("#draft")).to_be_hidden()
    page.goto(site.url("training/new?tenant=vision"))
    page.get_by_role("button", name="Go on with it").click()
    expect(page.locator("#field-memo")).to_have_value("not yet sent")
    page.locator("[data-step='2']").click()
    page.fill("#field-command", "true")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/training/1?*")
    page.goto(site.url("training/new?tenant=vision"))
    expect(page.locator("#draft")).to_be_hidden()


def test_the_paths_of_the_dataset_that_is_typed_are_shown(
    open_page: OpenPage, site: FakeSite
) -> None:
    furnish_data(site)
    page = open_page("training/new?tenant=vision", before=no_agent)
    seen = page.locator("[data-seen]")
    expect(seen).to_be_hidden()
    page.fill("#field-dataset", "1")
    seen.get_by_text("What a job sees of the dataset").click()
    lines = seen.get_by_role("listitem")
    expect(lines).to_have_text(
        [
            "/kqi/input/testing/2/cat.jpg cats",
            "/kqi/input/training/1/notes.txt street signs",
            "/kqi/input/training/1/train/cat.png street signs",
            "/kqi/input/training/1/train/dog.png street signs",
        ]
    )
    every = seen.get_by_role("link", name="All its paths")
    expect(every).to_have_attribute("href", re.compile("/datasets/1/paths$"))
    assert violations(page) == []
    page.fill("#field-dataset", "#2")
    expect(lines).to_have_text(["/kqi/input/training/2/cat.jpg cats"])
    for nothing in ("999", "x", ""):
        page.fill("#field-dataset", "1")
        expect(lines).to_have_count(4)
        page.fill("#field-dataset", nothing)
        expect(seen).to_be_hidden()


def test_everything_works_without_script(open_page: OpenPage, site: FakeSite) -> None:
    page = open_page("training/new?tenant=vision", java_script_enabled=False)
    for number in "1234":
        expect(page.locator(f"#step-{number}")).to_be_visible()
    page.fill("#field-name", "plain")
    page.fill("#field-command", "python train.py")
    page.locator("input[name=queue][value=cpu]").check()
    page.fill("#field-cpus", "4")
    page.get_by_role("button", name="Look again").last.click()
    expect(page.locator("[data-part=estimate]")).to_contain_text("¥6 an hour")
    page.get_by_role("button", name="Make the script only").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("plain")
    expect(page.locator("#script")).to_contain_text("#SBATCH --job-name=training-1-")
    [run] = site.runs.store.runs.values()
    assert run.state is RunState.PREPARED
    assert site.runs.submission.begun == []
    page.get_by_role("link", name="Stop").click()
    page.get_by_role("button", name="Stop it: I have what I need").click()
    expect(page.locator("[data-part=now]")).to_contain_text("Stopped")


def test_a_copy_has_everything_of_the_run(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    site = furnished_runs.site
    number = run_number(site, "completed")
    page = open_page(f"training/{number}", before=no_agent)
    page.get_by_role("link", name="Copy run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Copy of training")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/training/\d+\?"))
    copy = max(site.runs.store.runs.values(), key=lambda one: one.id)
    assert copy.spec == named(site, "completed").spec
    assert copy.spec.staging is Staging.COPY


def test_an_inference_begins_filled_in_by_its_training(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    site = furnished_runs.site
    number = run_number(site, "completed")
    page = open_page(f"training/{number}", before=no_agent)
    page.get_by_role("link", name="Run inference").click()
    expect(page.locator("#field-parents")).to_have_value(str(number))
    ticked = page.locator("[data-offered] input:checked")
    expect(ticked).to_have_count(1)
    page.fill("#field-name", "on-test-set")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/inference/\d+\?"))
    made = named(site, "on-test-set")
    assert made.kind is RunKind.INFERENCE
    assert [one.id for one in made.spec.parents] == [number]
    expect(page.locator("#lineage")).to_contain_text(f"#{number}")
    page.goto(site.url(f"training/{number}"))
    expect(page.locator("[data-part=children]")).to_contain_text("on-test-set")


def test_parents_are_ticked_or_typed(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    page = open_page("training/new?tenant=vision", before=no_agent)
    first, second = (
        run_number(furnished_runs.site, name) for name in ("baseline", "failed")
    )
    page.locator(f"[data-offered] input[value='{first}']").check()
    page.locator(f"[data-offered] input[value='{second}']").check()
    expect(page.locator("#field-parents")).to_have_value(f"{first}, {second}")
    page.fill("#field-parents", str(second))
    expect(page.locator(f"[data-offered] input[value='{first}']")).not_to_be_checked()


def test_a_list_changes_while_one_looks_at_it_and_keeps_what_is_ticked(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    site = furnished_runs.site
    page = open_page("training?tenant=vision")
    row = page.locator("tr:has(a:text-is('waiting'))")
    expect(row).to_contain_text("Waiting")
    expect(row).to_contain_text("Other jobs are before it")
    chosen(page, "failed")
    chosen(page, "killed")
    furnished_runs.run(named(site, "waiting"))
    furnished_runs.shown()
    expect(row).to_contain_text("Running")
    expect(page.locator("#runs-bulk")).to_contain_text("2 chosen")
    expect(
        page.get_by_role("checkbox", name="Choose failed", exact=True)
    ).to_be_checked()


def test_several_are_tagged_stopped_and_deleted(
    open_page: OpenPage,
    furnished_runs: RunStates,
    keep_shot: Callable[[Page, str], None],
) -> None:
    site = furnished_runs.site
    page = open_page("training?tenant=vision")
    for name in ("failed", "killed"):
        chosen(page, name)
    page.get_by_role("button", name="Give the tag").click()
    assert page.evaluate(f"{FOCUSED}.id") == "bulk-tag"
    page.fill("#bulk-tag", "to-repeat")
    page.get_by_role("button", name="Give the tag").click()
    expect(page.locator("#said")).to_contain_text("to-repeat was given to 2")
    assert "to-repeat" in named(site, "failed").tags
    for name in ("running", "waiting", "failed"):
        chosen(page, name)
    page.get_by_role("button", name="Stop …").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stop these?")
    expect(page.locator("main")).to_contain_text("This run has ended")
    keep_shot(page, "runs-many-stop")
    assert violations(page) == []
    assert named(site, "running").stopping is None
    page.get_by_role("button", name="Stop them as failed").click()
    expect(page.locator("#said")).to_contain_text("Being stopped: 2")
    assert named(site, "running").stopping is RunState.KILLED
    for name in ("failed", "completed", "of-max"):
        chosen(page, name)
    page.get_by_role("button", name="Delete …").click()
    expect(page.locator("main")).to_contain_text("Other runs are built on this one")
    expect(page.locator("main")).to_contain_text("belongs to max")
    page.get_by_role("button", name="Delete them").click()
    expect(page.locator("#said")).to_contain_text("Deleted: 1")
    assert [one for one in site.runs.submission.removed if "training" in one] != []
    names = {one.name for one in site.runs.store.runs.values()}
    assert "failed" not in names
    assert {"completed", "of-max"} <= names


@pytest.mark.parametrize(
    ("button", "called"),
    [
        ("Stop it: I have what I need", RunState.USER_CANCELED),
        ("Stop it as failed", RunState.KILLED),
    ],
)
def test_a_run_is_stopped_in_one_of_two_ways(
    open_page: OpenPage, furnished_runs: RunStates, button: str, called: RunState
) -> None:
    number = run_number(furnished_runs.site, "running")
    page = open_page(f"training/{number}", before=no_agent)
    page.get_by_role("link", name="Stop").click()
    expect(page.locator(".is-kept")).to_contain_text("its log")
    page.get_by_role("button", name=button).click()
    expect(page.locator("[data-part=heard]")).to_contain_text("being stopped")
    assert named(furnished_runs.site, "running").stopping is called


def test_deleting_says_what_keeps_a_run_and_what_is_lost(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    site = furnished_runs.site
    page = open_page(f"training/{run_number(site, 'completed')}/delete")
    expect(page.locator("main")).to_contain_text("It cannot be deleted")
    expect(page.get_by_role("link", name="value-0")).to_be_visible()
    expect(page.get_by_role("button", name="Delete it")).to_have_count(0)
    number = run_number(site, "failed")
    page.goto(site.url(f"training/{number}/delete"))
    expect(page.locator(".is-lost")).to_contain_text(f"kqi/training/{number}")
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("#said")).to_contain_text("failed is deleted")
    assert number not in site.runs.store.runs


def test_name_memo_tags_and_star_change_afterwards(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    site = furnished_runs.site
    number = run_number(site, "failed")
    page = open_page(f"training/{number}", before=no_agent)
    page.get_by_role("link", name="Change", exact=True).click()
    page.fill("#field-name", "Not allowed")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".notice-bad")).to_contain_text("a-z")
    page.fill("#field-name", "renamed")
    page.fill("#field-memo", "<script>alert(1)</script>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("renamed")
    expect(page.locator(".memo-text")).to_have_text("<script>alert(1)</script>")
    page.fill("#field-tag", "checked")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".tag-forms")).to_contain_text("checked")
    page.get_by_role("button", name="Favourite: renamed").click()
    expect(page.get_by_role("button", name="Favourite: renamed")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert site.runs.store.runs[number].tags == ("checked",)
    page.goto(site.url("training?tenant=vision&favourite=yes&tag=checked"))
    expect(page.locator("[data-part=list] tbody tr")).to_have_count(1)


def test_others_runs_are_seen_and_copied_but_not_touched(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    site = furnished_runs.site
    number = run_number(site, "of-max")
    page = open_page(f"training/{number}")
    expect(page.locator("main")).to_contain_text("max's own")
    expect(page.get_by_role("link", name="Copy run")).to_be_visible()
    for name in ("Stop", "Delete", "Change", "Run inference", "Browse its results"):
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    expect(page.locator(".log")).to_have_count(0)
    page.goto(site.url(f"training/{number}/delete"))
    expect(page.locator("main")).to_contain_text("belongs to max")


def test_conditions_find_runs_and_values_are_sorted(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    page = open_page("training?tenant=vision")
    rows = page.locator("[data-part=list] tbody tr")
    before = rows.count()
    page.select_option("#field-state", "live")
    expect(rows).to_have_count(6)
    page.fill("#field-name", "run")
    expect(rows).to_have_count(1)
    page.fill("#field-name", "")
    page.select_option("#field-state", "")
    expect(rows).to_have_count(before)
    page.get_by_text("More conditions").click()
    page.fill("#field-id", "often")
    expect(page.locator("#unread")).to_contain_text("cannot be read")
    page.goto(furnished_runs.site.url("inference?tenant=vision"))
    page.get_by_role("link", name="Value", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Value")
    page.get_by_role("link", name="Value", exact=True).click()
    expect(rows.first).to_contain_text("0.9312")


def test_git_servers_are_offered_and_never_in_the_way(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page("me", before=no_agent)
    answers = {
        "servers": {"servers": [{"name": "lab"}]},
        "repositories": {
            "repositories": [{"name": "vision/net", "url": "https://git.x/net.git"}],
            "why": "",
        },
        "branches": {
            "branches": [{"name": "main", "commit": "1" * 40}],
            "tags": [{"name": "v1", "commit": "2" * 40}],
            "why": "",
        },
    }
    for name, said in answers.items():
        page.route(f"**/api/v1/git/{name}*", saying(said))
    # A server that never answers.
    page.route("**/api/v1/git/commits*", lambda route: None)
    page.goto(site.url("training/new?tenant=vision&queue=cpu&name=with-code"))
    page.locator("[data-step='2']").click()
    page.fill("#field-command", "true")
    page.fill("#field-repository", "net")
    offered = page.locator("#offered-repository option")
    expect(offered).to_have_attribute("value", "https://git.x/net.git")
    page.fill("#field-repository", "https://git.x/net.git")
    expect(page.locator("#offered-ref option")).to_have_count(2)
    page.focus("#field-commit")
    page.unroute("**/api/v1/git/branches*")
    refused = {"branches": [], "tags": [], "why": "git.y does not answer."}
    page.route("**/api/v1/git/branches*", saying(refused))
    page.fill("#field-repository", "https://git.y/other.git")
    expect(page.locator("[data-git]")).to_have_text("git.y does not answer.")
    page.fill("#field-repository", "https://git.x/net.git")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/training/1?*")
    [run] = site.runs.store.runs.values()
    assert run.spec.source is not None
    assert run.spec.source.commit == "1" * 40


def test_the_log_of_a_running_job_grows_on_the_page(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    number = run_number(furnished_runs.site, "running")
    page = open_page("me")
    agent = json.dumps({"url": "user/mia/agent/", "token": "mine-alone"})
    page.route("**/api/v1/agent", lambda route: answer(route, agent))
    data = {"from": 0, "to": 12, "size": 12, "text": "epoch 1\n<b>世界"}
    text = f"event: log\ndata: {json.dumps(data)}\n\n"
    asked: list[str] = []

    def stream(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=text, content_type="text/event-stream")

    page.route("**/user/mia/agent/**", lambda route: answer(route, "{}", 404))
    page.route("**/user/mia/agent/api/log/follow*", stream)
    page.goto(furnished_runs.site.url(f"training/{number}"))
    log = page.locator("[data-part=log-box] > .log code")
    expect(log).to_contain_text("epoch 1\n<b>世界")
    assert f"job={51_000 + number}" in asked[0]


def test_a_page_follows_its_run_to_the_end(
    open_page: OpenPage, furnished_runs: RunStates
) -> None:
    site = furnished_runs.site
    number = run_number(site, "waiting")
    page = open_page(f"training/{number}", before=no_agent)
    heard = page.locator("[data-part=heard]")
    expect(heard).to_contain_text("waits in the queue")
    expect(page.locator("[data-part=now]")).to_contain_text("Other jobs are before it")
    furnished_runs.end(named(site, "waiting"), RunState.COMPLETED, "0.99")
    furnished_runs.shown()
    expect(heard).to_contain_text("ended well")
    expect(page.locator(".phases .is-done")).to_have_count(5)
    expect(page.locator("[data-part=now]")).to_contain_text("0.99")
    expect(page.locator("[data-part=actions]")).to_contain_text("Run inference")
