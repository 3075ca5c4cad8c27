"""`kqi preprocessing build-history`: what was run elsewhere is uploaded and kept."""

from pathlib import Path

import pytest

from kqi_hub.domain.data import DataState
from kqi_hub.domain.runs import RunState
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import NotReachable
from tests.adapters.cli.conftest import Run
from tests.fakes.site import FakeSite

BUILD = ("preprocessing", "build-history", "1", "-did", "1", "-s", "results")


@pytest.fixture(autouse=True)
def results(run: Run) -> Path:
    """Have data 1, preprocessing 1 of which only the name is known, and results."""
    Path("raw.png").write_text("raw")
    assert run("data", "create", "-n", "raw", "-f", "raw.png", "-t", "raw").code == 0
    assert run("preprocessing", "create", "-n", "windows tool").code == 0
    top = Path("results")
    for name in ("left", "right"):
        (top / name / "inner").mkdir(parents=True)
        (top / name / "a.png").write_text(name)
        (top / name / "inner" / "b.png").write_text(name * 2)
    return top


def test_each_folder_of_results_becomes_data_of_a_complete_run(
    run: Run, site: FakeSite
) -> None:
    done = run(*BUILD, "-m", "by hand", "-t", "checked", "--json")
    assert done.code == 0, done.err
    assert done.json == {"run": 1, "state": "completed", "data": [2, 3]}
    for number, name in ((2, "left"), (3, "right")):
        found = run("data", "get", str(number), "--json").json
        assert (found["name"], found["memo"]) == (name, "by hand")
        assert set(found["tags"]) == {"windows tool", "raw", "checked"}
        assert found["origin"] == "preprocessing"
    files = run("data", "list-files", "3", "--json").json
    assert sorted(one["path"] for one in files) == ["a.png", "inner/b.png"]
    made = run("preprocessing", "list-products", "1", "-d", "1", "--json").json
    assert sorted(one["id"] for one in made) == [2, 3]
    [listed] = run("preprocessing", "list-histories", "1", "--json").json
    assert (listed["state"], listed["data"], listed["files"]) == ("completed", 1, 4)
    assert site.runs.submission.begun == []
    again = run(*BUILD)
    assert (again.code, "run 1 of mia is completed" in again.err) == (5, True)
    deleted = run("preprocessing", "delete-history", "1", "-d", "1", "--yes")
    assert deleted.code == 0, deleted.err
    assert run("data", "get", "2").code == 4


def test_after_a_cut_the_same_command_goes_on(
    run: Run, site: FakeSite, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, calls = Client.finish_upload, list[str]()

    def cut_once(self: Client, key: str) -> object:
        calls.append(key)
        if len(calls) == 2:
            raise NotReachable("The portal does not answer.", "Try again.")
        return finish(self, key)

    monkeypatch.setattr(Client, "finish_upload", cut_once)
    cut = run(*BUILD)
    assert cut.code != 0
    assert "Run 1 is still open" in cut.err
    assert "The same command goes on." in cut.err
    assert site.runs.store.runs[1].state is RunState.OPENED
    [live] = run("preprocessing", "list-histories", "1", "--state", "live",
                 "--json").json  # fmt: skip
    assert live["status"] == "opened"
    done = run(*BUILD)
    assert done.code == 0, done.err
    assert "left: it is there already." in done.err
    assert len(set(calls)) == 2
    book = site.data.lab.book
    assert [one.state for one in book.items.values()] == [DataState.READY] * 3
    assert site.runs.store.runs[1].files == 4


def test_files_of_an_existing_history_are_added_before_it_is_complete(
    run: Run, site: FakeSite, results: Path
) -> None:
    add = ("preprocessing", "build-history-files", "1", "-d", "1", "-s", "results")
    none = run(*add)
    assert (none.code, "build-history 1 --data 1" in none.err) == (5, True)
    with Client.from_config() as portal:
        opened = portal.open_outside_run(1, 1, memo="from python")
    assert (opened.state, opened.memo, opened.is_live) == (
        "opened",
        "from python",
        True,
    )
    assert run(*add, "--leave-open", "--json").json["state"] == "opened"
    (results / "third").mkdir()
    (results / "third" / "c.png").write_text("3")
    done = run(*add, "--json")
    assert done.json == {"run": 1, "state": "completed", "data": [2, 3, 4]}


def test_an_open_run_is_deleted_with_what_is_under_way(
    run: Run, site: FakeSite
) -> None:
    with Client.from_config() as portal:
        opened = portal.open_outside_run(1, 1)
        portal.send_results(opened.id, "results/left")
    halted = run("preprocessing", "halt-history", "1", "-d", "1")
    assert (halted.code, "no job to stop" in halted.err) == (5, True)
    done = run("preprocessing", "delete-history", "1", "-d", "1", "--yes")
    assert done.code == 0, done.err
    assert site.runs.store.runs == {}
    assert list(site.data.lab.book.items) == [1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("-d", "99", "-s", "results"), 2, "no data 99"),
        (("-d", "0", "-s", "results"), 2, "--data"),
        (("-d", "1", "-s", "nosuch"), 2, "does not exist"),
        (("-d", "1", "-s", "raw.png"), 2, "is a file"),
        (("-d", "1", "-s", "results/left/inner"), 2, "no folder"),
        (("-d", "1"), 2, "--source"),
        (("-d", "1", "-s", "results", "-t", "a,b"), 2, "cannot be a tag"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    run: Run, site: FakeSite, words: tuple[str, ...], code: int, said: str
) -> None:
    done = run("preprocessing", "build-history", "1", *words)
    assert done.code == code, done.err
    assert said in done.err
    assert len(site.data.lab.book.items) == 1


def test_links_and_files_beside_are_left_out_and_said(
    run: Run, site: FakeSite, results: Path
) -> None:
    (results / "notes.txt").write_text("x")
    (results / "link").symlink_to("/etc")
    (results / "empty").mkdir()
    refused = run(*BUILD)
    assert (refused.code, "no file in" in refused.err) == (2, True)
    (results / "empty").rmdir()
    done = run(*BUILD)
    assert done.code == 0, done.err
    for name in ("notes.txt", "link"):
        assert f"{name} is left out" in done.err
    assert len(site.data.lab.book.items) == 3
