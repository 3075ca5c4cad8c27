"""Data in a real browser: files are sent, found, tagged, looked at and deleted."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from kqi_hub.domain.upload_ports import Quota, Quotas
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.data_states import HOSTILE, furnish_data, keep
from tests.browser.gallery import (
    ALL_LOOKS,
    NARROW,
    each_look,
    fits,
    lost_references,
    violations,
)
from tests.fakes.site import FakeSite

MB = 1024 * 1024
Shot = Callable[[Page, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with folders, a large file, an empty one and odd names."""
    top = tmp_path / "photos"
    (top / "cats").mkdir(parents=True)
    (top / "cats" / "large.bin").write_bytes(bytes(range(256)) * (9 * MB // 256))
    (top / "cats" / "one.txt").write_text("miau")
    (top / "empty.dat").write_bytes(b"")
    (top / "名前 & 'quotes' %20.txt").write_text("odd")
    (top / ".DS_Store").write_text("left by a system")
    for number in range(40):
        (top / f"small-{number:02}.txt").write_text(str(number) * 100)
    return top


def files_in(folder: Path) -> dict[str, str]:
    """Return what should arrive: path and hash."""
    return {
        f"{folder.name}/{path.relative_to(folder).as_posix()}": hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".DS_Store"
    }


def arrived(site: FakeSite, number: int) -> dict[str, str]:
    book = site.data.lab.book
    return {path: one.sha256 for path, (_, one) in book.rows[number].items()}


def folder_input(page: Page) -> Locator:
    return page.locator("#data-drop input[webkitdirectory]")


def begin(page: Page, folder: Path, name: str = "photos") -> None:
    folder_input(page).set_input_files(folder)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Make the data").click()


def test_a_folder_is_sent_and_every_hash_is_right(
    open_page: OpenPage, site: FakeSite, folder: Path, keep_shot: Shot
) -> None:
    page = open_page("data/new?tenant=vision")
    folder_input(page).set_input_files(folder)
    drop = page.locator("#data-drop")
    expect(drop).to_contain_text("files: 44, 9 MiB")
    expect(page.get_by_label("Name", exact=True)).to_have_value("photos")
    page.get_by_label("Tags (optional)").fill("raw, 2026")
    keep_shot(page, "data-new-chosen")
    assert violations(page) == []
    page.get_by_role("button", name="Make the data").click()
    expect(page).to_have_url(re.compile("/data/1[?]"))
    assert arrived(site, 1) == files_in(folder)
    expect(page.get_by_role("heading", name="photos")).to_be_visible()
    expect(page.locator("dl.facts").first).to_contain_text("44 · 9 MiB")
    # Small files travel together: one pack, and the large one alone.
    assert site.door.asked.count("PUT /pack") == 1
    assert site.data.lab.book.items[1].tags == ("2026", "raw")


def test_a_network_that_breaks_is_waited_for(
    open_page: OpenPage, site: FakeSite, folder: Path, complaints: Complaints
) -> None:
    site.door.cuts = 3
    page = open_page("data/new?tenant=vision")
    begin(page, folder)
    expect(page).to_have_url(re.compile("/data/1[?]"), timeout=30_000)
    assert arrived(site, 1) == files_in(folder)
    assert site.door.cuts == 0
    # The browser itself tells of connections that broke, and of nothing else.
    assert [one for one in complaints.heard if "net::ERR" not in one] == []
    complaints.heard.clear()


def test_an_upload_is_paused_and_goes_on(
    open_page: OpenPage, site: FakeSite, folder: Path, keep_shot: Shot
) -> None:
    site.door.pause_s = 1.5
    page = open_page("data/new?tenant=vision")
    begin(page, folder)
    panel = page.locator(".upload")
    panel.get_by_role("button", name="Pause").click()
    expect(panel).to_contain_text("Paused")
    keep_shot(page, "data-upload-paused")
    assert violations(page) == []
    before = len(site.door.asked)
    page.wait_for_timeout(800)
    assert len(site.door.asked) == before
    site.door.pause_s = 0
    panel.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(re.compile("/data/1[?]"))
    assert arrived(site, 1) == files_in(folder)


def test_a_full_disk_is_said_and_the_rest_goes_on_later(
    open_page: OpenPage, site: FakeSite, folder: Path, keep_shot: Shot
) -> None:
    site.door.is_full = True
    page = open_page("data/new?tenant=vision")
    begin(page, folder)
    panel = page.locator(".upload")
    expect(panel).to_contain_text("No room left")
    expect(panel).to_contain_text("The store's disk is full.")
    keep_shot(page, "data-upload-full")
    site.door.is_full = False
    panel.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(re.compile("/data/1[?]"))
    assert arrived(site, 1) == files_in(folder)


def test_after_closing_the_browser_the_same_folder_goes_on(
    open_page: OpenPage, site: FakeSite, folder: Path, keep_shot: Shot
) -> None:
    site.door.is_full = True
    page = open_page("data/new?tenant=vision")
    begin(page, folder)
    expect(page.locator(".upload")).to_contain_text("No room left")
    [upload] = site.data.lab.book.kept_uploads.values()
    for number in range(10):
        name = f"photos/small-{number:02}.txt"
        site.door.take(upload.key, name, (folder / name.split("/")[1]).read_bytes())
    page.context.close()
    site.door.is_full = False
    site.door.asked.clear()
    second = open_page("data?tenant=vision")
    line = second.locator("#data-uploads li")
    expect(line).to_contain_text("photos")
    expect(line).to_contain_text("announced: 9 MiB, files: 44")
    expect(line).to_contain_text("files: 10")
    keep_shot(second, "data-open-uploads")
    assert violations(second) == []
    other = folder.parent / "other"
    other.mkdir()
    (other / "x.txt").write_text("x")
    line.locator("input[webkitdirectory]").set_input_files(other)
    expect(second.locator("#failed")).to_contain_text("Files that you chose: 1, 1 B")
    line.locator("input[webkitdirectory]").set_input_files(folder)
    expect(second.locator("#name-1")).to_be_visible()
    assert arrived(site, 1) == files_in(folder)
    assert site.door.asked[0] == "POST /known"


def test_a_file_that_changed_meanwhile_is_named(
    open_page: OpenPage, site: FakeSite, folder: Path, complaints: Complaints
) -> None:
    page = open_page("data/new?tenant=vision")
    folder_input(page).set_input_files(folder)
    expect(page.locator("#data-drop")).to_contain_text("files: 44")
    (folder / "cats" / "one.txt").unlink()
    page.get_by_role("button", name="Make the data").click()
    panel = page.locator(".upload")
    expect(panel).to_contain_text("Failed")
    expect(panel).to_contain_text("photos/cats/one.txt cannot be read any more")
    complaints.heard.clear()


def test_a_quota_is_said_and_what_was_typed_stays(
    open_page: OpenPage, site: FakeSite, folder: Path
) -> None:
    keep(site, "large", {"a": 2**30})
    site.data.lab.quotas = Quotas(Quota(most_bytes=2**30 + MB), Quota())
    page = open_page("data/new?tenant=vision")
    begin(page, folder)
    expect(page.locator("#failed .toast-line")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("photos")
    expect(page.locator("#data-drop")).to_contain_text("files: 44")
    page.goto(site.url("storage?tenant=vision"))
    expect(page.locator("main")).to_contain_text("99 % of the tenant's room are used.")
    assert violations(page) == []


def test_an_upload_is_given_up(
    open_page: OpenPage, site: FakeSite, folder: Path
) -> None:
    site.door.is_full = True
    page = open_page("data/new?tenant=vision")
    begin(page, folder)
    page.locator(".upload").get_by_role("button", name="Give up").click()
    expect(page.locator(".upload")).to_have_count(0)
    assert site.data.lab.book.items == {}


def test_what_is_missing_is_said_beside_the_field(
    open_page: OpenPage, site: FakeSite, folder: Path
) -> None:
    page = open_page("data/new?tenant=vision")
    page.get_by_role("button", name="Make the data").click()
    expect(page.locator("#fault-files")).to_contain_text("Choose files or a folder")
    expect(page.locator("#fault-name")).to_contain_text("This is needed.")
    folder_input(page).set_input_files(folder)
    page.get_by_label("Made from (optional)").fill("seven")
    page.get_by_role("button", name="Make the data").click()
    expect(page.locator("#fault-parents")).to_contain_text("Numbers of data items")
    assert violations(page) == []
    assert site.data.lab.book.items == {}


def test_files_are_dropped_and_more_are_added(
    open_page: OpenPage, site: FakeSite
) -> None:
    item = keep(site, "signs")
    page = open_page(f"data/{item.id}/add")
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(['dropped'], 'dropped.txt'));
          const drop = document.getElementById('data-drop');
          for (const kind of ['dragenter', 'dragover', 'drop'])
            drop.dispatchEvent(new DragEvent(kind,
              {dataTransfer: transfer, bubbles: true, cancelable: true}));
        }"""
    )
    expect(page.locator("#data-drop")).to_contain_text("dropped.txt")
    page.get_by_role("button", name="Bring the files").click()
    expect(page).to_have_url(re.compile(f"/data/{item.id}[?]"))
    expect(page.locator("main")).to_contain_text("dropped.txt")
    assert "dropped.txt" in arrived(site, item.id)
    assert site.data.lab.book.items[item.id].version == 2


def test_the_list_is_filtered_sorted_and_tagged_in_bulk(
    open_page: OpenPage, site: FakeSite, keep_shot: Shot
) -> None:
    furnish_data(site)
    page = open_page("data?tenant=vision")
    rows = page.locator("[data-part=list] tbody tr")
    expect(rows).to_have_count(9)
    page.fill("#field-tag", "2026, !raw")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("signs, cropped")
    page.fill("#field-tag", "")
    page.fill("#field-id", "<=2")
    expect(rows).to_have_count(2)
    page.locator("[data-pick-all]").check()
    bar = page.locator("#data-bulk")
    expect(bar).to_contain_text("2 chosen")
    keep_shot(page, "data-bulk")
    assert violations(page) == []
    bar.get_by_label("Tag", exact=True).fill("checked")
    bar.get_by_role("button", name="Give the tag").click()
    expect(page.locator("#said")).to_contain_text("The tag was given to 2.")
    expect(rows.first).to_contain_text("checked")
    page.fill("#field-id", "twelve")
    expect(page.locator("#unread")).to_contain_text("twelve")
    expect(rows).to_have_count(0)
    page.fill("#field-id", "")
    expect(rows).to_have_count(9)
    page.get_by_role("link", name="Name", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Name")


def test_a_bulk_delete_says_what_stays_and_why(
    open_page: OpenPage, site: FakeSite
) -> None:
    furnish_data(site)
    page = open_page("data?tenant=vision&sort=id")
    for number in (2, 5):
        page.locator(f"#pick-{number}").check()
    page.locator("#data-bulk").get_by_role("button", name="Delete …").click()
    sure = page.get_by_role("dialog")
    expect(sure).to_contain_text("2 chosen")
    sure.get_by_role("button", name="Delete them").click()
    expect(page.locator("#said")).to_contain_text("Deleted: 1")
    expect(page.locator("#failed")).to_contain_text("#2:")
    expect(page.locator("#name-5")).to_have_count(0)
    expect(page.locator("#name-2")).to_be_visible()


def test_a_delete_is_refused_with_the_things_that_need_it(
    open_page: OpenPage, site: FakeSite, keep_shot: Shot
) -> None:
    furnish_data(site)
    page = open_page("data/1")
    expect(page.locator("#holds")).to_contain_text("signs 2026")
    page.get_by_role("link", name="Delete").click()
    main = page.locator("main")
    expect(main).to_contain_text("It cannot be deleted")
    expect(main).to_contain_text("It is in this dataset, which is locked.")
    expect(page.get_by_role("button", name="Delete it")).to_have_count(0)
    keep_shot(page, "data-delete-refused")
    assert violations(page) == []
    page.get_by_role("link", name="signs 2026").click()
    expect(page.locator("main")).to_contain_text("This dataset is locked")


def test_memo_tags_and_files_are_changed(open_page: OpenPage, site: FakeSite) -> None:
    item = keep(site, "signs")
    page = open_page(f"data/{item.id}")
    page.get_by_label("Another tag").fill("gate")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".tag-forms")).to_contain_text("gate")
    page.get_by_role("button", name="Take the tag gate away").click()
    expect(page.locator(".tag-forms")).to_have_count(0)
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Memo (optional)").fill("two\nlines")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".memo-text")).to_contain_text("two")
    page.get_by_role("link", name="Take off … : notes.txt").click()
    expect(page.locator("main")).to_contain_text("The file is lost for everybody")
    page.get_by_role("button", name="Take it off").click()
    expect(page.locator("#said")).to_contain_text("notes.txt")
    assert sorted(arrived(site, item.id)) == ["train/cat.png", "train/dog.png"]


def test_folders_of_an_item_are_walked_a_page_at_a_time(
    open_page: OpenPage, site: FakeSite
) -> None:
    files = {f"many/{number:04}.txt": number for number in range(450)}
    item = keep(site, "many files", files)
    page = open_page(f"data/{item.id}")
    page.get_by_role("link", name="many", exact=True).click()
    rows = page.locator("section.list tbody tr")
    expect(rows).to_have_count(200)
    page.get_by_role("link", name="Next").click()
    expect(rows.first).to_contain_text("0200.txt")
    page.get_by_role("link", name="Next").click()
    expect(rows).to_have_count(50)


@pytest.mark.parametrize(
    "path", ["data", "data/new", "data/1", "data/6", "data/7/delete", "storage"]
)
def test_pages_of_data_are_whole_legible_and_fit(
    open_page: OpenPage,
    site: FakeSite,
    keep_shot: Shot,
    path: str,
) -> None:
    furnish_data(site)
    page = open_page(f"{path}?tenant=vision")
    assert lost_references(page) == []
    for look in each_look(page, ALL_LOOKS):
        keep_shot(page, f"{path.replace('/', '-')}-{look}")
        assert fits(page)
        assert violations(page) == []


@pytest.mark.parametrize("language", ["ja-JP", "ko-KR"])
def test_other_languages_do_not_break_the_layout(
    open_page: OpenPage, site: FakeSite, keep_shot: Shot, language: str
) -> None:
    furnish_data(site)
    for path in ("data", "data/new", "data/1"):
        page = open_page(f"{path}?tenant=vision", viewport=NARROW, locale=language)
        keep_shot(page, f"{path.replace('/', '-')}-{language}")
        assert fits(page)


def test_hostile_names_are_only_text(open_page: OpenPage, site: FakeSite) -> None:
    furnish_data(site)
    page = open_page("data?tenant=vision")
    expect(page.locator("main")).to_contain_text(HOSTILE[0])
    page.locator("#name-6").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE[0])


def test_a_viewer_finds_no_way_to_change_anything(
    open_page: OpenPage, site: FakeSite
) -> None:
    furnish_data(site)
    page = open_page("data?tenant=vision", "victor")
    expect(page.locator("#name-1")).to_be_visible()
    expect(page.get_by_role("link", name="New data")).to_have_count(0)
    expect(page.locator("[data-pick]")).to_have_count(0)
    page.locator("#name-2").click()
    for name in ("Change", "Delete", "More files"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
