"""The page of files with a real agent: what it changes, and what it asks before."""

import io
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.files_lab import FilesLab, VisitFiles, act, line_of, open_line


def naming(page: Page, name: str, press: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(name)
    dialog.get_by_role("button", name=press).click()


def pick(page: Page, *names: str) -> None:
    for name in names:
        line_of(page, name).get_by_role("checkbox").check()


def test_a_new_folder_is_made_and_a_bad_name_refused(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/taken/x")
    page = visit_files()
    page.get_by_role("button", name="New folder").click()
    field = page.get_by_role("dialog").get_by_role("textbox")
    for bad, why in (
        ("a/b", "cannot contain"), ("..", "cannot contain"),
        ("日" * 86, "255 bytes"), ("taken", "is there already"),
    ):  # fmt: skip
        naming(page, bad, "Make it")
        expect(page.locator("#files-name-fault")).to_contain_text(why)
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
    naming(page, "fresh <b>one", "Make it")
    expect(line_of(page, "fresh <b>one")).to_be_visible()
    assert (files.workspace / "fresh <b>one").is_dir()


def test_a_file_is_renamed_and_never_over_another(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/one.txt", "1")
    files.write("workspace/two.txt", "2")
    page = visit_files()
    act(page, "one.txt", "Rename")
    naming(page, "two.txt", "Rename")
    expect(page.locator("#files-name-fault")).to_contain_text("is there already")
    naming(page, "three.txt", "Rename")
    expect(line_of(page, "three.txt")).to_be_visible()
    assert (files.workspace / "two.txt").read_text() == "2"
    assert (files.workspace / "three.txt").read_text() == "1"


def test_a_shown_file_is_renamed_and_the_folder_is_shown(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/one.txt", "1")
    page = visit_files()
    open_line(page, "one.txt")
    page.locator("#files-file").get_by_role("button", name="More").click()
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    naming(page, "two.txt", "Rename")
    expect(line_of(page, "two.txt")).to_be_visible()


def test_several_are_moved_to_a_folder_chosen_from_the_list(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        files.write(f"workspace/{name}", name)
    files.write("workspace/archive/c.txt", "older")
    page = visit_files()
    pick(page, "a.txt", "b.txt", "c.txt")
    page.get_by_role("button", name="Move …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="archive").click()
    expect(dialog.get_by_role("textbox")).to_have_value("workspace/archive")
    dialog.get_by_role("button", name="Move it there").click()
    expect(page.locator("#files-target-fault")).to_contain_text("c.txt")
    expect(page.locator("#files-target-fault")).to_contain_text("is there already")
    dialog.get_by_role("textbox").fill("kqi")
    dialog.get_by_role("button", name="Move it there").click()
    expect(page.get_by_text("Moved to kqi: 1.")).to_be_visible()
    assert (files.workspace / "archive/a.txt").read_text() == "a.txt"
    assert (files.workspace / "archive/c.txt").read_text() == "older"
    assert (files.folder / "kqi/c.txt").read_text() == "c.txt"
    expect(page.locator("#files-selected")).to_be_hidden()


def test_deleting_says_what_is_lost_and_keeps_what_links_lead_to(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    kept = files.write("kqi/kept.txt", "kept")
    for number in range(30):
        files.write(f"workspace/old/part {number % 3}/{number}.bin", "x" * 1024)
    (files.workspace / "old" / "link").symlink_to(kept.parent)
    files.write("workspace/note.txt", "12345")
    page = visit_files()
    pick(page, "old", "note.txt")
    page.get_by_role("button", name="Delete …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("old/")
    expect(dialog).to_contain_text("note.txt")
    expect(dialog.locator("[data-slot=sum]")).to_have_text(
        re.compile("Files: 32, folders: 4, 30.* KiB")
    )
    expect(dialog.get_by_role("button", name="Keep everything")).to_be_focused()
    dialog.get_by_role("button", name="Keep everything").click()
    assert (files.workspace / "old").exists()
    page.get_by_role("button", name="Delete …").click()
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.locator("#files-empty")).to_be_visible()
    assert not (files.workspace / "old").exists()
    assert kept.read_text() == "kept"


def test_deleting_much_shows_how_far_it_is_and_can_be_stopped(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    for folder in range(60):
        place = files.workspace / "much" / f"{folder:03}"
        place.mkdir(parents=True)
        for number in range(1000):
            (place / f"{number}").touch()
    page = visit_files()
    pick(page, "much")
    page.get_by_role("button", name="Delete …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-slot=sum]")).to_contain_text("Files: 60,000")
    dialog.get_by_role("button", name="Delete for good").click()
    dialog.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. What was deleted")).to_be_visible()
    left = sum(1 for one in (files.workspace / "much").rglob("*") if one.is_file())
    assert 0 < left < 60_000


def test_the_space_of_a_folder_is_counted_with_its_largest(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/runs/large/model.bin", b"x" * 3_000_000)
    files.write("workspace/runs/small/log.txt", b"x")
    page = visit_files()
    act(page, "runs", "Space used")
    dialog = page.locator("#files-use")
    expect(dialog.locator("[data-slot=files]")).to_have_text("2")
    expect(dialog.locator("[data-slot=inodes]")).to_have_text("5")
    expect(dialog.locator("[data-slot=bytes]")).to_have_text("2.9 MiB")
    expect(dialog.locator("[data-slot=entries] dt").first).to_have_text("large")
    expect(dialog.locator("[data-slot=free]")).to_contain_text("Free on scratch")


def test_a_file_is_downloaded_byte_by_byte_under_its_name(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 4096
    files.write("workspace/モデル v1 (final).bin", content)
    page = visit_files()
    line_of(page, "モデル v1 (final).bin").get_by_role("button").click()
    with page.expect_download() as found:
        page.get_by_role("dialog").get_by_role("link", name="Download").click()
    assert found.value.suggested_filename == "モデル v1 (final).bin"
    assert Path(found.value.path()).read_bytes() == content


def test_a_selection_is_downloaded_as_one_zip(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/run/a.txt", "a")
    files.write("workspace/b.txt", "b")
    files.write("workspace/not-this.txt", "c")
    page = visit_files()
    pick(page, "run", "b.txt")
    with page.expect_download() as found:
        page.get_by_role("button", name="Download (zip)").click()
    with zipfile.ZipFile(found.value.path()) as packed:
        assert packed.testzip() is None
        assert sorted(packed.namelist()) == ["b.txt", "run/", "run/a.txt"]


def test_a_folder_is_downloaded_as_tar(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/run/a.txt", "a")
    page = visit_files()
    line_of(page, "run").get_by_role("button").click()
    with page.expect_download() as found:
        page.get_by_role("dialog").get_by_role("link", name="tar").click()
    assert found.value.suggested_filename == "run.tar"
    raw = Path(found.value.path()).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(raw)) as packed:
        assert packed.getnames() == ["run", "run/a.txt"]


def test_a_download_that_is_not_there_any_more_says_so(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    file = files.write("workspace/short-lived.txt", "x")
    page = visit_files()
    line_of(page, "short-lived.txt").get_by_role("button").click()
    file.unlink()
    page.get_by_role("dialog").get_by_role("link", name="Download").click()
    expect(page.get_by_role("alert").first).to_contain_text("not there")


def test_a_text_is_edited_and_saved(visit_files: VisitFiles, files: FilesLab) -> None:
    file = files.write("workspace/run.sh", "#!/bin/sh\r\necho one\r\n")
    page = visit_files()
    open_line(page, "run.sh")
    page.get_by_role("button", name="Edit").click()
    area = page.get_by_label("Text of the file")
    expect(area).to_be_focused()
    area.fill("#!/bin/sh\necho two & <three>\n")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("run.sh is saved.")).to_be_visible()
    expect(page.locator("#files-file code")).to_contain_text("echo two & <three>")
    assert file.read_bytes() == b"#!/bin/sh\r\necho two & <three>\r\n"


@pytest.mark.parametrize("choice", ["overwrite", "beside", "theirs"])
def test_what_changed_meanwhile_is_never_overwritten_unasked(
    visit_files: VisitFiles, files: FilesLab, choice: str
) -> None:
    file = files.write("workspace/notes.md", "first")
    page = visit_files()
    open_line(page, "notes.md")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Text of the file").fill("mine")
    file.write_text("theirs")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".edit .notice")).to_contain_text("changed meanwhile")
    assert file.read_text() == "theirs"
    press = {
        "overwrite": "Overwrite with mine", "beside": "Save mine beside it",
        "theirs": "Throw mine away",
    }[choice]  # fmt: skip
    page.get_by_role("button", name=press).click()
    expect(page.get_by_label("Text of the file")).to_have_count(0)
    expected = "mine" if choice == "overwrite" else "theirs"
    expect(page.locator("#files-file code")).to_have_text(expected)
    assert file.read_text() == expected
    others = [one.read_text() for one in files.workspace.iterdir() if one != file]
    assert others == (["mine"] if choice == "beside" else [])


def test_what_is_written_is_not_lost_by_a_slip(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/notes.md", "first")
    page = visit_files()
    open_line(page, "notes.md")
    page.get_by_role("button", name="Edit").click()
    area = page.get_by_label("Text of the file")
    area.fill("long work")
    page.once("dialog", lambda asked: asked.dismiss())
    page.locator("#files-crumbs").get_by_role("link", name="workspace").click()
    expect(area).to_have_value("long work")
    page.once("dialog", lambda asked: asked.accept())
    page.locator("#files-crumbs").get_by_role("link", name="workspace").click()
    expect(line_of(page, "notes.md")).to_be_visible()


def test_a_data_item_is_made_of_what_is_selected_by_reference(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/set/a & b.png")
    files.write("workspace/c.png")
    files.write("workspace/not-this.png")
    page = visit_files()
    pick(page, "set", "c.png")
    page.get_by_role("button", name="Make a data item").click()
    page.wait_for_url("**/data/new?**")
    page.wait_for_load_state()
    assert page.url.endswith(
        "data/new?tenant=vision&from=workspace%2Fset&from=workspace%2Fc.png"
    )
    expect(page.get_by_role("radio", name="On scratch")).to_be_checked()
    chosen = page.locator("#data-scratch")
    expect(chosen.get_by_role("checkbox", name="set")).to_be_checked()
    expect(chosen.get_by_role("checkbox", name="c.png")).to_be_checked()
    expect(chosen.get_by_role("checkbox", name="not-this")).not_to_be_checked()


def test_a_selection_too_long_for_an_address_arrives_too(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    for number in range(150):
        files.write(f"workspace/{number:03} {'long name ' * 5}.png")
    page = visit_files()
    page.get_by_label("Select all that are shown").check()
    page.get_by_role("button", name="Make a data item").click()
    page.wait_for_url("**/data/new?**")
    boxes = page.locator("#data-scratch").get_by_role("checkbox", checked=True)
    expect(boxes).to_have_count(150)
