"""Files beside a run, on its page, with a real agent behind it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.files_lab import FilesLab
from tests.browser.gallery import violations
from tests.browser.run_states import furnish_runs, run_number
from tests.fakes.site import FakeSite

PART = "[data-run-attachments]"
HOSTILE = "日本語 <b onclick=x>'\" $(id).txt"


@pytest.fixture
def states(site: FakeSite) -> None:
    furnish_runs(site)


@pytest.fixture
def attach(site: FakeSite, states: None, files: FilesLab) -> Path:
    """Return where the running training of mia has its attachments."""
    run = site.runs.store.runs[run_number(site, "running")]
    (files.folder / "log" / f"{run.slurm_id}.log").write_text("step 1\n")
    return files.folder / "kqi" / run.folder / "attach"


@pytest.fixture
def visit(
    open_page: OpenPage, site: FakeSite, attach: Path, files: FilesLab
) -> Iterator[Callable[[], Page]]:
    pages: list[Page] = []

    def visit_one() -> Page:
        number = run_number(site, "running")
        page = open_page(f"training/{number}?tenant=vision", before=files.serve)
        expect(page.locator(f"{PART} [data-list] li").first).to_be_visible()
        pages.append(page)
        return page

    yield visit_one
    # Streams that the agent's end would break off.
    for page in pages:
        page.close()


def line(page: Page, name: str) -> Locator:
    return page.locator(f"{PART} [data-list] li").filter(has_text=name)


def put(page: Page, *given: Path) -> None:
    page.locator("#attach-files").set_input_files(list(given))
    page.locator(PART).get_by_role("button", name="Upload").click()


def test_files_are_attached_listed_fetched_and_deleted(
    visit: Callable[[], Page], attach: Path, site: FakeSite, tmp_path: Path
) -> None:
    page = visit()
    part = page.locator(PART)
    own = tmp_path / HOSTILE
    own.write_bytes(os.urandom(300_000))
    put(page, own)
    expect(part.locator("[data-note]")).to_have_text("Uploaded: 1.")
    assert (attach / HOSTILE).read_bytes() == own.read_bytes()
    expect(line(page, HOSTILE)).to_contain_text("293 KiB")
    with page.expect_download() as fetched:
        line(page, HOSTILE).get_by_role("button", name="Download").click()
    assert fetched.value.path().read_bytes() == own.read_bytes()
    line(page, HOSTILE).get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep it").click()
    assert (attach / HOSTILE).exists()
    line(page, HOSTILE).get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(line(page, HOSTILE)).to_have_count(0)
    assert not (attach / HOSTILE).exists()
    expect(part.locator("[data-note]")).to_have_text(f"{HOSTILE} is deleted.")
    assert violations(page) == []


def test_of_a_name_there_is_one_and_the_runs_own_stay(
    visit: Callable[[], Page], attach: Path, site: FakeSite, tmp_path: Path
) -> None:
    number = run_number(site, "running")
    attach.mkdir(parents=True)
    (attach / f"training_output_{number}.zip").write_bytes(b"PK")
    (attach / "notes.txt").write_text("first")
    page = visit()
    its_own = line(page, "of the run")
    expect(its_own).to_have_count(2)
    expect(its_own.get_by_role("button", name="Delete")).to_have_count(0)
    log = f"training_stdout_stderr_{number}.log"
    for place in (its_own.first, page.locator("figure.log").first):
        with page.expect_download() as fetched:
            place.get_by_role("button", name="Download").click()
        assert fetched.value.suggested_filename == log
        assert fetched.value.path().read_text() == "step 1\n"
    for name, text in (("notes.txt", "second"), ("new.txt", "new")):
        (tmp_path / name).write_text(text)
    put(page, tmp_path / "notes.txt", tmp_path / "new.txt")
    note = page.locator(f"{PART} [data-note]")
    expect(note).to_contain_text("Uploaded: 1.")
    expect(note).to_contain_text("There is one of this name already")
    expect(note).to_contain_text("notes.txt")
    assert (attach / "notes.txt").read_text() == "first"
    assert (attach / "new.txt").read_text() == "new"
