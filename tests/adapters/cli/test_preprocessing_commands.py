"""`kqi preprocessing`: defined, run on many data as one array, history, deletion."""

from dataclasses import replace
from pathlib import Path

import pytest

from kqi_hub.domain.runs import RunKind, RunState
from kqi_hub.sdk.client import Client
from tests.adapters.cli.conftest import Run
from tests.fakes.images import DIGEST
from tests.fakes.site import FakeSite

ARRAY = ("preprocessing", "run", "1", "-p", "cpu")


@pytest.fixture(autouse=True)
def three(run: Run, site: FakeSite) -> None:
    """Have data 1, 2 and 3, and preprocessing 1 of them."""
    for name in ("one", "two", "three"):
        Path(name).write_text(name)
        assert run("data", "create", "-n", name, "-f", name).code == 0
    Path("resize.sh").write_text("for f in /kqi/input/*; do\n  convert $f\ndone\n")
    done = run("preprocessing", "create", "-n", "resize 224", "-m", "small",
               "--command-file", "resize.sh", "--cpus", "2", "--json")  # fmt: skip
    assert done.code == 0, done.err
    assert done.json["shape"]["cpus"] == 2


def test_only_a_name_is_needed_until_it_is_run(run: Run) -> None:
    assert "Made preprocessing 2" in run("preprocessing", "create", "-n", "later").err
    refused = run("preprocessing", "run", "2", "-p", "cpu", "-d", "1")
    assert (refused.code, "no command" in refused.err) == (2, True)
    done = run("preprocessing", "update", "2", "-e", "true", "--repository",
               "https://git.example.org/a/b.git", "--json").json  # fmt: skip
    assert (done["command"], done["source"]["url"][-5:]) == ("true", "b.git")
    none = run("preprocessing", "update", "2", "--repository", "", "--json").json
    assert none["source"] is None
    assert run("preprocessing", "update", "2").code == 2
    listed = run("preprocessing", "list", "--name", "resize", "--json").json
    assert [one["id"] for one in listed] == [1]
    told = run("preprocessing", "get", "1").out
    assert "2 CPU, 1024 MB" in told
    assert "convert $f" in told
    assert run("preprocessing", "delete", "2", "--yes", "--json").json == {"id": 2}
    assert run("preprocessing", "get", "2").code == 4


def test_many_data_are_one_array_and_each_is_done_once(
    run: Run, site: FakeSite
) -> None:
    assert "It can start." in run(*ARRAY, "-d", "1-3", "--estimate").out
    assert site.runs.store.runs == {}
    done = run(*ARRAY, "-d", "1,2", "-o", "SIZE=224", "--memory-gb", "2")
    assert "Submitted 2 runs of resize 224 as one array." in done.err
    first, second = site.runs.store.runs.values()
    assert first.job_name == second.job_name == f"preprocessings-1-{first.key}"
    assert (first.spec.shape.cpus, first.spec.shape.memory_mb) == (2, 2048)
    assert site.runs.submission.begun == [first.key]
    again = run(*ARRAY, "-d", "1-3")
    assert (again.code, "has been run on data 1" in again.err) == (5, True)
    rest = run(*ARRAY, "-d", "1-3", "--skip-done", "--json").json
    assert (rest["data"], rest["passed_over"]) == ([3], [1, 2])
    locked = run("preprocessing", "update", "1", "-e", "false")
    assert locked.code == 5
    assert run("preprocessing", "update", "1", "--cpus", "1", "-m", "x").code == 0
    assert "It has been run" in run("preprocessing", "get", "1").out
    assert run("preprocessing", "delete", "1", "--yes").code == 5


def test_the_history_is_read_followed_stopped_and_deleted(
    run: Run, site: FakeSite
) -> None:
    run(*ARRAY, "-d", "1-3")
    store = site.runs.store
    site.runs.end(store.runs[1], 120)
    site.runs.end(store.runs[2], 120, RunState.FAILED, 3)
    listed = run("preprocessing", "list-histories", "1", "--json").json
    assert [(o["data"], o["status"], o["task"]) for o in listed] == [
        (3, "asked", 2),
        (2, "failed", 1),
        (1, "completed", 0),
    ]
    assert "120_1" in run("preprocessing", "list-histories", "1").out
    live = run("preprocessing", "list-histories", "1", "--state", "live", "--json")
    assert [one["data"] for one in live.json] == [3]
    assert "has made none" in run("preprocessing", "list-products", "1", "-d", "1").err
    script = run("preprocessing", "script", "1", "-d", "1").out
    assert script == run("script", "preprocessing", "1").out
    assert script.startswith("#!/bin/bash")
    waited = run("preprocessing", "wait", "1", "-d", "1,2")
    assert (waited.code, "Data 2: Preprocessing 2 is failed" in waited.err) == (1, True)
    assert run("preprocessing", "wait", "1", "-d", "1").code == 0
    assert run("preprocessing", "halt-history", "1", "-d", "3", "--failed").code == 0
    assert store.runs[3].stopping is RunState.KILLED
    done = run("preprocessing", "halt-history", "1", "-d", "1-3")
    assert (done.code, "2 were refused" in done.err) == (
        5,
        True,
    )
    done = run("preprocessing", "delete-history", "1", "-d", "1-3", "--yes")
    assert (done.code, "data 3: it goes when its job" in done.err) == (0, True)
    assert [(one.data, one.going_at is None) for one in store.runs.values()] == [
        (3, False)
    ]
    missing = run("preprocessing", "list-products", "1", "-d", "2")
    assert (missing.code, "has not been run on data 2" in missing.err) == (4, True)


@pytest.mark.parametrize(
    "words",
    [
        ("create", "-n", ""),
        ("create", "-n", "a,b"),
        ("create", "-n", "x", "-e", "x", "--command-file", "resize.sh"),
        ("create", "-n", "x", "--environment", "../base"),
        ("create", "-n", "x", "--repository", "file:///etc"),
        ("create", "-n", "x", "--ref", "main"),
        ("run", "1", "-p", "cpu", "-d", "one"),
        ("run", "1", "-p", "cpu", "-d", "3-1"),
        ("run", "1", "-p", "cpu", "-d", "0"),
        ("run", "1", "-p", "cpu", "-d", "99"),
        ("run", "1", "-p", "cpu", "-d", "1-1001"),
        ("run", "1", "-p", "cpu", "-d", "1", "-o", "KQI_HOME=/"),
        ("run", "1", "-p", "cpu", "-d", "1", "-o", "X"),
        ("run", "1", "-p", "cpu --uid=0", "-d", "1"),
    ],
)
def test_what_is_typed_wrong_is_told_and_nothing_is_submitted(
    run: Run, site: FakeSite, words: tuple[str, ...]
) -> None:
    done = run("preprocessing", *words)
    assert (done.code, bool(done.err)) == (2, True), done.err
    assert site.runs.store.runs == {}
    assert len(site.preprocessings.store.known) == 1


def test_python_defines_runs_and_reads(run: Run, site: FakeSite) -> None:
    with Client.from_config() as portal:
        made = portal.create_preprocessing("vision", "crop", command="true")
        batch = portal.run_preprocessing(made.id, "cpu", [2, 1], lifetime_s=600)
        assert (batch.data, batch.passed_over) == ((2, 1), ())
        [last] = portal.preprocessing_runs(preprocessing=made.id, data=1)
        assert (last.id, last.task) == (batch.runs[1], 1)
    assert {one.kind for one in site.runs.store.runs.values()} == {
        RunKind.PREPROCESSING
    }


def test_an_image_is_named_shown_and_taken_away(run: Run, site: FakeSite) -> None:
    done = run("preprocessing", "update", "1", "--image", "team/tool:1.0", "--json")
    assert done.json["image"] == "team/tool:1.0"
    assert "team/tool:1.0" in run("preprocessing", "get", "1").out
    assert run("preprocessing", "update", "1", "--environment", "torch").code == 2
    assert run(*ARRAY, "-d", "1,2").code == 0
    images = {one.spec.image for one in site.runs.store.runs.values()}
    assert images == {f"images.example.org/team/tool:1.0@{DIGEST}"}
    made = run(
        "preprocessing", "create", "-n", "other", "--image", "a/b", "--json"
    ).json
    number = str(made["id"])
    none = run("preprocessing", "update", number, "--image", "", "--json").json
    assert (made["image"], none["image"]) == ("a/b", "")


def test_an_array_is_added_up(run: Run, site: FakeSite) -> None:
    none = run("preprocessing", "use", "1")
    assert (none.code, "has not been run" in none.err) == (4, True)
    run(*ARRAY, "-d", "1-3", "--cpus", "2", "--memory-gb", "2")
    fresh = run("preprocessing", "use", "1")
    assert "3, of which 0 have ended" in fresh.out
    assert "Ran:" not in fresh.out
    site.runs.end(site.runs.store.runs[1], 120)
    site.runs.end(site.runs.store.runs[2], 120, RunState.OUT_OF_MEMORY, 1)
    told = run("preprocessing", "use", "1", "-d", "2")
    assert "3, of which 2 have ended" in told.out
    assert "1 min 00 s (median), 1 min 00 s (longest)" in told.out
    assert "38 % (38 to 38) of 2" in told.out
    assert "44 % (44 to 44); largest 0.9 of 2.0 GB" in told.out
    assert "Tasks that ran out of memory: 1." in told.out
    assert "- (without 2 tasks)" in told.out
    found = run("preprocessing", "use", "1", "--json").json
    assert found["states"] == {"completed": 1, "out-of-memory": 1, "asked": 1}
    assert (found["array"], found["cpu"]["most"]) == (1, 0.375)
    assert run("preprocessing", "use", "1", "-d", "99").code == 4
    assert run("preprocessing", "use", "7").code == 4
    assert run("preprocessing", "use", "1", "-d", "x").code == 2


def test_an_array_that_measured_nothing_says_so(run: Run, site: FakeSite) -> None:
    run(*ARRAY, "-d", "1")
    site.runs.end(site.runs.store.runs[1], 120)
    ended = site.runs.store.runs[1]
    site.runs.store.runs[1] = replace(ended, use=None)
    told = run("preprocessing", "use", "1")
    assert "None of them has measured its use." in told.err
    assert "CPUs busy" not in told.out
