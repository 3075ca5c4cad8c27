"""The pages of notebooks in a real browser: every state, and what people do there."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from kqi_hub.domain.notebooks import Cause, Phase
from tests.browser.conftest import OpenPage, Show
from tests.browser.gallery import (
    Gallery,
    answer,
    each_look,
    fits,
    in_both,
    no_agent,
    too_narrow,
    violations,
)
from tests.browser.notebook_states import Furnished, number_of
from tests.browser.test_account import tab_to
from tests.fakes.site import FakeSite

FOCUSED = "document.activeElement"
STATES = (
    *("never-started", "running", "waiting", "starting", "asked", "failed-early"),
    *("out-of-memory", "idle", "refused", "lost", "node-failed", "lifetime"),
)
PATHS = {
    "list": "notebooks",
    "list-unread": "notebooks?id=two",
    "list-nothing-found": "notebooks?name=nothing-of-this-name",
    "new": "notebooks/new",
    "new-by-link": "notebooks/new?queue=v100&cpus=8&memory_gb=32&gpus=1&name=linked",
    "new-impossible": "notebooks/new?queue=v100&cpus=800&name=far-too-large",
    "logout": "logout",
    **{f"one-{name}": f"notebooks/[{name}]" for name in STATES},
    "one-stopping": f"notebooks/[{'x' * 30}]",
    "change-running": "notebooks/[running]/edit",
    "stop": "notebooks/[running]/stop",
    "delete": "notebooks/[idle]/delete",
}


def path_of(site: FakeSite, path: str) -> str:
    """Replace [name] by the number of that notebook."""
    start, bracket, rest = path.partition("[")
    if not bracket:
        return path
    name, _, end = rest.partition("]")
    return f"{start}{number_of(site, name)}{end}"


@in_both(PATHS)
def test_every_page_and_state_is_accessible_and_fits(
    show: Show,
    gallery: Gallery,
    keep_shot: Callable[[Page, str], None],
    name: str,
    looks: Any,
) -> None:
    path = path_of(gallery.site, PATHS[name])
    colours, size = looks[0]
    page = show(path, colours=colours, size=size)
    for look in each_look(page, looks):
        keep_shot(page, f"notebooks-{name}-{look}")
        assert violations(page) == []
        assert fits(page)


@pytest.mark.parametrize("name", ["list", "one-running", "new-impossible", "logout"])
def test_no_width_makes_a_page_scroll_sideways(
    show: Show, gallery: Gallery, name: str
) -> None:
    assert too_narrow(show(path_of(gallery.site, PATHS[name]))) == []


@in_both(["empty"])
def test_the_empty_list_leads_to_the_first_notebook(
    show: Show,
    keep_shot: Callable[[Page, str], None],
    name: str,
    looks: Any,
) -> None:
    colours, size = looks[0]
    page = show("notebooks", "max", colours=colours, size=size)
    for look in each_look(page, looks):
        keep_shot(page, f"notebooks-{name}-{look}")
        assert violations(page) == []
    page.get_by_role("link", name="Make your first notebook").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New notebook")


def test_a_notebook_is_made_started_and_opened_with_the_keyboard_alone(
    open_page: OpenPage, made: Furnished
) -> None:
    page = open_page("me")
    no_agent(page)
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.wait_for_url("**/notebooks?tenant=*")
    tab_to(page, "Make your first notebook")
    page.keyboard.press("Enter")
    page.wait_for_url("**/notebooks/new*")
    tab_to(page, "name")
    page.keyboard.press("Control+a")
    page.keyboard.type("first-steps")
    with page.expect_navigation():
        page.select_option("#field-tenant", "vision")
    expect(page.locator("#field-name")).to_have_value("first-steps")
    page.focus("#field-name")
    page.keyboard.press("Enter")
    page.wait_for_url("**/notebooks/1")
    expect(page.locator("#opens-itself")).to_be_visible()
    [live] = made.sessions.live("mia")
    made.sessions.submitted(live.id, 48_001, made.now)
    expect(page.locator("[data-part=heard]")).to_contain_text("Waiting")
    for phase in (Phase.NODE, Phase.ENVIRONMENT, Phase.SERVER):
        made.sessions.reached(live.id, phase, made.now)
    expect(page.locator("[data-part=heard]")).to_contain_text("about to answer")
    expect(page.locator(".phases .is-done")).to_have_count(4)
    made.sessions.reached(live.id, Phase.READY, made.now + 1)
    page.wait_for_url("**/user/mia/nb-1/lab")


def start_anew(page: Page, furnished: Furnished, name: str) -> int:
    number = number_of(furnished.site, name)
    page.goto(furnished.site.url(f"notebooks/{number}"))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("[data-part=heard]")).to_contain_text("handed to Slurm")
    return number


def test_another_tab_and_a_link_never_open_it(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page("me")
    no_agent(page)
    number = start_anew(page, furnished, "never-started")
    other = page.context.new_page()
    no_agent(other)
    other.goto(f"{page.url}?opens=1#start")
    expect(other.locator("#opens-itself")).to_be_hidden()
    page.get_by_role("button", name="Do not open it").click()
    expect(page.locator("#opens-itself")).to_be_hidden()
    live = furnished.sessions.live_of_server("mia", number)
    assert live is not None
    furnished.sessions.reached(live.id, Phase.READY, furnished.now)
    for one in (page, other):
        expect(one.get_by_role("link", name="Open JupyterLab")).to_be_visible()
        assert f"/notebooks/{number}" in one.url


def test_a_start_is_cancelled_at_once(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page("me")
    no_agent(page)
    number = start_anew(page, furnished, "never-started")
    page.get_by_role("button", name="Cancel the start").click()
    expect(page.locator("[data-part=heard]")).to_contain_text("Stopping")
    live = furnished.sessions.live_of_server("mia", number)
    assert live is not None
    assert live.stopping is Cause.STOPPED


def test_a_link_fills_in_the_form_and_starts_nothing(
    open_page: OpenPage, made: Furnished
) -> None:
    page = open_page(PATHS["new-by-link"] + "&then=start&tenant=vision")
    expect(page.locator("main")).to_contain_text("Filled in by a link")
    expect(page.locator("#field-cpus")).to_have_value("8")
    assert made.store.notebooks == {}
    page.reload()
    assert made.store.notebooks == {}
    # The form asks the person's agent for the environments: that is no job.
    servers = {words[2] for words in made.site.notebooks.hub.asked if words[2:]}
    assert servers <= {"agent"}


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    open_page: OpenPage, made: Furnished
) -> None:
    page = open_page("notebooks/new?queue=jupyter&tenant=vision")
    typed = {
        "name": 'Not <b>"allowed"',
        "cpus": "many",
        "memory_gb": "16",
        "variables": "EPOCHS=10\nnonsense",
        "memo": "two\nlines",
    }
    for name, value in typed.items():
        page.fill(f"#field-{name}", value)
    page.get_by_role("button", name="Save without starting").click()
    for name in ("cpus", "variables"):
        expect(page.locator(f"#fault-{name}")).to_be_visible()
        expect(page.locator(f"#field-{name}")).to_have_attribute("aria-invalid", "true")
    for name, value in typed.items():
        expect(page.locator(f"#field-{name}")).to_have_value(value)
    assert page.evaluate(f"{FOCUSED}.getAttribute('role')") == "alert"
    assert violations(page) == []
    page.fill("#field-cpus", "2")
    page.fill("#field-variables", "EPOCHS=10")
    page.get_by_role("button", name="Save without starting").click()
    expect(page.locator("#fault-name")).to_contain_text("a-z")
    page.fill("#field-name", "allowed")
    page.get_by_role("button", name="Save without starting").click()
    page.wait_for_url("**/notebooks/1")
    [kept] = made.store.notebooks.values()
    assert kept.choices.memo == "two\nlines"
    assert kept.choices.variables == (("EPOCHS", "10"),)
    assert kept.choices.shape.memory_mb == 16 * 1024


def test_price_and_wait_follow_what_is_typed(
    open_page: OpenPage, made: Furnished
) -> None:
    page = open_page("notebooks/new?queue=cpu&tenant=vision")
    box = page.locator("[data-part=estimate]")
    page.fill("#field-cpus", "4")
    expect(box).to_contain_text("¥6 an hour")
    page.fill("#field-cpus", "4000")
    expect(box).to_contain_text("4000 CPUs")
    page.locator("input[name=queue][value=jupyter]").check()
    page.fill("#field-cpus", "2")
    expect(box).to_contain_text("free")
    expect(box).to_contain_text("at once")


def test_a_start_that_slurm_would_refuse_is_said_in_the_form(
    open_page: OpenPage, made: Furnished
) -> None:
    page = open_page("notebooks/new?queue=cpu&cpus=4000&name=large&tenant=vision")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("cannot start")
    expect(page.locator("#field-cpus")).to_have_value("4000")
    page.fill("#field-cpus", "4")
    page.get_by_role("button", name="Save and start").click()
    page.wait_for_url("**/notebooks/1")
    assert len(made.sessions.live("mia")) == 1


def test_without_a_lifetime_only_where_the_tenant_may(
    open_page: OpenPage, made: Furnished
) -> None:
    page = open_page("notebooks/new?queue=jupyter&name=endless&tenant=vision")
    expect(page.locator("#field-unlimited")).to_have_count(0)
    page.select_option("#field-tenant", "nlp")
    page.locator("#field-unlimited").check()
    expect(page.locator("#field-lifetime_h")).to_be_hidden()
    page.get_by_role("button", name="Save without starting").click()
    page.wait_for_url("**/notebooks/1")
    [kept] = made.store.notebooks.values()
    assert (kept.choices.tenant, kept.choices.lifetime_s) == ("nlp", None)


def test_a_notebook_is_changed_copied_and_started_again_with_more(
    open_page: OpenPage, furnished: Furnished
) -> None:
    path = path_of(furnished.site, "notebooks/[out-of-memory]")
    page = open_page(path, before=no_agent)
    page.get_by_role("link", name="Start with changes").click()
    page.fill("#field-memory_gb", "32")
    page.get_by_role("button", name="Save and start").click()
    expect(page.locator("[data-part=heard]")).to_contain_text("handed to Slurm")
    number = number_of(furnished.site, "out-of-memory")
    live = furnished.sessions.live_of_server("mia", number)
    assert live is not None
    assert live.chosen.shape.memory_mb == 32 * 1024
    page.get_by_role("link", name="Copy").click()
    expect(page.locator("#field-name")).to_have_value("out-of-memory-2")
    expect(page.locator("#field-memory_gb")).to_have_value("32")


def test_name_and_memo_change_while_it_runs(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page(path_of(furnished.site, "notebooks/[waiting]/edit"))
    page.fill("#field-name", "renamed")
    page.fill("#field-memo", "<script>alert(1)</script>")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("renamed")
    expect(page.locator(".lead")).to_have_text("<script>alert(1)</script>")


def test_a_form_that_is_older_than_the_last_change_is_refused_and_kept(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page(path_of(furnished.site, "notebooks/[idle]/edit"))
    page.fill("#field-memo", "mine")
    number = number_of(furnished.site, "idle")
    seen = furnished.store.notebooks[number]
    changed = furnished.store.change(
        number, seen.choices, seen.changed_at, furnished.now
    )
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("changed meanwhile")
    expect(page.locator("#field-memo")).to_have_value("mine")
    assert furnished.store.notebooks[number].choices == changed.choices


def test_everything_works_without_script(open_page: OpenPage, made: Furnished) -> None:
    page = open_page("notebooks/new?tenant=vision", java_script_enabled=False)
    page.locator("input[name=preset][value='']").check()
    page.fill("#field-name", "plain")
    page.locator("input[name=queue][value=cpu]").check()
    page.fill("#field-cpus", "4")
    page.get_by_role("button", name="Look again").click()
    expect(page.locator("[data-part=estimate]")).to_contain_text("¥6 an hour")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("plain")
    page.get_by_role("button", name="Cancel the start").click()
    [one] = made.sessions.live("mia")
    assert one.stopping is Cause.STOPPED


def test_the_log_grows_on_the_page(open_page: OpenPage, furnished: Furnished) -> None:
    page = open_page("me")
    agent = json.dumps({"url": "user/mia/agent/", "token": "mine-alone"})
    page.route("**/api/v1/agent", lambda route: answer(route, agent))
    told = [
        ("log", {"from": 0, "to": 6, "size": 6, "text": "hello\n"}),
        ("log", {"from": 6, "to": 14, "size": 14, "text": "<b>世界"}),
    ]
    text = "".join(f"event: {n}\ndata: {json.dumps(d)}\n\n" for n, d in told)
    asked: list[str] = []

    def stream(route: Route) -> None:
        asked.append(route.request.headers["authorization"])
        if len(asked) == 1:
            # The agent is not there yet: the hub itself answers.
            route.fulfill(status=424, body="starting")
        else:
            route.fulfill(body=text, content_type="text/event-stream")

    page.route("**/user/mia/agent/api/log/follow*", stream)
    page.goto(furnished.site.url(path_of(furnished.site, "notebooks/[running]")))
    expect(page.locator("#log-state")).to_contain_text("is being started")
    expect(page.locator(".log code")).to_contain_text("hello\n<b>世界")
    expect(page.locator("#log-state")).to_contain_text("as it grows")
    assert asked[0] == "Bearer mine-alone"


def test_after_an_early_death_the_end_of_the_log_is_there(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page("me")
    agent = json.dumps({"url": "user/mia/agent/", "token": "t"})
    page.route("**/api/v1/agent", lambda route: answer(route, agent))
    piece = {"job": 1, "from": 0, "to": 9, "size": 9, "text": "no torch2"}
    page.route(
        "**/user/mia/agent/api/log?*", lambda route: answer(route, json.dumps(piece))
    )
    page.goto(furnished.site.url(path_of(furnished.site, "notebooks/[failed-early]")))
    expect(page.locator(".log code")).to_have_text("no torch2")
    expect(page.locator("main")).to_contain_text("the environment torch2 is not there")
    page.get_by_role("link", name="Change it and start again").click()
    expect(page.get_by_role("button", name="Save and start")).to_be_visible()


def test_stopping_and_deleting_say_what_is_lost_and_what_stays(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page("notebooks")
    page.get_by_role("link", name="Stop : running").click()
    expect(page.locator(".is-lost")).to_contain_text("only in memory")
    expect(page.locator(".is-kept")).to_contain_text("All your files")
    page.get_by_role("link", name="Keep it running").click()
    page.get_by_role("link", name="Stop").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator("[data-part=heard]")).to_contain_text("Stopping")
    idle = number_of(furnished.site, "idle")
    page.goto(furnished.site.url(f"notebooks/{idle}/delete"))
    expect(page.locator(".is-lost")).to_contain_text("times and causes: 1")
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("#said")).to_contain_text("Its files are still there")
    assert idle not in furnished.store.notebooks


def test_logging_out_asks_and_does_as_it_is_told(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page("notebooks")
    page.click("details.menu > summary")
    page.get_by_role("link", name="Log out").click()
    expect(page.get_by_role("radio", name="Stop them all")).to_be_checked()
    page.get_by_role("radio", name="Leave them running").check()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/hub/logout")
    assert all(
        one.stopping is None
        for one in furnished.sessions.live("mia")
        if one.chosen.name != "x" * 30
    )


def test_logging_out_stops_everything_when_that_is_chosen(
    open_page: OpenPage, furnished: Furnished
) -> None:
    page = open_page("logout")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/hub/logout")
    assert {one.stopping for one in furnished.sessions.live("mia")} == {Cause.STOPPED}


def test_with_nothing_running_one_is_logged_out_at_once(
    open_page: OpenPage, made: Furnished
) -> None:
    page = open_page("logout")
    assert page.url.endswith("/hub/logout")
