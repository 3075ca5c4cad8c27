"""`kqi training`, `kqi inference`, `kqi script`: submit, follow, stop, copy, delete."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kqi_hub.domain.run_ports import Collected
from kqi_hub.domain.runs import RunState
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.run_models import Training
from tests.adapters.cli.conftest import Run
from tests.fakes.runs import DONE, FAILED, INFERENCE, PREPARED, RUNNING, WAITING
from tests.fakes.site import FakeSite

CREATE = ("training", "create", "-n", "first", "-p", "cpu", "-e", "python train.py")


@pytest.fixture
def furnished(site: FakeSite) -> FakeSite:
    site.runs.furnish("mia")
    return site


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Do the next of these instead of each sleep."""
    steps: list[Callable[[], object]] = []
    really = time.sleep

    def sleep(seconds: float) -> None:
        really(0.001)
        if steps:
            steps.pop(0)()

    clock = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    monkeypatch.setattr("kqi_hub.sdk.runs.time", clock)
    return steps


def collect(site: FakeSite, number: int, state: RunState, code: int) -> None:
    found = Collected(state, "0.5", 1, 10, code)
    site.runs.store.collected(number, found, time.time())


def test_every_option_of_create_reaches_the_portal(
    run: Run, furnished: FakeSite
) -> None:
    Path("train.sh").write_text("set -e\npython train.py \\\n  --lr 0.1\n")
    done = run(
        "training", "create", "--name", "second-try", "--queue", "cpu",
        "--command-file", "train.sh", "--cpus", "3", "--memory-gb", "2",
        "--gpus", "0", "--lifetime", "2h", "--local-copy", "--dataset", "0",
        "--parent", "1", "--parent", "inference/6", "--environment", "torch",
        "--repository", "https://git.example.org/vision/model.git", "--ref", "main",
        "-o", "SEED=1=2", "-o", "EMPTY=", "--port", "8080", "--no-zip",
        "--memo", "a note", "-t", "paper", "-t", "lr 0.1", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    said = done.json["choices"]
    assert said["command"] == "set -e\npython train.py \\\n  --lr 0.1\n"
    assert (said["cpus"], said["memory_mb"], said["lifetime_s"]) == (3, 2048, 7200)
    assert (said["staging"], said["zip"], said["ports"]) == ("copy", False, [8080])
    assert said["parents"] == [
        {"kind": "training", "id": 1},
        {"kind": "inference", "id": 6},
    ]
    assert said["variables"] == [
        {"name": "SEED", "value": "1=2"},
        {"name": "EMPTY", "value": ""},
    ]
    assert (said["environment"], said["source"]["ref"]) == ("torch", "main")
    assert (said["tenant"], done.json["tags"]) == ("vision", ["lr 0.1", "paper"])
    assert f"kqi training logs -f {done.json['id']}" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("-n", "x"),
        ("-n", "A b", "-p", "cpu", "-e", "x"),
        ("-n", "x", "-p", "cpu", "-e", "x", "--command-file", "y"),
        ("-n", "x", "-p", "cpu", "-e", "x", "-o", "NOVALUE"),
        ("-n", "x", "-p", "cpu", "-e", "x", "-o", "KQI_HOME=/"),
        ("-n", "x", "-p", "cpu", "-e", "x", "--parent", "../1"),
        ("-n", "x", "-p", "cpu", "-e", "x", "--parent", "notebook/1"),
        ("-n", "x", "-p", "cpu", "-e", "x", "--ref", "main"),
        ("-n", "x", "-p", "cpu", "-e", "x", "--port", "65536"),
        ("-n", "x", "-p", "cpu", "-e", "x", "--dataset", "99"),
        ("-n", "x", "-p", "cpu", "-e", "x", "--prepare", "--wait"),
        ("-n", "x", "-p", "cpu", "-e", "x", "--repository", "file:///etc"),
    ],
)
def test_what_is_typed_wrong_is_told_and_nothing_is_kept(
    run: Run, site: FakeSite, words: tuple[str, ...]
) -> None:
    done = run("training", "create", *words)
    assert (done.code, bool(done.err)) == (2, True), done.err
    assert site.runs.store.runs == {}


def test_an_estimate_keeps_nothing(run: Run, site: FakeSite) -> None:
    assert "It can start." in run(*CREATE, "--estimate").out
    done = run(*CREATE, "--cpus", "60000", "--estimate")
    assert (done.code, "It can never start." in done.out) == (12, True)
    assert run(*CREATE, "--estimate", "--json").json["is_possible"] is True
    assert site.runs.store.runs == {}


def test_a_prepared_script_is_printed_for_sbatch(run: Run, site: FakeSite) -> None:
    done = run(*CREATE, "--prepare")
    assert "kqi script training 1 | sbatch" in done.err
    assert site.runs.submission.begun == []
    found = run("script", "training", "1")
    assert found.out.startswith("#!/bin/bash\n#SBATCH --job-name=training-1-")
    assert run("training", "script", "1").out == found.out
    assert run("script", "inference", "1").code == 4


def test_a_search_is_kept_listed_applied_and_deleted(
    run: Run, furnished: FakeSite
) -> None:
    save = ("training", "search", "save", "small ones", "--id", "<4")
    assert "list --search 'small ones'" in run(*save, "--state", "live").err
    run(*save, "--sort", "id", "--state", "completed", "--state", "running")
    shown = run("training", "search", "list").out
    assert "small ones" in shown
    assert "completed,running" in shown
    found = run("training", "list", "--search", "small ones", "--json").json
    numbers = [one["id"] for one in found]
    assert numbers == sorted(numbers)
    assert 0 < len(numbers) < 4
    other = ("training", "list", "--search", "small ones", "--id", "1", "--json")
    assert [one["id"] for one in run(*other).json] == [1]
    assert run("inference", "list", "--search", "small ones").code == 4
    run("training", "search", "delete", "small ones")
    assert "You keep none" in run("training", "search", "list").err
    assert run("training", "search", "save", "abc", "--id", "1").code == 2
    assert run("training", "search", "save", "nothing").code == 2


def test_a_list_is_filtered_and_tells_states_and_values(
    run: Run, furnished: FakeSite
) -> None:
    listed = run("training", "list")
    assert [line.split()[0] for line in listed.out.splitlines()[3:8]] == list("54321")
    assert "pending" in listed.out
    found = run("training", "list", "--state", "failed", "--state", "completed",
                "--sort", "id", "--json").json  # fmt: skip
    assert [one["id"] for one in found] == [DONE, FAILED]
    assert run("training", "list", "--tag", "!baseline", "--json").json == []
    assert [o["id"] for o in run("inference", "list", "--parent-id", "1",
                                 "--json").json] == [INFERENCE]  # fmt: skip
    assert run("training", "list", "--sort", "secret").code == 2


@pytest.mark.parametrize(
    "kind", ["training", "inference", "preprocessing", "data", "dataset"]
)
def test_an_empty_list_tells_whether_a_condition_empties_it(
    run: Run, kind: str
) -> None:
    for all_of_it in ((), ("--tenant", "-"), ("--count", "5")):
        assert " none. " in run(kind, "list", *all_of_it).err
    for condition in (("--name", "zzz"), ("--id", ">7"), ("--tenant", "vision")):
        said = run(kind, "list", *condition, "--count", "5").err
        assert said.startswith("Nothing matches these conditions."), condition
        assert "create" not in said


def test_a_search_that_one_keeps_is_a_condition(run: Run) -> None:
    assert run("training", "list", "--sort", "id").err.startswith("There is none.")
    run("training", "search", "save", "none of them", "--id", "99")
    said = run("training", "list", "--search", "none of them").err
    assert said.startswith("Nothing matches")


def test_one_is_shown_with_what_was_asked_for(run: Run, furnished: FakeSite) -> None:
    furnished.runs.store.people["mia"] = "Mia Müller"
    told = run("training", "get", "1").out
    for text in (
        "training 1: first (tenant vision, of mia, Mia Müller)",
        "completed",
        "0.93",
        "python train.py --epochs 3",
        "kqi/training/1",
        "read by:     inference 6",
        "3 files, 2.0 KiB",
        "used:        0.8 of 2 CPU; 0.9 of 8 GB memory",
        "1" * 40,
    ):
        assert text in told
    found = run("training", "get", "1", "--json").json
    assert (found["exit_code"], found["use"]["source"]) == (0, "processes")
    assert (found["use"]["cores"], found["use"]["cpu"]) == (0.75, 0.375)
    assert "completed" in run("training", "events", "1").out
    assert run("training", "tags", "--json").json == ["baseline"]
    for words in (("get", "99"), ("get", str(INFERENCE)), ("events", "99")):
        assert run("training", *words).code == 4
    assert run("training", "get", "../1").code == 2


def test_a_copy_is_like_the_first_but_for_what_is_said(
    run: Run, furnished: FakeSite
) -> None:
    done = run("training", "copy", "1", "--cpus", "1", "-n", "smaller", "--json")
    assert done.code == 0, done.err
    first, second = (
        furnished.runs.store.runs[number].spec for number in (1, done.json["id"])
    )
    assert second.shape.cpus == 1
    same = replace(second, shape=first.shape, name=first.name)
    assert same == first
    done = run("training", "copy", "1", "--repository", "", "--estimate", "--json")
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("state", "code", "ends"),
    [
        (RunState.COMPLETED, 0, 0),
        (RunState.FAILED, 3, 3),
        (RunState.FAILED, 255, 255),
        (RunState.TIMED_OUT, 0, 1),
        (RunState.KILLED, 143, 143),
    ],
)
def test_wait_ends_with_the_exit_code_of_the_job(
    run: Run,
    furnished: FakeSite,
    asleep: list[Callable[[], object]],
    state: RunState,
    code: int,
    ends: int,
) -> None:
    asleep += [lambda: None, lambda: collect(furnished, RUNNING, state, code)]
    done = run("training", "wait", str(RUNNING))
    assert done.code == ends
    assert "running on cpu01 (job 105)" in done.err
    assert f"Training 2 is {state.value}, exit code {code}, value 0.5." in done.err
    again = run("training", "wait", str(RUNNING), "--json")
    assert (again.code, again.json["state"]) == (ends, state.value)


def test_create_with_wait_tells_and_ends_as_the_job(
    run: Run, site: FakeSite, asleep: list[Callable[[], object]]
) -> None:
    def refuse() -> None:
        site.runs.store.refused(1, "Invalid account", time.time())

    asleep.append(refuse)
    done = run(*CREATE, "--wait")
    assert done.code == 1
    assert "Training 1 is refused (Invalid account)." in done.err


def test_a_wait_that_is_too_long_ends_with_124(
    run: Run, furnished: FakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 10_000, 40))
    clock = SimpleNamespace(sleep=lambda _: None, monotonic=lambda: next(now))
    monkeypatch.setattr("kqi_hub.sdk.runs.time", clock)
    done = run("training", "wait", str(WAITING), "--timeout", "1m")
    assert (done.code, "is still pending" in done.err) == (124, True)


def test_ctrl_c_ends_the_waiting_and_not_the_run(
    run: Run, furnished: FakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    clock = SimpleNamespace(sleep=interrupt, monotonic=time.monotonic)
    monkeypatch.setattr("kqi_hub.sdk.runs.time", clock)
    done = run("training", "wait", str(RUNNING))
    assert (done.code, "goes on without you" in done.err) == (130, True)
    assert furnished.runs.submission.stopped == []


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (("stop",), RunState.USER_CANCELED),
        (("stop", "--normal"), RunState.USER_CANCELED),
        (("stop", "--failed"), RunState.KILLED),
        (("halt",), RunState.KILLED),
        (("complete",), RunState.USER_CANCELED),
    ],
)
def test_a_stop_says_how_it_is_called(
    run: Run, furnished: FakeSite, words: tuple[str, ...], called: RunState
) -> None:
    done = run("training", *words, str(RUNNING))
    assert "Training 2 is being stopped." in done.err
    assert furnished.runs.store.runs[RUNNING].stopping is called
    assert run("training", *words, str(DONE)).code == 5
    done = run("training", *words, str(WAITING), str(DONE))
    assert (done.code, "1 of 2 done." in done.err) == (5, True)
    assert furnished.runs.store.runs[WAITING].stopping is called


def test_name_memo_tags_and_favourite_are_changed(
    run: Run, furnished: FakeSite
) -> None:
    done = run("training", "update", "1", "-n", "best", "-m", "note", "-t", "x",
               "--favourite", "--json").json  # fmt: skip
    assert (done["name"], done["memo"], done["tags"]) == ("best", "note", ["x"])
    assert done["is_favourite"] is True
    assert run("training", "update", "1", "--no-tags", "--json").json["tags"] == []
    assert run("training", "update", "1").code == 2
    assert run("training", "update", "1", "--no-tags", "-t", "x").code == 2
    assert "2 of 2 done." in run("training", "tag", "kept", "1", "2").err
    assert furnished.runs.store.runs[RUNNING].tags == ("baseline", "kept")
    untagged = run("training", "tag", "kept", "1", "--remove", "--json")
    [one] = untagged.json["outcomes"]
    assert (one["id"], one["done"], untagged.err) == (1, True, "")
    assert furnished.runs.store.runs[DONE].tags == ()


def test_a_delete_says_what_goes_and_what_is_against_it(
    run: Run, furnished: FakeSite
) -> None:
    refused = run("training", "delete", str(DONE), text="n\n")
    assert refused.code == 1
    assert "3 files in kqi/training/1 go." in refused.err
    assert "inference 6 infer reads its output" in refused.err
    assert run("training", "delete", str(DONE), "--yes").code == 5
    live = run("training", "delete", "2", text="y\n")
    assert "It has not ended: its job is ended first." in live.err
    assert "Training 2 is being deleted: its job is ended first." in live.err
    assert "It is being deleted already" in run("training", "delete", "2", text="n").err
    assert run("training", "get", "2").out.count("deleting") == 1
    gone = run("training", "delete", str(FAILED), "--yes", "--json")
    assert [(one["id"], one["done"]) for one in gone.json["outcomes"]] == [
        (FAILED, True)
    ]
    assert run("training", "get", str(FAILED)).code == 4
    done = run("inference", "delete", str(INFERENCE), "99", "--yes", "--json")
    assert done.code == 5
    assert [one["done"] for one in done.json["outcomes"]] == [True, False]
    assert "inference 99: " in done.err


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let the agent answer with these pieces of a log; an exception is raised."""
    told: list[Any] = []

    def answer(_: Client, method: str, path: str, body: object = None) -> object:
        assert (method, path.partition("&")[0]) == ("GET", "log?job=105")
        piece = told.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    monkeypatch.setattr(Client, "_agent_json", answer)
    clock = SimpleNamespace(sleep=lambda _: None, monotonic=time.monotonic)
    monkeypatch.setattr("kqi_hub.sdk.job_logs.time", clock)
    monkeypatch.setattr("kqi_hub.sdk.job_logs._LAST_LOOK_S", 0.0)
    return told


def test_a_log_is_followed_to_the_end_of_the_run(
    run: Run, furnished: FakeSite, pieces: list[Any]
) -> None:
    pieces += [
        {"text": "one\n", "from": 0, "to": 4, "size": 8},
        {"text": "two\n", "from": 4, "to": 8, "size": 8},
    ]
    assert run("training", "logs", str(RUNNING)).out == "one\ntwo\n"
    assert pieces == []

    class Ending(dict[str, Any]):
        """A piece after which the run has ended."""

        def __getitem__(self, key: str) -> Any:
            collect(furnished, RUNNING, RunState.COMPLETED, 0)
            return super().__getitem__(key)

    late = {"text": "the end\n", "from": 4, "to": 12, "size": 12}
    nothing = {"text": "", "from": 12, "to": 12, "size": 12}
    pieces += [Ending({"text": "one\n", "from": 0, "to": 4, "size": 4}), late]
    pieces += [nothing, nothing]
    assert run("training", "logs", "-f", str(RUNNING)).out == "one\nthe end\n"


def test_a_log_that_is_not_there_is_told(run: Run, furnished: FakeSite) -> None:
    done = run("training", "logs", str(PREPARED))
    assert (done.code, "has no log yet: it is prepared" in done.err) == (5, True)


def test_the_log_and_files_of_others_are_theirs(run: Run, site: FakeSite) -> None:
    site.runs.furnish("max")
    for words in (("logs",), ("list-files",), ("download-files", "-d", "here")):
        done = run("training", words[0], "1", *words[1:])
        assert (done.code, "is of max" in done.err) == (3, True)
    done = run("training", "list-files", "1", "..")
    assert done.code != 0


def test_the_sdk_submits_and_waits(
    site: FakeSite, run: Run, asleep: list[Callable[[], object]]
) -> None:
    asleep.append(lambda: collect(site, 1, RunState.COMPLETED, 0))
    with Client.from_config() as portal:
        asked = portal.submit(
            Training, "vision", name="sdk", queue="cpu", command="true"
        )
        assert (asked.state, asked.is_live) == ("asked", True)
        done = portal.wait(asked)
        assert (done.state, done.exit_code, done.value) == ("completed", 0, "0.5")
        assert [one.id for one in portal.runs(Training, state="completed")] == [1]
        assert [one.state for one in portal.run_events(Training, 1)] == [
            "asked",
            "completed",
        ]
