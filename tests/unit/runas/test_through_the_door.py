"""Secrets and agents through the door: what is asked, and what an answer means."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from kqi_hub.domain.errors import DoorBroken, DoorError, DoorRefused
from kqi_hub.domain.ports import DoorAnswer
from kqi_hub.runas.agents import AgentProcess, DoorAgents
from kqi_hub.runas.secret_files import DoorSecretFiles

DONE = DoorAnswer(0, "", "")
FULL = DoorAnswer(1, "", "no secret written: [Errno 28] No space left on device")
LATE = DoorAnswer(0, "", "", timed_out=True)
KILLED = DoorAnswer(-9, "", "")
FAILURES = [(FULL, DoorRefused), (LATE, DoorBroken), (KILLED, DoorBroken)]


@dataclass
class FakeDoor:
    """FakeDoor: gives one answer and remembers what it was asked."""

    answer: DoorAnswer = DONE
    asked: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        self.asked.append((verb, person, arguments))
        return self.answer


async def test_a_secret_is_kept_under_the_jobs_name() -> None:
    door = FakeDoor()
    await DoorSecretFiles(door).keep("alice", "nb-1-x", "s3cret")
    expected = {"name": "nb-1-x", "text": "s3cret"}
    assert door.asked == [("put-secret", "alice", expected)]


async def test_many_secrets_are_dropped_in_questions_that_the_door_takes() -> None:
    door = FakeDoor()
    names = [f"nb-{number}-x" for number in range(1100)]
    await DoorSecretFiles(door).drop("alice", names)
    asked = [arguments["names"] for _, _, arguments in door.asked]
    assert [len(some) for some in asked if isinstance(some, list)] == [500, 500, 100]


async def test_no_secrets_to_drop_ask_nothing() -> None:
    door = FakeDoor()
    await DoorSecretFiles(door).drop("alice", [])
    assert door.asked == []


@pytest.mark.parametrize(("answer", "error"), FAILURES)
async def test_a_secret_that_was_not_kept_is_an_error_without_it(
    answer: DoorAnswer, error: type[DoorError]
) -> None:
    with pytest.raises(error) as caught:
        await DoorSecretFiles(FakeDoor(answer)).keep("alice", "nb-1-x", "s3cret")
    assert "alice" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert ("No space left" in str(caught.value)) is (answer is FULL)


@pytest.mark.parametrize(("answer", "error"), FAILURES)
async def test_an_agent_that_did_not_start_or_stop_is_an_error(
    answer: DoorAnswer, error: type[DoorError]
) -> None:
    agents = DoorAgents(FakeDoor(answer))
    with pytest.raises(error):
        await agents.start("alice", "{}")
    with pytest.raises(error):
        await agents.stop("alice", AgentProcess(7, 70))


async def test_an_agent_that_started_is_known_by_number_and_time() -> None:
    door = FakeDoor(DoorAnswer(0, '{"pid": 7, "began": 70}', ""))
    process = await DoorAgents(door).start("alice", "{}")
    assert process == AgentProcess(7, 70)
    await DoorAgents(door).stop("alice", process)
    assert door.asked[-1] == ("stop-agent", "alice", {"pid": 7, "began": 70})


@pytest.mark.parametrize(
    "said", ["", "[]", "7", '{"pid": 7}', '{"pid": "x", "began": 1}']
)
async def test_an_answer_that_names_no_process_leaves_open_what_happened(
    said: str,
) -> None:
    with pytest.raises(DoorBroken):
        await DoorAgents(FakeDoor(DoorAnswer(0, said, ""))).start("alice", "{}")


def began(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - as plain as can be
        return int(file.read().rpartition(")")[2].split()[19])


def test_a_process_lives_until_it_has_ended_and_is_not_another() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    ) as it:
        process = AgentProcess(it.pid, began(it.pid))
        assert process.is_alive()
        assert not AgentProcess(it.pid, process.began + 1).is_alive()
        it.kill()
        os.waitid(os.P_PID, it.pid, os.WEXITED | os.WNOWAIT)
        assert not process.is_alive()  # a zombie
    assert not process.is_alive()
