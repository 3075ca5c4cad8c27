"""Uploads from the page of files to a real agent: whole, in part, and broken off."""

import hashlib
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints
from tests.browser.files_lab import FILES, FilesLab, VisitFiles, line_of

PANEL = "#files-upload"


def choose(page: Page, *given: Path) -> None:
    page.locator("#files-choose").set_input_files(list(given))


def choose_folder(page: Page, folder: Path) -> None:
    page.locator("#files-choose-folder").set_input_files(folder)


def is_done(page: Page) -> None:
    expect(page.locator(f"{PANEL} [data-mark=done]")).to_be_visible()


def own(tmp_path: Path, name: str, content: bytes) -> Path:
    file = tmp_path / "own" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def tree(folder: Path) -> dict[str, str]:
    return {
        str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in folder.rglob("*")
        if one.is_file()
    }


def test_files_are_uploaded_and_appear_in_the_list(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path
) -> None:
    page = visit_files()
    choose(
        page,
        own(tmp_path, "empty.txt", b""),
        own(tmp_path, "日本語 <b>.bin", os.urandom(300_000)),
        own(tmp_path, "large.bin", os.urandom(5_000_000)),
    )
    is_done(page)
    expect(page.locator(PANEL)).to_contain_text("Files arrived: 3, 5.1 MiB.")
    expect(line_of(page, "large.bin")).to_contain_text("4.8 MiB")
    assert tree(files.workspace) == tree(tmp_path / "own")
    page.locator(PANEL).get_by_role("button", name="Close").click()
    expect(page.locator(PANEL)).to_be_hidden()


def test_a_folder_of_many_small_files_is_uploaded_whole(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path
) -> None:
    for number in range(300):
        own(tmp_path, f"set/part {number % 7}/{number}.txt", b"%d" % number * 20)
    page = visit_files()
    choose_folder(page, tmp_path / "own" / "set")
    is_done(page)
    expect(page.locator(PANEL)).to_contain_text("Files arrived: 300")
    assert tree(files.workspace / "set") == tree(tmp_path / "own" / "set")


def offsets(files: FilesLab) -> list[int]:
    """Return from where on the page has sent something."""
    return [
        int(one) for one in re.findall(r"offset=(\d+)", " ".join(files.front.asked))
    ]


DROP = """([names, steps]) => {
  const transfer = new DataTransfer();
  for (const [name, text] of names) transfer.items.add(new File([text], name));
  const about = {bubbles: true, cancelable: true, dataTransfer: transfer};
  for (const kind of ['dragenter', 'dragover', 'drop'].slice(0, steps))
    document.querySelector('main').dispatchEvent(new DragEvent(kind, about));
}"""


def test_what_is_dropped_is_uploaded_to_the_folder_that_is_shown(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    (files.workspace / "here").mkdir()
    page = visit_files("&at=scratch&path=workspace/here")
    page.evaluate(DROP, [[["a.txt", "dropped"]], 2])
    expect(page.locator("#files-drop")).to_contain_text("Let go to upload to here")
    page.evaluate(DROP, [[["a.txt", "dropped"]], 3])
    is_done(page)
    expect(page.locator("#files-drop")).to_be_hidden()
    assert (files.workspace / "here" / "a.txt").read_text() == "dropped"


@pytest.mark.parametrize("choice", ["Skip them", "Overwrite", "Keep both"])
def test_what_is_there_already_is_asked_about_once(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path, choice: str
) -> None:
    files.write("workspace/a.txt", "there")
    files.write("workspace/b.txt", "there")
    sent = [own(tmp_path, f"{name}.txt", b"mine") for name in "abc"]
    page = visit_files()
    choose(page, *sent)
    panel = page.locator(PANEL)
    expect(panel.locator("[data-mark=asking]")).to_be_visible()
    expect(panel).to_contain_text("Already there: 2, such as")
    assert (files.workspace / "c.txt").read_text() == "mine"
    assert (files.workspace / "a.txt").read_text() == "there"
    panel.get_by_role("button", name=choice).click()
    is_done(page)
    found = {one.name: one.read_text() for one in files.workspace.iterdir()}
    if choice == "Skip them":
        assert found == {"a.txt": "there", "b.txt": "there", "c.txt": "mine"}
        expect(panel).to_contain_text("Files arrived: 1, 4 B. Skipped: 2.")
    elif choice == "Overwrite":
        assert found == dict.fromkeys(("a.txt", "b.txt", "c.txt"), "mine")
    else:
        assert found["a.txt"] == found["b.txt"] == "there"
        assert sorted(found.values()) == ["mine"] * 3 + ["there"] * 2


def test_an_upload_is_paused_and_goes_on_where_it_was(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path, complaints: Complaints
) -> None:
    content = os.urandom(12_000_000)
    page = visit_files()
    files.front.slow, files.front.bytes_per_s = FILES, 4_000_000
    choose(page, own(tmp_path, "large.bin", content))
    panel = page.locator(PANEL)
    expect(panel.locator("[data-slot=rate]")).to_have_text(
        re.compile("[0-9.]+ [KM]iB per second, .* left")
    )
    panel.get_by_role("button", name="Pause").click()
    expect(panel).to_contain_text("Paused. What has arrived stays.")
    page.wait_for_timeout(500)
    assert not (files.workspace / "large.bin").exists()
    (part,) = files.workspace.glob(".large.bin.*.kqi-part")
    arrived = part.stat().st_size
    assert 0 < arrived < len(content)
    files.front.asked.clear()
    files.front.bytes_per_s = 0
    panel.get_by_role("button", name="Go on").click()
    is_done(page)
    assert (files.workspace / "large.bin").read_bytes() == content
    assert not part.exists()
    assert max(offsets(files)) >= arrived
    # A pause cuts a request off in the middle.
    complaints.forget_broken_connections()


WATCHED = """mark => {
  const look = () => { if (!mark.hidden) mark.dataset.seen = "yes"; };
  new MutationObserver(look).observe(mark, { attributeFilter: ["hidden"] });
}"""


def test_a_broken_network_and_a_killed_agent_lose_nothing(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path, complaints: Complaints
) -> None:
    sent = [own(tmp_path, f"{n}.bin", os.urandom(4_000_000)) for n in range(3)]
    sent += [own(tmp_path, f"small-{n}.bin", os.urandom(2_000)) for n in range(40)]
    page = visit_files()
    files.front.slow, files.front.bytes_per_s = FILES, 800_000
    choose(page, *sent)
    panel = page.locator(PANEL)
    # Something of a large one has left, so a connection is there to be cut.
    expect(panel.locator("[data-slot=rate]")).to_contain_text("left")
    # Half a second later all may go on: the mark is there for less than one looks.
    mark = panel.locator("[data-mark=broken]")
    mark.evaluate(WATCHED)
    files.front.cut(FILES)
    expect(mark).to_have_attribute("data-seen", "yes")
    page.wait_for_timeout(1500)
    files.kill()
    page.wait_for_timeout(1500)
    files.front.bytes_per_s = 0
    done = panel.locator("[data-mark=done]")
    asking = panel.locator("[data-mark=asking]")
    expect(done.or_(asking).filter(visible=True)).to_have_count(1)
    if asking.is_visible():
        # A small file had arrived, and the answer was lost: nobody knows whose it is.
        panel.get_by_role("button", name="Overwrite").click()
    is_done(page)
    expect(panel).to_contain_text("Files arrived: 43")
    assert tree(files.workspace) == tree(tmp_path / "own")
    assert files.starts == 2
    complaints.forget_broken_connections()


def test_after_the_page_was_closed_the_same_file_goes_on(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path
) -> None:
    content = os.urandom(30_000_000)
    file = own(tmp_path, "large.bin", content)
    page = visit_files()
    files.front.slow, files.front.bytes_per_s = FILES, 3_000_000
    choose(page, file)
    while not any(one.stat().st_size for one in files.workspace.glob(".large.bin.*")):
        page.wait_for_timeout(100)
    page.close(run_before_unload=False)
    # What is on its way in the sockets goes with the connection.
    files.front.cut(FILES)
    other = visit_files()
    (part,) = files.workspace.glob(".large.bin.*.kqi-part")
    arrived = part.stat().st_size
    assert 0 < arrived < len(content)
    files.front.bytes_per_s = 0
    files.front.asked.clear()
    choose(other, file)
    is_done(other)
    assert (files.workspace / "large.bin").read_bytes() == content
    assert max(offsets(files)) >= arrived


def test_one_that_cannot_be_kept_does_not_stop_the_others(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path
) -> None:
    (files.workspace / "folder.bin").mkdir()
    sent = [own(tmp_path, name, b"x") for name in ("a.bin", "folder.bin", "z.bin")]
    page = visit_files()
    choose(page, *sent)
    panel = page.locator(PANEL)
    panel.get_by_role("button", name="Overwrite").click()
    expect(panel.locator("[data-mark=failed]")).to_be_visible()
    panel.get_by_text("Failed: 1").click()
    expect(panel.locator("li")).to_contain_text("A folder has this name")
    assert (files.workspace / "z.bin").exists()
    (files.workspace / "folder.bin").rmdir()
    panel.get_by_role("button", name="Try these again").click()
    is_done(page)


def test_a_full_disk_pauses_and_says_so(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path
) -> None:
    page = visit_files()
    full = (
        '{"error": "disk-full", "message": "Your scratch folder is full: free some."}'
    )
    page.route(
        re.compile("/api/files/content.*"),
        lambda route: route.fulfill(
            status=507, body=full, content_type="application/json"
        ),
    )
    choose(page, own(tmp_path, "a.bin", b"x" * 100))
    panel = page.locator(PANEL)
    expect(panel.locator("[data-mark=paused]")).to_be_visible()
    expect(panel).to_contain_text("Your scratch folder is full")
    page.unroute(re.compile("/api/files/content.*"))
    panel.get_by_role("button", name="Go on").click()
    is_done(page)
    assert (files.workspace / "a.bin").read_bytes() == b"x" * 100


def test_a_cancelled_upload_leaves_nothing_half_visible(
    visit_files: VisitFiles, files: FilesLab, tmp_path: Path
) -> None:
    page = visit_files()
    files.front.slow, files.front.bytes_per_s = FILES, 1_000_000
    choose(page, own(tmp_path, "large.bin", os.urandom(6_000_000)))
    page.wait_for_timeout(800)
    panel = page.locator(PANEL)
    panel.get_by_role("button", name="Cancel").click()
    expect(panel.locator("[data-mark=cancelled]")).to_be_visible()
    page.wait_for_timeout(2000)
    assert list(files.workspace.iterdir()) == []
