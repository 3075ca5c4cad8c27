"""The page of files in a real browser, with a real agent on a real folder: looking."""

import os
import time

import pytest
from playwright.sync_api import expect

from tests.browser.files_lab import (
    FilesLab,
    VisitFiles,
    line_of,
    names,
    open_line,
)

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "a \"quoted\" 'name'",
    "two\nlines",
    " spaces at both ends ",
    "100%25 & more?#.txt",
    "日本語のファイル.txt",
    "{count}",
    "%ff",
)


def test_the_workspace_is_shown_first_folders_before_files(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/b.txt", "b" * 2048)
    files.write("workspace/runs/1/out.log")
    files.write("workspace/.hidden")
    page = visit_files()
    expect(line_of(page, "runs")).to_be_visible()
    assert names(page) == ["runs", "b.txt"]
    expect(line_of(page, "b.txt")).to_contain_text("2 KiB")
    expect(page.locator("#files-pages")).to_contain_text("of 2")
    expect(page.locator("#files-pages")).to_contain_text("2 of 3 match")
    page.get_by_label("Hidden files too").check()
    expect(line_of(page, ".hidden")).to_be_visible()
    assert "hidden=yes" in page.url


def test_the_way_leads_down_and_up_and_the_browser_goes_back(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/runs/first/metrics.csv")
    page = visit_files()
    crumbs = page.locator("#files-crumbs")
    open_line(page, "runs")
    open_line(page, "first")
    expect(line_of(page, "metrics.csv")).to_be_visible()
    assert crumbs.locator("a").all_inner_texts() == [
        "All of scratch", "workspace", "runs", "first",
    ]  # fmt: skip
    expect(crumbs.locator("[aria-current=page]")).to_have_text("first")
    page.go_back()
    expect(line_of(page, "first")).to_be_visible()
    page.go_back()
    expect(line_of(page, "runs")).to_be_visible()
    page.go_forward()
    expect(line_of(page, "first")).to_be_visible()
    crumbs.get_by_role("link", name="All of scratch").click()
    expect(line_of(page, "workspace")).to_be_visible()
    assert "path=&" in f"{page.url}&"


def test_a_place_leads_there_and_is_marked(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("log/17.log", "hello")
    page = visit_files()
    places = page.locator("#files-places")
    expect(places.locator("[aria-current]")).to_have_text("Workspace")
    places.get_by_role("link", name="Logs").click()
    expect(line_of(page, "17.log")).to_be_visible()
    expect(places.locator("[aria-current]")).to_have_text("Logs")


def test_an_address_opens_the_same_in_another_tab(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/old.txt", "x" * 10)
    files.write("workspace/large.txt", "x" * 99)
    files.write("workspace/deep/in/here.txt", "found")
    page = visit_files("&at=scratch&path=workspace&sort=-size")
    expect(line_of(page, "old.txt")).to_be_visible()
    assert names(page)[-2:] == ["large.txt", "old.txt"]
    other = page.context.new_page()
    other.goto(
        page.url.replace("path=workspace", "path=workspace%2Fdeep%2Fin%2Fhere.txt")
    )
    expect(other.locator("#files-file h2")).to_have_text("here.txt")
    expect(other.locator("#files-file code")).to_have_text("found")


def test_columns_sort_at_the_agent(visit_files: VisitFiles, files: FilesLab) -> None:
    for number, name in enumerate(("b", "a", "c")):
        file = files.write(f"workspace/{name}", "x" * (3 - number))
        os.utime(file, (1_700_000_000 + number, 1_700_000_000 + number))
    page = visit_files()
    expect(line_of(page, "a")).to_be_visible()
    for press, wanted in (
        ("Size", ["b", "a", "c"]), ("Size", ["c", "a", "b"]),
        ("Changed", ["c", "a", "b"]), ("Name", ["a", "b", "c"]),
        ("Name", ["c", "b", "a"]),
    ):  # fmt: skip
        page.locator("#files-table thead").get_by_role("button", name=press).click()
        expect(page.locator("#files-table a[data-slot=name]")).to_have_text(wanted)
    head = page.locator("#files-table th[data-by=name]")
    expect(head).to_have_attribute("aria-sort", "descending")


def test_many_thousand_entries_come_in_pages_and_are_filtered(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    folder = files.workspace / "many"
    folder.mkdir()
    for number in range(65_000):
        os.close(os.open(folder / f"f{number:05}", os.O_CREAT | os.O_WRONLY))
    page = visit_files()
    began = time.monotonic()
    open_line(page, "many")
    expect(line_of(page, "f00000")).to_be_visible()
    took = time.monotonic() - began
    expect(page.locator("#files-pages")).to_contain_text("200 of 65,000")
    page.get_by_role("button", name="Next").click()
    expect(line_of(page, "f00200")).to_be_visible()
    expect(line_of(page, "f00199")).to_have_count(0)
    page.get_by_role("button", name="Previous").click()
    expect(line_of(page, "f00199")).to_be_visible()
    page.get_by_label("Name contains").fill("f6499")
    expect(page.locator("#files-pages")).to_contain_text("10 of 10")
    page.get_by_label("Name contains").fill("no such")
    expect(page.locator("#files-no-match")).to_be_visible()
    page.get_by_role("button", name="Show everything").click()
    expect(line_of(page, "f00000")).to_be_visible()
    assert took < 3


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_shown_as_it_is_opened_and_renamed(
    visit_files: VisitFiles, files: FilesLab, name: str
) -> None:
    files.write(f"workspace/{name}", f"in {name}")
    page = visit_files()
    shown = name.replace("%", "%25") if name == "%ff" else name.replace("%25", "%2525")
    line = page.locator("#files-table tbody tr")
    expect(line).to_have_count(1)
    assert line.get_attribute("data-name") == shown
    assert page.locator("#files-table img").count() == 0
    line.get_by_role("link").click()
    expect(page.locator("#files-file code")).to_have_text(f"in {name}")
    page.reload()
    expect(page.locator("#files-file code")).to_have_text(f"in {name}")


def test_a_name_that_is_no_utf8_can_be_opened(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    raw = os.fsencode(files.workspace) + b"/caf\xe9.txt"
    file = os.open(raw, os.O_WRONLY | os.O_CREAT)
    os.write(file, b"inside")
    os.close(file)
    page = visit_files()
    open_line(page, "caf%e9.txt")
    expect(page.locator("#files-file code")).to_have_text("inside")


def test_links_say_where_they_lead_and_never_out(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/target/inner.txt")
    (files.workspace / "into").symlink_to("target")
    (files.workspace / "away").symlink_to("/etc")
    (files.workspace / "gone").symlink_to("nothing-there")
    os.mkfifo(files.workspace / "pipe")
    page = visit_files()
    expect(line_of(page, "away")).to_contain_text("leads outside of what is shown")
    expect(line_of(page, "gone")).to_contain_text("leads nowhere: nothing-there")
    expect(line_of(page, "pipe")).to_contain_text("Special file")
    open_line(page, "pipe")
    expect(page.locator("#files-file")).to_contain_text("no ordinary file")
    page.go_back()
    open_line(page, "into")
    expect(line_of(page, "inner.txt")).to_be_visible()
    page.go_back()
    open_line(page, "away")
    expect(page.locator("#files-failed")).to_contain_text("leads out of the folders")
    page.locator("#files-failed").get_by_role("button", name="folder above").click()
    expect(line_of(page, "into")).to_be_visible()


def test_a_tenants_data_can_be_looked_at_and_not_changed(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    item = files.store / "vision" / "data" / "12"
    item.mkdir()
    (item / "photo.txt").write_text("published")
    page = visit_files("&at=data:vision&path=")
    open_line(page, "12")
    way = page.locator("#files-read-only").get_by_role("link")
    expect(way).to_have_text("To the data item 12")
    expect(way).to_have_attribute("href", "/services/portal/data/12?tenant=vision")
    for gone in ("Upload files", "New folder"):
        expect(page.get_by_role("button", name=gone)).to_have_count(0)
    line_of(page, "photo.txt").get_by_role("checkbox").check()
    bar = page.locator("#files-selected")
    expect(bar.get_by_role("button", name="Download (zip)")).to_be_visible()
    expect(bar.get_by_role("button", name="Delete")).to_be_hidden()
    open_line(page, "photo.txt")
    expect(page.locator("#files-file code")).to_have_text("published")
    expect(page.get_by_role("button", name="Edit")).to_be_hidden()


def test_an_empty_folder_offers_the_first_step(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    page = visit_files()
    expect(page.locator("#files-empty")).to_contain_text("Nothing is in this folder")
    expect(page.locator("#files-empty").get_by_role("button")).to_be_visible()


def test_what_is_not_there_or_not_permitted_is_said(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    page = visit_files("&at=scratch&path=workspace/never")
    expect(page.locator("#files-failed")).to_contain_text("not there")
    (files.workspace / "never").mkdir()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#files-empty")).to_be_visible()


def test_a_folder_of_tensorboard_logs_says_how_to_see_them(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/my runs/events.out.tfevents.1.host", b"x")
    page = visit_files("&at=scratch&path=workspace/my runs")
    expect(page.locator("#files-events")).to_contain_text("logs of TensorBoard")
    expect(page.locator("#files-events code")).to_have_text("kqi tensorboard 'my runs'")
    expect(page.locator("#files-events").get_by_role("link")).to_have_attribute(
        "href", "/services/portal/notebooks?tenant=vision"
    )
