"""What is made of answers about folders of runs: programs that people own gave them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from kqi_hub.domain.errors import Conflict, DoorBroken, DoorRefused
from kqi_hub.domain.ports import DoorAnswer
from kqi_hub.domain.run_ports import Collected
from kqi_hub.domain.run_use import RunUse
from kqi_hub.domain.runs import Run, RunKind, RunSpec, RunState
from kqi_hub.runas.run_folders import DoorRunFolders

SPEC = RunSpec("first", "vision", "cpu", "true")
USE = {
    "source": "processes", "seconds": 10, "samples": 2, "cpu_s": 15, "cores_max": 2,
    "memory_mb_mean": 10, "memory_mb_max": 20, "gpu_percent_mean": 40,
}  # fmt: skip
READ = RunUse("processes", 10, 15, 2, 10, 20, 2, 40)
RESULT = {"exit_code": 3, "why": "the command ended so"}


def run(number: int) -> Run:
    folder = f"training/{number}"
    state = RunState.COLLECTING
    return Run(number, RunKind.TRAINING, "alice", "k", SPEC, state, 1, 1, folder=folder)


class Door:
    """Answer each call with the next text, and remember what was asked for."""

    def __init__(self, *answers: object, exit_code: int = 0) -> None:
        self._answers = list(answers)
        self._exit_code = exit_code
        self.asked: list[tuple[str, list[str]]] = []

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        folders = arguments["folders"]
        assert isinstance(folders, list)
        self.asked.append((verb, folders))
        answer = self._answers.pop(0)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return DoorAnswer(self._exit_code, text, "it failed")


def told(left: list[str] | None = None, **runs: Any) -> dict[str, Any]:
    named = {f"training/{name[1:]}": said for name, said in runs.items()}
    return {"version": 1, "runs": named, "left": left or []}


async def test_what_is_left_is_asked_for_again() -> None:
    first = told(["training/2"], n1={"files": 2, "bytes": 9, "result": RESULT})
    second = told(n2={"found": "none", "files": 0, "result": None})
    door = Door(first, second)
    found = await DoorRunFolders(door).collect("alice", [run(1), run(2)])
    assert [folders for _, folders in door.asked] == [
        ["training/1", "training/2"],
        ["training/2"],
    ]
    assert found[1] == Collected(
        files=2, bytes=9, exit_code=3, detail="the command ended so"
    )
    assert found[2] is None


async def test_an_answer_that_brings_nothing_ends_no_loop_but_the_call() -> None:
    door = Door(told(["training/1"]))
    with pytest.raises(DoorBroken):
        await DoorRunFolders(door).collect("alice", [run(1)])


async def test_folders_that_nobody_asked_for_are_left_out() -> None:
    door = Door(told(n1={"result": RESULT}, n7={"result": RESULT}))
    found = await DoorRunFolders(door).collect("alice", [run(1)])
    assert set(found) == {1}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"result": {"exit_code": True}}, None),
        ({"result": {"exit_code": "0"}}, None),
        ({"result": {"exit_code": 10**9}}, None),
        ({"result": [], "files": -1, "bytes": 2**80}, None),
        ({"result": {"exit_code": 0}, "value": 5}, Collected(exit_code=0)),
        (
            {"result": {"exit_code": 0}, "value": "0.9\x1b[31m\nx"},
            Collected(exit_code=0, value="0.9[31mx"),
        ),
        ({"found": "unfit", "why": "it is a link"}, Collected(detail="it is a link")),
        ({"files": 4, "bytes": 8}, Collected(files=4, bytes=8)),
        ({"result": {"exit_code": 0}, "use": USE}, Collected(exit_code=0, use=READ)),
        (
            {"result": {"exit_code": 0}, "use": {**USE, "seconds": 0}},
            Collected(exit_code=0),
        ),
        ({"result": {"exit_code": 0}, "use": [USE]}, Collected(exit_code=0)),
        ("no table", None),
    ],
)
async def test_nothing_that_a_folder_says_is_believed_unread(
    said: object, expected: Collected | None
) -> None:
    found = await DoorRunFolders(Door(told(n1=said))).collect("alice", [run(1)])
    assert found == {1: expected}


@pytest.mark.parametrize("answer", ["", "[]", "no JSON", '{"version": 2}', "null"])
async def test_an_answer_of_another_form_is_no_answer(answer: str) -> None:
    with pytest.raises(DoorBroken):
        await DoorRunFolders(Door(answer)).collect("alice", [run(1)])


async def test_a_program_that_failed_has_said_nothing() -> None:
    door = Door(told(), exit_code=1)
    with pytest.raises(DoorRefused):
        await DoorRunFolders(door).collect("alice", [run(1)])


async def test_a_folder_that_stays_is_told_of() -> None:
    kept = {"training/1": "it is a link"}
    answer = {"version": 1, "removed": [], "kept": kept, "left": []}
    with pytest.raises(Conflict, match=r"training/1 of alice .* it is a link"):
        await DoorRunFolders(Door(answer)).remove("alice", ["training/1"])


async def test_many_folders_are_removed_in_bites() -> None:
    folders = [f"training/{number}" for number in range(1, 702)]
    done: dict[str, Any] = {"version": 1, "removed": [], "kept": {}, "left": []}
    door = Door(done, done)
    await DoorRunFolders(door).remove("alice", folders)
    assert [len(asked) for _, asked in door.asked] == [500, 201]
