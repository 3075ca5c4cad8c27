"""Orders in task folders: carried out once, with a state that can be read any time."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from conda_bootstrap.inventory import environments
from conda_bootstrap.places import Places
from conda_bootstrap.task_files import tasks_under_way
from tests.adapters.conda_bootstrap.person import Person
from tests.adapters.conda_bootstrap.pretend import pretend_environment

STATE_FIELDS = {
    "version",
    "operation",
    "name",
    "id",
    "state",
    "phase",
    "done",
    "total",
    "bytes",
    "text",
    "began_at",
    "ended_at",
    "error",
    "job_id",
    "host",
    "pid",
    "result",
}


def ordered(places: Places, number: int = 0, **order: Any) -> Path:
    folder = places.tasks / f"20261121T12000{number}-abcdefgh"
    folder.mkdir(parents=True)
    (folder / "order.json").write_text(json.dumps({"version": 1} | order))
    return folder


def state(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "state.json").read_text())
    assert set(told) == STATE_FIELDS
    return told


def test_task_ends_with_a_state_and_a_log(somebody: Person) -> None:
    pretend_environment(somebody.places, "old")
    folder = ordered(somebody.places, operation="delete", name="old")
    answer = somebody.run("task", str(folder), SLURM_JOB_ID="4711")
    assert answer.code == 0, answer.err
    told = state(folder)
    assert (told["state"], told["job_id"], told["error"]) == ("done", "4711", None)
    assert told["ended_at"] >= told["began_at"]
    assert "old is removed." in answer.out
    assert not somebody.prefix("old").exists()


def test_task_that_is_refused_says_why(somebody: Person) -> None:
    folder = ordered(somebody.places, operation="delete", name="absent")
    assert somebody.run("task", str(folder)).code == 3
    told = state(folder)
    assert (told["state"], told["error"]["code"]) == ("refused", "no_environment")
    assert told["error"]["hint"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "nonsense",
        '{"version": 1}',
        '{"version": 1, "operation": "delete", "name": "../../x"}',
        '{"version": 1, "operation": "create", "name": "a", "base": ["x"]}',
        "[" * 100_000,
    ],
)
def test_order_that_is_none_ends_the_task(somebody: Person, text: str) -> None:
    folder = ordered(somebody.places)
    (folder / "order.json").write_text(text)
    assert somebody.run("task", str(folder)).code == 2
    assert state(folder)["state"] == "refused"


def test_folder_that_is_none_is_refused(somebody: Person) -> None:
    assert somebody.run("task", "/nowhere/at/all").code == 2


def test_task_that_is_stopped_is_cancelled_and_leaves_no_process(
    somebody: Person, tmp_path: Path
) -> None:
    hanging = tmp_path / "hanging"
    hanging.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid\nexec sleep 300\n")
    hanging.chmod(0o755)
    prefix = pretend_environment(somebody.places, "slow")
    kernel = prefix / "share/jupyter/kernels/python3/kernel.json"
    kernel.write_text(json.dumps({"argv": [str(hanging)], "display_name": "Slow"}))
    folder = ordered(somebody.places, operation="verify", name="slow")
    argv = somebody.argv("task", str(folder))
    with subprocess.Popen(
        argv, env=somebody.variables(), stdout=subprocess.DEVNULL
    ) as process:
        wait_for(tmp_path / "pid")
        assert tasks_under_way(somebody.places) == {"slow": folder.name}
        assert environments(somebody.places, None)[0]["task"] == folder.name
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 1
    assert state(folder)["state"] == "cancelled"
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()
    assert tasks_under_way(somebody.places) == {}


def test_task_whose_process_was_killed_can_be_run_again(somebody: Person) -> None:
    pretend_environment(somebody.places, "old")
    folder = ordered(somebody.places, operation="delete", name="old")
    (folder / "state.json").write_text('{"version": 1, "state": "running"}')
    assert tasks_under_way(somebody.places) == {}
    assert somebody.run("task", str(folder)).code == 0
    assert state(folder)["state"] == "done"


def test_task_that_waits_is_under_way_and_its_environment_being_made(
    somebody: Person,
) -> None:
    folder = ordered(somebody.places, operation="create", name="new")
    (folder / "state.json").write_text('{"version": 1, "state": "waiting"}')
    ordered(somebody.places, 1, operation="create", name="gone")
    done = '{"version": 1, "state": "done"}'
    (somebody.places.tasks / "20261121T120001-abcdefgh/state.json").write_text(done)
    (one,) = environments(somebody.places, None)
    assert (one["name"], one["state"], one["task"]) == ("new", "making", folder.name)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or not path.read_text().strip():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)
