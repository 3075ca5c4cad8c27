"""`kqi data`: files are sent and listed, interruptions told, exit codes kept."""

import hashlib
import json
from pathlib import Path

import pytest

from kqi_hub.cli import upload_memory
from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.dataset_ports import Blocker, Why
from kqi_hub.sdk import patience
from tests.adapters.cli.conftest import Run
from tests.fakes.site import FakeSite


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.01)


@pytest.fixture
def folder(run: Run) -> Path:
    """Return a folder in the working folder: small, empty, long, odd names."""
    place = Path("images")
    (place / "deep").mkdir(parents=True)
    for number in range(30):
        (place / f"deep/{number}").write_text(f"content {number}")
    (place / "empty").touch()
    (place / "long").write_bytes(bytes(range(256)) * 9000)
    (place / "猫 & ?#%2F.png").write_bytes(b"png")
    (place / "back\\slash").write_bytes(b"\\")
    return place


def here(folder: Path) -> dict[str, str]:
    files = [one for one in folder.rglob("*") if one.is_file()]
    return {str(one): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


def kept(run: Run, number: int) -> dict[str, str]:
    found = run("data", "list-files", str(number), "--json").json
    return {one["path"]: one["sha256"] for one in found}


def test_a_folder_is_sent_and_all_of_it_is_there(
    run: Run, site: FakeSite, folder: Path
) -> None:
    done = run("data", "create", "-n", "signs", "-f", "images", "-t", "raw",
               "-t", "two words", "-m", "memo")  # fmt: skip
    assert done.code == 0, done.err
    assert (done.out, "Made data 1, signs: 34 files" in done.err) == ("", True)
    assert kept(run, 1) == here(folder)
    listed = run("data", "list")
    assert all(word in listed.out for word in ("signs", "raw, two words", "mia"))
    [row] = run("data", "list", "--tag", "raw", "--json").json
    assert (row["files"], row["tags"]) == (34, ["raw", "two words"])
    assert run("data", "list", "--tag", "!raw").out == ""


def test_sums_are_what_sha256sum_reads(run: Run, folder: Path) -> None:
    run("data", "create", "-n", "signs", "-f", "images/")
    lines = run("data", "list-files", "1", "--sums").out.splitlines()
    digest = hashlib.sha256(b"\\").hexdigest()
    assert f"\\{digest}  back\\\\slash" in lines
    assert len(lines) == 34


def test_json_is_all_that_is_said_to_programs(run: Run, folder: Path) -> None:
    done = run("data", "create", "-n", "signs", "-f", "images", "--json")
    assert done.json["name"] == "signs"


def test_what_is_interrupted_goes_on_by_its_key_alone(
    run: Run, site: FakeSite, folder: Path
) -> None:
    site.door.cuts = 10**6
    done = run("data", "create", "-n", "signs", "-f", "images", "--patience", "1")
    assert done.code == 10
    [line] = [one for one in done.err.splitlines() if one.startswith("Go on: ")]
    key = line.split()[-1]
    [row] = run("data", "uploads", "--json").json
    assert (row["key"], row["state"]) == (key, "open")
    assert run("data", "list").out == ""
    assert upload_memory.sources_of(key) == (str(folder.absolute()),)
    site.door.cuts = 5
    done = run("data", "resume", key)
    assert (done.code, "Data 1, signs: 34 files" in done.err) == (0, True), done.err
    assert kept(run, 1) == here(folder)
    assert upload_memory.sources_of(key) == ()
    assert "no unfinished uploads" in run("data", "uploads").err


def test_on_another_machine_the_sources_are_asked_for(
    run: Run, site: FakeSite, folder: Path
) -> None:
    site.door.cuts = 10**6
    run("data", "create", "-n", "signs", "-f", "images", "--patience", "1")
    site.door.cuts = 0
    [row] = run("data", "uploads", "--json").json
    upload_memory.forget(row["key"])
    assert run("data", "resume", row["key"]).code == 2
    done = run("data", "resume", row["key"], "-f", "images", "--json")
    assert done.json["files"] == 34


def test_an_upload_is_dropped(run: Run, site: FakeSite, folder: Path) -> None:
    site.door.is_full = True
    done = run("data", "create", "-n", "signs", "-f", "images")
    assert (done.code, "disk is full" in done.err) == (7, True)
    [row] = run("data", "uploads", "--json").json
    assert run("data", "drop", row["key"]).code == 0
    assert run("data", "resume", row["key"], "-f", "images").code == 5
    assert run("data", "drop", "nosuchkey").code == 4


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("-n", "x"), "--file"),
        (("-n", "x", "-f", "nothing"), "cannot be read"),
        (("-n", "x", "-f", "empty-folder"), "There is no file"),
        (("-n", " ", "-f", "images"), "name"),
        (("-n", "x", "-f", "images", "-t", "a,b"), "tag"),
        (("-n", "x", "-f", "images", "--parent", "99"), "99"),
        (("-n", "x", "-f", "images", "--from-scratch", "y"), "--from-scratch"),
    ],
)
def test_what_is_typed_wrong_is_told_and_nothing_is_made(
    run: Run, site: FakeSite, folder: Path, words: tuple[str, ...], why: str
) -> None:
    Path("empty-folder").mkdir()
    done = run("data", "create", *words)
    assert done.code in {2, 4}
    assert why in done.err
    assert site.data.lab.book.items == {}


def test_files_are_added_and_taken_off(run: Run, folder: Path) -> None:
    run("data", "create", "-n", "signs", "-f", "images/deep")
    Path("more.txt").write_text("more")
    done = run("data", "upload-files", "1", "-f", "more.txt")
    assert (done.code, "31 files now" in done.err) == (0, True), done.err
    assert run("data", "delete-file", "1", "-f", "more.txt", "--yes").code == 0
    assert "more.txt" not in kept(run, 1)
    assert run("data", "delete-file", "1", "-f", "more.txt", "--yes").code == 4
    assert run("data", "delete-file", "1", "-f", "deep/1", text="n\n").code == 1
    assert "deep/1" in kept(run, 1)


def test_name_memo_and_tags_are_changed(run: Run, folder: Path) -> None:
    run("data", "create", "-n", "signs", "-f", "images", "-t", "old", "-t", "stays")
    done = run("data", "update", "1", "-m", "paper", "-t", "stays", "-t", "new")
    assert done.code == 0, done.err
    found = run("data", "get", "1", "--json").json
    assert (found["memo"], found["name"]) == ("paper", "signs")
    assert found["tags"] == ["new", "stays"]
    run("data", "update", "1", "--no-tags")
    assert run("data", "tags").out == ""
    run("data", "get", "1", "-d", "about.json")
    assert json.loads(Path("about.json").read_text())["id"] == 1


def test_many_are_tagged_and_deleted_and_what_fails_is_named(
    run: Run, site: FakeSite, folder: Path
) -> None:
    for name in ("one", "two", "three"):
        run("data", "create", "-n", name, "-f", "images/empty")
    assert "2 of 2 done" in run("data", "tag", "x", "1", "2").err
    blocker = Blocker(Thing(Kind.DATASET, "9"), Why.IN_LOCKED_DATASET, "frozen")
    site.data.lab.book.blocked[2] = (blocker,)
    done = run("data", "delete", "1", "2", "3", "--yes")
    assert (done.code, "2 of 3 done" in done.err) == (5, True)
    assert "data 2: " in done.err
    assert run("data", "delete", "2", "--yes").code == 5
    outcomes = run("data", "delete", "1", "2", "--yes", "--json").json["outcomes"]
    assert [(one["id"], one["done"]) for one in outcomes] == [(1, False), (2, False)]
    assert "frozen" in run("data", "blockers", "2").out
    assert [one["id"] for one in run("data", "list", "--json").json] == [2]


@pytest.mark.parametrize(
    "words", [("get",), ("list-files",), ("blockers",), ("delete", "--yes")]
)
def test_what_is_not_there_has_its_exit_code(run: Run, words: tuple[str, ...]) -> None:
    assert run("data", *words, "77").code == 4


def test_storage_and_lineage_are_shown(run: Run, site: FakeSite, folder: Path) -> None:
    run("data", "create", "-n", "signs", "-f", "images")
    site.data.sync()
    assert run("dataset", "create", "-n", "set", "--data", "training=1").code == 0
    storage = run("storage", "--disk")
    assert ("mia" in storage.out, "free" in storage.err) == (True, True)
    assert run("storage", "--json").json["use"]["files"] == 34
    lines = run("lineage", "data", "1").out.splitlines()
    assert lines == [
        "data 1 signs", "made from: nothing", "used by:", "  dataset 1 set"
    ]  # fmt: skip
    assert run("lineage", "dataset", "1", "--json").json["about"]["id"] == "1"
    assert run("lineage", "data", "99").code == 4
