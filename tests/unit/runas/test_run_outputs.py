"""What the door says of an output that was handed to the store."""

import json
from collections.abc import Mapping

import pytest

from kqi_hub.domain.errors import DoorBroken, DoorRefused, StoreUnavailable
from kqi_hub.domain.ports import DoorAnswer
from kqi_hub.domain.run_outputs import Offered, OutputRefused
from kqi_hub.runas.run_outputs import DoorRunOutputs

GOOD: dict[str, object] = {
    "version": 1, "files": 2, "bytes": 7, "reflink": 0, "copy": 2, "missed": [],
    "misses": 0, "after": "b", "more": False, "refused": None,
}  # fmt: skip


class FakeDoor:
    """A Door with one answer; remembers what it was asked."""

    def __init__(
        self, stdout: str, exit_code: int = 0, timed_out: bool = False
    ) -> None:
        self.answer = DoorAnswer(exit_code, stdout, "why", timed_out, False)
        self.asked: list[tuple[str, str, dict[str, object]]] = []

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        self.asked.append((verb, person, dict(arguments)))
        return self.answer


async def offered(door: FakeDoor, after: str = "") -> Offered:
    outputs = DoorRunOutputs(door)
    return await outputs.offer("mia", "preprocessing/3", "cats", "t.t.t", after)


async def test_what_was_taken_is_told() -> None:
    missed = [{"path": "a\x1b", "code": "name", "message": "It is odd."}]
    door = FakeDoor(json.dumps(GOOD | {"misses": 3, "missed": missed, "more": True}))
    assert await offered(door) == Offered("b", True, 3, "a: It is odd.")
    asked = {"folder": "preprocessing/3", "name": "cats", "ticket": "t.t.t"}
    assert door.asked == [("offer-output", "mia", asked)]


async def test_the_rest_begins_after_what_was_taken() -> None:
    door = FakeDoor(json.dumps(GOOD))
    await offered(door, "a/b")
    assert door.asked[0][2]["after"] == "a/b"


@pytest.mark.parametrize("code", ["store-silent", "busy", "store"])
async def test_a_store_that_is_busy_is_asked_again(code: str) -> None:
    said = GOOD | {"refused": {"code": code, "message": "Not now."}}
    with pytest.raises(StoreUnavailable, match="Not now"):
        await offered(FakeDoor(json.dumps(said)))


@pytest.mark.parametrize("code", ["not-found", "bad-ticket", "upload-over", ""])
async def test_what_can_never_be_is_refused(code: str) -> None:
    said = GOOD | {"refused": {"code": code, "message": "cats is a link."}}
    with pytest.raises(OutputRefused, match="cats is a link"):
        await offered(FakeDoor(json.dumps(said)))


@pytest.mark.parametrize(
    "stdout",
    [
        "", "[]", "null", "{}", "x" * 10_000, json.dumps(GOOD | {"version": 2}),
        json.dumps(GOOD | {"misses": "many"}), json.dumps(GOOD | {"missed": 3}),
        json.dumps(GOOD | {"refused": "no"}), json.dumps(GOOD | {"missed": [1]}),
        json.dumps({k: v for k, v in GOOD.items() if k != "after"}),
    ],
)  # fmt: skip
async def test_an_answer_that_is_none_is_a_broken_door(stdout: str) -> None:
    with pytest.raises(DoorBroken):
        await offered(FakeDoor(stdout))


async def test_a_program_that_fails_or_hangs_is_told() -> None:
    with pytest.raises(DoorRefused, match="why"):
        await offered(FakeDoor("", exit_code=1))
    with pytest.raises(DoorBroken):
        await offered(FakeDoor("", timed_out=True))
