"""`kqi dataset`: from options and JSON, as a job finds it, locked and copied."""

import json
from pathlib import Path

import pytest

from kqi_hub.domain.data import Kind, Thing
from tests.adapters.cli.conftest import Run
from tests.fakes.site import FakeSite


@pytest.fixture(autouse=True)
def three(run: Run, site: FakeSite) -> None:
    """Have data 1, 2 and 3, of one file each."""
    for name in ("one", "two", "three"):
        Path(name).write_text(name)
        assert run("data", "create", "-n", name, "-f", name).code == 0
    site.data.sync()


def test_a_dataset_is_made_of_options(run: Run) -> None:
    done = run("dataset", "create", "-n", "signs", "-m", "memo",
               "--data", "training=1-2", "--data", "testing=3")  # fmt: skip
    assert done.code == 0, done.err
    assert "Made dataset 1, signs, of 3 data items." in done.err
    paths = [o["path"] for o in run("dataset", "list-path-pairs", "1", "--json").json]
    assert paths == ["testing/3/three", "training/1/one", "training/2/two"]
    items = run("dataset", "list-data", "1", "-t", "training", "--json").json
    assert [one["folder"] for one in items] == ["training/1", "training/2"]
    assert "training 2, testing 1, validation 0" in run("dataset", "get", "1").out
    [row] = run("dataset", "list", "--data", "3", "--json").json
    assert (row["name"], row["memo"], row["files_count"]) == ("signs", "memo", 3)


def test_what_get_writes_create_and_update_read(run: Run) -> None:
    run("dataset", "create", "-n", "signs", "--data", "training=1")
    run("dataset", "get", "1", "-d", "set.json")
    said = json.loads(Path("set.json").read_text())
    said["entries"]["validation"] = [2, 3]
    Path("set.json").write_text(json.dumps(said))
    done = run("dataset", "update", "1", "-f", "set.json")
    assert (done.code, "3 data items" in done.err) == (0, True), done.err
    assert run("dataset", "update", "1", "-f", "set.json").code == 5
    made = run("dataset", "create", "-f", "set.json", "-n", "second", "--json").json
    assert (made["name"], made["items"]) == ("second", 3)


def test_a_flat_dataset_has_no_types(run: Run) -> None:
    done = run("dataset", "create", "-n", "flat", "--flat", "--data", "1,3", "--json")
    assert (done.json["is_flat"], done.json["items"]) == (True, 2)
    assert "flat" in run("dataset", "list").out
    text = json.dumps({"name": "again", "entries": [2]})
    done = run("dataset", "create", "-f", "-", "--json", text=text)
    assert done.json["is_flat"] is True


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-n", "x", "--data", "1"),
        ("-n", "x", "--data", "training=a"),
        ("-n", "x", "--data", "training=2-1"),
        ("-n", "x", "--data", "training=1-999999999"),
        ("-n", "x", "--data", "training=1", "--flat"),
        ("-n", "x", "--data", "nosuch=1"),
        ("-n", "x", "--data", "training=99"),
        ("-n", " ", "--data", "training=1"),
        ("-f", "nothing.json"),
        ("-f", "one"),
    ],
)
def test_what_is_typed_wrong_is_told(
    run: Run, site: FakeSite, words: tuple[str, ...]
) -> None:
    done = run("dataset", "create", *words)
    assert (done.code, bool(done.err)) == (2, True), done.err
    assert site.data.datasets.datasets == {}


def test_a_locked_dataset_is_named_anew_and_copied_but_not_changed(
    run: Run, site: FakeSite
) -> None:
    run("dataset", "create", "-n", "signs", "--data", "training=1")
    run("dataset", "get", "1", "-d", "set.json")
    site.data.datasets.lock(1, Thing(Kind.TRAINING, "12"), 1.0)
    assert "Locked by training 12" in run("dataset", "get", "1").out
    assert run("dataset", "update", "1", "-f", "set.json").code == 5
    assert run("dataset", "delete", "1", "--yes").code == 5
    assert run("dataset", "update-meta-info", "1", "-n", "frozen").code == 0
    assert "frozen (copy)" in run("dataset", "copy", "1").err
    assert run("dataset", "delete", "2", text="n\n").code == 1
    assert run("dataset", "delete", "2", "--yes", "--json").json == {"id": 2}
    assert run("dataset", "get", "2").code == 4


def test_types_and_the_folder_for_jobs_are_printed(run: Run) -> None:
    assert run("dataset", "list-data-types").out.split() == [
        "training", "testing", "validation"
    ]  # fmt: skip
    run("dataset", "create", "-n", "signs", "--data", "training=1")
    found = run("dataset", "stage", "1", "--json").json
    assert found["state"] == "ready"
    assert run("dataset", "stage", "1").out.strip() == found["path"]
