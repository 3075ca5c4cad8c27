"""Orders: what becomes of a right one on disk, and hostile ones."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.agent.conftest import Lab
from tests.adapters.agent.task_calls import CREATE, TASKS, one, order, place


async def test_an_order_becomes_a_private_folder_and_a_job(lab: Lab) -> None:
    found = await order(lab, queue="jupyter", tenant="bio")
    assert (found["state"], found["job_id"], found["name"]) == ("waiting", 101, "torch")
    folder = place(lab, found["id"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "order.json").stat().st_mode) == 0o600
    assert json.loads((folder / "order.json").read_text()) == {
        "version": 1, "operation": "create", "name": "torch", "base": "notebook",
    }  # fmt: skip
    assert lab.slurm.calls("sbatch") == ["--parsable --propagate=NONE"]
    key = found["id"].rpartition("-")[2]
    lines = lab.slurm.script().splitlines()
    for line in (
        f"#SBATCH --job-name=env-torch-{key}", "#SBATCH --partition=jupyter",
        "#SBATCH --account=bio", "#SBATCH --cpus-per-task=2", "#SBATCH --mem=4096M",
        "#SBATCH --time=60", f"#SBATCH --output={folder}/log", "#SBATCH --no-requeue",
        f"exec {lab.slurm.python} -I -m conda_bootstrap --scratch {lab.folder} "
        f"--site {lab.folder.parent}/site task {folder}",
    ):  # fmt: skip
        assert line in lines


async def test_without_queue_and_tenant_slurm_decides(lab: Lab) -> None:
    await order(lab)
    script = lab.slurm.script()
    assert "--partition" not in script
    assert "--account" not in script


async def test_nothing_of_the_hub_reaches_slurms_programs(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    await order(lab)
    environment = (lab.slurm.folder / "environment").read_text()
    assert "secret" not in environment
    assert "PATH=" in environment


ODD_STATES: dict[str, bytes] = {
    "nothing": b"", "half": b'{"state":', "list": b"[]", "deep": b"[" * 100_000,
    "unknown": b'{"state":"flying"}', "number": b'{"state":1}',
    "infinite": b'{"state":"running","done":1e999,"total":NaN}',
    "types": b'{"state":"done","phase":[],"done":"x","error":[1],"result":"no"}',
    "huge": b'{"state":"running","text":"' + b"x" * 300_000 + b'"}',
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD_STATES)
async def test_an_odd_state_file_breaks_nothing(lab: Lab, kind: str) -> None:
    found = await order(lab)
    (place(lab, found["id"]) / "state.json").write_bytes(ODD_STATES[kind])
    shown = await one(lab, found["id"])
    assert shown["state"] in {"waiting", "running", "done"}
    assert json.dumps(shown, allow_nan=False)


async def test_a_link_in_place_of_a_state_is_not_followed(
    lab: Lab, tmp_path: Path
) -> None:
    found = await order(lab)
    secret = tmp_path / "elsewhere.json"
    secret.write_text('{"state": "done", "text": "not to be seen"}')
    (place(lab, found["id"]) / "state.json").symlink_to(secret)
    answer = await lab.get(f"{TASKS}/{found['id']}")
    assert answer.code == 403
    assert b"not to be seen" not in answer.body
    assert (await lab.get(TASKS)).code == 200


def kqi_is_a_link(top: Path) -> None:
    (top / "kqi").rmdir()
    (top.parent / "elsewhere").mkdir()
    (top / "kqi").symlink_to(top.parent / "elsewhere")


PLANTED: dict[str, Callable[[Path], object]] = {
    "link": kqi_is_a_link,
    "link to nowhere": lambda top: (top / "kqi/environments").symlink_to("/nowhere"),
    "file": lambda top: (top / "kqi/environments").touch(),
    "fifo": lambda top: os.mkfifo(top / "kqi/environments"),
}


@pytest.mark.parametrize("kind", PLANTED)
async def test_nothing_is_written_through_links(lab: Lab, kind: str) -> None:
    PLANTED[kind](lab.folder)
    answer = await lab.send(TASKS, CREATE)
    assert (answer.code, json.loads(answer.body)["error"]) == (403, "not-regular")
    assert not any((lab.folder.parent / "elsewhere").glob("*"))
    assert lab.slurm.calls("sbatch") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": "explode"}, {"operation": None}, {"operation": ["create"]},
        {"name": ""}, {"name": None}, {"name": 7}, {"name": "A"}, {"name": ".x"},
        {"name": "-x"}, {"name": ".."}, {"name": "../x"}, {"name": "a/b"},
        {"name": "a b"}, {"name": "a\nb"}, {"name": "a\0"}, {"name": "手"},
        {"name": "a" * 41}, {"name": "$(id)"}, {"name": "a;b"}, {"name": "²"},
        {"base": ""}, {"base": "../x"}, {"base": 1}, {"base": None},
        {"yml": "name: x"}, {"base2": "x"}, {"python": "/bin/sh"}, {"command": "id"},
        {"queue": "a b"}, {"queue": "-p"}, {"queue": "a\n#SBATCH --wrap=id"},
        {"queue": None}, {"queue": 3}, {"tenant": "../x"}, {"tenant": "$HOME"},
        {"run_on": "moon"}, {"run_on": None}, {"run_on": ["job"]}, {"bring_back": True},
    ],
)  # fmt: skip
async def test_a_wrong_order_is_refused_before_anything_is_touched(
    lab: Lab, changes: dict[str, object]
) -> None:
    found = await order(lab, 400, **changes)
    assert found["error"] == "invalid-input"
    assert not (lab.folder / "kqi/environments").exists()
    assert lab.slurm.calls("sbatch") == []


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"[]", b"null", b"[" * 100_000, b'{"a"', b"\xff", b'"create"']
)
async def test_what_is_no_object_is_refused(lab: Lab, raw: bytes) -> None:
    assert (await lab.send(TASKS, raw)).code == 400


@pytest.mark.parametrize("field", ["yml", "lock", "explicit", "import"])
async def test_a_file_travels_in_the_order_as_it_is(lab: Lab, field: str) -> None:
    text = "name: 手\ndependencies:\n  - python=3.11 # $(id) `id` ';--\n" * 100
    body = {"operation": "create", "name": "mine", field: text}
    answer = await lab.send(TASKS, body)
    assert answer.code == 202
    folder = place(lab, json.loads(answer.body)["id"])
    assert json.loads((folder / "order.json").read_text())[field] == text
    assert "$(id)" not in lab.slurm.script()


@pytest.mark.parametrize(
    ("text", "status"),
    [(" \n", 400), ("a\0b", 400), (7, 400), ([], 400), ("x" * (1024**2 + 1), 413),
     ("x" * (2 * 1024**2), 413)],
)  # fmt: skip
async def test_a_file_that_is_none_is_refused(
    lab: Lab, text: object, status: int
) -> None:
    body = {"operation": "create", "name": "mine", "yml": text}
    assert (await lab.send(TASKS, body)).code == status
    assert not (lab.folder / "kqi/environments").exists()


async def test_half_a_character_is_no_text(lab: Lab) -> None:
    raw = b'{"operation": "create", "name": "mine", "yml": "\\ud800"}'
    assert (await lab.send(TASKS, raw)).code == 400


@pytest.mark.parametrize("name", ["Torch_2", "手", "my env", "a+b"])
async def test_foreign_environments_may_be_worked_on(lab: Lab, name: str) -> None:
    found = await lab.send(TASKS, {"operation": "delete", "name": name})
    assert found.code == 202
    line = next(x for x in lab.slurm.script().splitlines() if "job-name" in x)
    assert line.isascii()
    assert " " not in line.removeprefix("#SBATCH ")


IDS = [
    "x", "..", "20260101T000000-aaaaaaa", "20260101T000000-aaaaaaaA",
    "20260101T000000-aaaaaaaa%2F..%2F..%2Fx", "20260101T000000-aaaaaaaa%00",
    "20260101T000000-aaaaaaaa%0A", "%2E%2E%2Fbob", "20260101T000000-aaaaaaaa",
]  # fmt: skip


@pytest.mark.parametrize("task_id", IDS)
@pytest.mark.parametrize("path", ["", "/log", "/log/follow", "/cancel", "/check"])
async def test_a_task_that_is_not_there_is_not_found(
    lab: Lab, task_id: str, path: str
) -> None:
    method = {"/cancel": "POST", "/check": "POST"}.get(path, "GET")
    more: dict[str, Any] = {"body": b""} if method == "POST" else {}
    answer = await lab.get(f"{TASKS}/{task_id}{path}", method=method, **more)
    assert answer.code == 404


async def test_anothers_task_cannot_be_reached(lab: Lab, tmp_path: Path) -> None:
    """A task of bob's has no place below alice's folder, and a link there is none."""
    theirs = tmp_path / "bob/kqi/environments/20260101T000000-aaaaaaaa"
    theirs.mkdir(parents=True)
    (theirs / "log").write_text("not to be seen")
    mine = lab.folder / "kqi/environments"
    mine.mkdir()
    (mine / theirs.name).symlink_to(theirs)
    for path in ("", "/log"):
        answer = await lab.get(f"{TASKS}/{theirs.name}{path}")
        assert answer.code in {403, 404}
        assert b"not to be seen" not in answer.body
