"""The page of files while things change: agents, networks, other tabs; and by keys."""

from playwright.sync_api import expect

from tests.browser.conftest import Complaints, OpenPage
from tests.browser.files_lab import (
    FILES,
    FilesLab,
    VisitFiles,
    line_of,
    open_line,
)
from tests.browser.gallery import violations
from tests.fakes.site import FakeSite


def test_the_agent_is_waited_for_while_it_starts(
    files: FilesLab, open_page: OpenPage, site: FakeSite
) -> None:
    files.write("workspace/there.txt")
    files.may_start = False
    page = open_page("me")
    files.serve(page.context)
    page.goto(site.url("files"))
    expect(page.locator("#files-line")).to_contain_text("is being started")
    assert violations(page) == []
    files.may_start = True
    expect(line_of(page, "there.txt")).to_be_visible()
    assert files.starts == 1


def test_an_agent_that_does_not_come_is_said_to_be_away_and_tried_again(
    files: FilesLab, open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page("me")
    page.context.route("**/api/v1/agent", lambda route: route.fulfill(status=503))
    page.goto(site.url("files"))
    expect(page.locator("#files-failed")).to_contain_text("cannot be reached")
    assert violations(page) == []
    page.context.unroute("**/api/v1/agent")
    files.serve(page.context)
    # By itself, without a click.
    expect(page.locator("#files-empty")).to_be_visible()


def test_the_list_stays_while_the_agent_is_away_and_is_renewed(
    visit_files: VisitFiles, files: FilesLab, complaints: Complaints
) -> None:
    files.write("workspace/one.txt")
    page = visit_files()
    expect(line_of(page, "one.txt")).to_be_visible()
    files.kill()
    files.may_start = False
    files.write("workspace/two.txt")
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#files-old")).to_contain_text("is being started")
    expect(line_of(page, "one.txt")).to_be_visible()
    files.may_start = True
    expect(line_of(page, "two.txt")).to_be_visible()
    expect(page.locator("#files-old")).to_be_hidden()
    assert files.starts == 2
    complaints.forget_broken_connections()


def test_a_slow_network_shows_that_it_is_working(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/deep/one.txt")
    page = visit_files()
    files.front.slow, files.front.delay_s = FILES, 5.0
    open_line(page, "deep")
    expect(page.locator("#files-loading")).to_be_visible()
    expect(page.locator("#files-line")).to_contain_text("longer than usual")
    expect(line_of(page, "one.txt")).to_be_visible()


def test_who_goes_on_before_an_answer_sees_the_last_place_only(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/slow/one.txt")
    files.write("log/2.log")
    page = visit_files()
    files.front.slow, files.front.delay_s = FILES, 2.0
    open_line(page, "slow")
    files.front.delay_s = 0.0
    page.locator("#files-places").get_by_role("link", name="Logs").click()
    expect(line_of(page, "2.log")).to_be_visible()
    page.wait_for_timeout(2500)
    expect(line_of(page, "2.log")).to_be_visible()


def test_another_tab_shows_what_this_one_has_changed(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    page = visit_files()
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#files-empty")).to_be_visible()
    page.bring_to_front()
    page.get_by_role("button", name="New folder").click()
    page.get_by_role("dialog").get_by_label("Name").fill("fresh")
    page.get_by_role("button", name="Make it").click()
    expect(line_of(page, "fresh")).to_be_visible()
    other.bring_to_front()
    expect(line_of(other, "fresh")).to_be_visible()


def test_keys_alone_go_through_a_folder(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/a/inner.txt")
    files.write("workspace/b.txt")
    files.write("workspace/c.txt")
    page = visit_files()
    line_of(page, "a").get_by_role("link").focus()
    page.keyboard.press("End")
    expect(line_of(page, "c.txt").get_by_role("link")).to_be_focused()
    page.keyboard.press("Space")
    expect(line_of(page, "c.txt").get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator("#files-selected")).to_contain_text("2 selected")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(line_of(page, "inner.txt").get_by_role("link")).to_be_focused()
    page.keyboard.press("Backspace")
    expect(line_of(page, "a").get_by_role("link")).to_be_focused()
    page.keyboard.press("F2")
    expect(page.get_by_role("dialog").get_by_label("New name")).to_be_focused()
    page.keyboard.type("renamed")
    page.keyboard.press("Enter")
    expect(line_of(page, "renamed")).to_be_visible()
    line_of(page, "b.txt").get_by_role("link").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name="Keep everything")).to_be_focused()
    page.keyboard.press("Escape")
    expect(line_of(page, "b.txt").get_by_role("link")).to_be_focused()


def test_it_is_reached_by_keys(files: FilesLab, open_page: OpenPage) -> None:
    page = open_page("me")
    files.serve(page.context)
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.get_by_role("heading", level=1)).to_have_text("Files")
    expect(page.locator("#files-empty")).to_be_visible()
