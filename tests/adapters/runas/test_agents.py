"""Agents: the operator's program, as the person, beyond the end of the call."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.runas.house import ALICE, PYTHON, House, wait_until

# FakeAgent: says what it sees, then does as its instructions tell.
FAKE = """\
import json, os, resource, signal, sys, time
told = json.load(sys.stdin)
seen = {
    "pid": os.getpid(), "uids": os.getresuid(), "sid": os.getsid(0),
    "environment": dict(os.environ), "cwd": os.getcwd(), "umask": os.umask(0o77),
    "argv": sys.argv, "fds": sorted(map(int, os.listdir("/proc/self/fd"))),
    "memory": resource.getrlimit(resource.RLIMIT_AS),
    "files": resource.getrlimit(resource.RLIMIT_NOFILE),
    "status": open("/proc/self/status").read(),
}
if "seen" in told:
    open(told["seen"], "w").write(json.dumps(seen))
if told.get("stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if told.get("dies"):
    sys.exit("cannot bind: Address already in use")
time.sleep(told.get("sleep", 0))
print("listening", flush=True)
null = os.open("/dev/null", os.O_WRONLY)
os.dup2(null, 1), os.dup2(null, 2)
time.sleep(60)
"""
TOKEN = "the-agents-own-token"


def command(house: House) -> list[str]:
    return [PYTHON, "-I", str(house.base / "agent.py")]


@pytest.fixture
def agents(empty_house: House) -> House:
    """Return a house whose configuration names an agent."""
    (empty_house.base / "agent.py").write_text(FAKE)
    empty_house.configure(agent_command=command(empty_house))
    empty_house.start()
    return empty_house


@pytest.fixture
def start(agents: House) -> Iterator[Callable[..., dict[str, Any]]]:
    """Return what starts agents; those that are left end with the test."""
    pids = []

    def begin(**told: object) -> dict[str, Any]:
        text = json.dumps({"token": TOKEN, **told})
        answer = agents.ask("start-agent", "alice", {"text": text})
        if answer["ok"] and answer["exit_code"] == 0:
            answer |= json.loads(answer["stdout"])
            pids.append(answer["pid"])
        return answer

    yield begin
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


Start = Callable[..., dict[str, Any]]


def lives(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_it_runs_as_the_person_with_nothing_of_ours(
    agents: House, start: Start
) -> None:
    report = agents.base / "home/alice/seen"
    answer = start(seen=str(report))
    seen = json.loads(report.read_text())
    assert seen["pid"] == answer["pid"] == seen["sid"]
    assert seen["uids"] == [ALICE] * 3
    assert (seen["cwd"], seen["umask"]) == ("/", 0o077)
    assert set(seen["environment"]) == {
        "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PATH",
    }  # fmt: skip
    assert seen["fds"] == [0, 1, 2, 3]  # the last is that of the look itself
    # The second is what an installer that it starts may have.
    assert seen["memory"] == [1024**3, 8 * 1024**3]
    assert seen["files"] == [1024, 4096]
    assert "NoNewPrivs:\t1" in seen["status"]
    assert "CapEff:\t0000000000000000" in seen["status"]
    assert TOKEN not in json.dumps(seen)


def test_it_outlives_the_call_and_the_helper(agents: House, start: Start) -> None:
    pid = start()["pid"]
    wait_until(lambda: not agents.children())
    assert agents.stop() == 0
    time.sleep(0.2)
    assert lives(pid)


def test_the_answer_comes_when_it_listens(start: Start) -> None:
    began = time.monotonic()
    assert start(sleep=1)["exit_code"] == 0
    assert time.monotonic() - began > 1


def test_when_it_was_begun_tells_it_from_another(start: Start) -> None:
    answer = start()
    stat = Path(f"/proc/{answer['pid']}/stat").read_text().rpartition(")")[2].split()
    assert answer["began"] == int(stat[19])


def test_one_that_does_not_listen_says_why(start: Start) -> None:
    answer = start(dies=True)
    assert answer["exit_code"] == 1
    assert answer["stderr"].endswith("cannot bind: Address already in use")
    assert TOKEN not in json.dumps(answer)


@pytest.mark.parametrize(
    "words", [None, ["agent"], ["./agent"], ["/a/../b"], ["//bin/sh"]]
)
def test_without_a_program_there_is_no_agent(empty_house: House, words: object) -> None:
    empty_house.configure(agent_command=words)
    empty_house.start()
    answer = empty_house.ask("start-agent", "alice", {"text": "{}"})
    assert not answer["ok"]
    assert "agent_command" in answer["message"]


def test_a_program_that_is_not_there_is_told(empty_house: House) -> None:
    empty_house.configure(agent_command=["/nonexistent/agent"])
    empty_house.start()
    answer = empty_house.ask("start-agent", "alice", {"text": "{}"})
    assert answer["exit_code"] == 1
    assert "/nonexistent/agent" in answer["stderr"]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"text": ""}, {"text": 1}, {"text": "x" * 1_048_577},
     {"text": "x", "argv": ["sh"]}, {"text": "x", "agent_command": ["/bin/sh"]}],
)  # fmt: skip
def test_the_caller_decides_nothing_but_the_text(
    agents: House, arguments: dict[str, object]
) -> None:
    assert not agents.ask("start-agent", "alice", arguments)["ok"]


def stop(house: House, pid: object, began: object, person: str = "alice") -> Any:
    return house.ask("stop-agent", person, {"pid": pid, "began": began})


@pytest.mark.parametrize("is_stubborn", [False, True])
def test_it_is_stopped(agents: House, start: Start, is_stubborn: bool) -> None:
    answer = start(stubborn=is_stubborn)
    began = time.monotonic()
    assert stop(agents, answer["pid"], answer["began"])["exit_code"] == 0
    assert not lives(answer["pid"])
    assert (time.monotonic() - began > 4) is is_stubborn
    assert stop(agents, answer["pid"], answer["began"])["exit_code"] == 0


def test_a_number_that_came_again_is_left_alone(agents: House, start: Start) -> None:
    answer = start()
    assert stop(agents, answer["pid"], answer["began"] + 1)["exit_code"] == 0
    assert lives(answer["pid"])


def test_another_person_cannot_be_made_to_stop_it(agents: House, start: Start) -> None:
    answer = start()
    refused = stop(agents, answer["pid"], answer["began"], "bob")
    assert refused["exit_code"] == 1
    assert "not permitted" in refused["stderr"]
    assert lives(answer["pid"])


def test_what_is_no_agent_is_left_alone(agents: House, start: Start) -> None:
    answer = start()
    other = agents.base / "other.py"
    other.write_text(FAKE)
    agents.configure(agent_command=[PYTHON, "-I", str(other)])
    agents.stop()
    agents.start()
    refused = stop(agents, answer["pid"], answer["began"])
    assert refused["exit_code"] == 1
    assert "is not the agent that was meant" in refused["stderr"]
    assert lives(answer["pid"])


@pytest.mark.parametrize(
    "pid", [None, True, 0, 1, -1, "12", 1.5, 2**22 + 1, 10**300, []]
)
def test_what_is_no_process_number_is_refused(agents: House, pid: object) -> None:
    assert not stop(agents, pid, 1)["ok"]


def test_the_log_has_no_token(agents: House, start: Start) -> None:
    answer = start()
    stop(agents, answer["pid"], answer["began"])
    wait_until(lambda: agents.audit()[-1]["verb"] == "stop-agent")
    assert TOKEN not in agents.log.read_text()
    assert agents.audit()[-1]["pid"] == answer["pid"]
