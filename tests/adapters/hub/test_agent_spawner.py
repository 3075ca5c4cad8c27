"""The spawner of agents: start, watch, stop, and the hub's restart in between."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config

from kqi_hub.agent.environment_rules import environment_rules
from kqi_hub.agent.files.rules import file_rules
from kqi_hub.domain.errors import DoorRefused
from kqi_hub.domain.ports import DoorAnswer
from kqi_hub.settings.environments import Environments
from kqi_hub.settings.files import Files
from kqi_hub.settings.store import Store
from spawners.agent import AgentSpawner

SITE: Any = SimpleNamespace(
    scratch=SimpleNamespace(root=Path("/scratch")),
    notebooks=SimpleNamespace(
        agent_idle_minutes=30, session_python=Path("/opt/session/bin/python")
    ),
    environments=Environments(queue="free"),
    files=Files(roots=("/projects",)),
    store=Store(),
    cluster=SimpleNamespace(slurm_bin=Path("/usr/bin"), slurm_conf=None),
    hub=SimpleNamespace(public_url="https://hub.example"),
)


@dataclass
class FakeDoor:
    """FakeDoor: starts a sleeping process in place of an agent."""

    taken_ports: int = 0
    asked: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, Any]
    ) -> DoorAnswer:
        self.asked.append(f"{verb} {person}")
        if verb == "start-agent":
            return self._start(json.loads(arguments["text"]))
        if verb == "stop-agent":
            self.end()
        return DoorAnswer(0, "", "")

    def _start(self, told: dict[str, Any]) -> DoorAnswer:
        self.told.append(told)
        if self.taken_ports:
            self.taken_ports -= 1
            return DoorAnswer(1, "", "agent: [Errno 98] Address already in use")
        sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
        process = subprocess.Popen(sleep)
        self.processes.append(process)
        with open(f"/proc/{process.pid}/stat") as file:  # noqa: PTH123 - as plain as can be
            began = int(file.read().rpartition(")")[2].split()[19])
        return DoorAnswer(0, json.dumps({"pid": process.pid, "began": began}), "")

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


class Wrapper:
    """What the spawner tells that the agent has ended."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    def tell_over(self) -> None:
        self.told.set()


@pytest.fixture
def door() -> Iterator[FakeDoor]:
    made = FakeDoor()
    yield made
    made.end()


class Agents(AgentSpawner):
    """The spawner with a site, a door and an environment of the test's."""

    def get_env(self) -> dict[str, str]:
        return {
            "PATH": "/of/the/hub",
            "SECRET_OF_THE_HUB": "x",
            "JUPYTERHUB_API_TOKEN": "token",
            "JUPYTERHUB_USER": "alice",
        }


def spawner(door: FakeDoor) -> Agents:
    made = Agents(config=Config())
    made.user = SimpleNamespace(name="alice")
    made.site = SITE
    made.door = door
    made.wrapper = Wrapper()
    return made


async def test_a_start_makes_scratch_and_hands_over_the_hubs_words_only(
    door: FakeDoor,
) -> None:
    made = spawner(door)
    ip, port = await made.start()
    assert door.asked == ["make-scratch alice", "start-agent alice"]
    told = door.told[0]
    assert (ip, port) == ("127.0.0.1", told["port"])
    assert told["folder"] == "/scratch/alice"
    assert (told["idle_s"], told["is_https"]) == (1800, True)
    assert told["hub"] == {"JUPYTERHUB_API_TOKEN": "token", "JUPYTERHUB_USER": "alice"}
    rules = environment_rules(told["environments"])
    assert rules is not None
    assert (rules.queue, rules.run_on) == ("free", "job")
    assert (rules.python, rules.slurm_conf) == ("/opt/session/bin/python", "")
    files = file_rules(told["files"], Path("/scratch/alice"))
    assert (files.scratch, files.roots) == (Path("/scratch"), (Path("/projects"),))
    assert files.store == Path("/scratch/kqi-store")
    assert files.store_socket == Path("/run/kqi-store/store.sock")
    assert await made.poll() is None
    await made.stop()


async def test_a_port_that_was_taken_meanwhile_is_replaced(door: FakeDoor) -> None:
    door.taken_ports = 2
    made = spawner(door)
    _, port = await made.start()
    assert port == door.told[2]["port"]
    await made.stop()


async def test_ports_that_are_always_taken_are_given_up(door: FakeDoor) -> None:
    door.taken_ports = 9
    with pytest.raises(DoorRefused, match="already in use"):
        await spawner(door).start()
    assert len(door.told) == 3


async def test_looks_ask_nobody(door: FakeDoor) -> None:
    made = spawner(door)
    await made.start()
    asked = list(door.asked)
    for _ in range(100):
        assert await made.poll() is None
    assert door.asked == asked
    await made.stop()


async def test_an_end_is_told_at_once(door: FakeDoor) -> None:
    made = spawner(door)
    await made.start()
    door.end()
    await asyncio.wait_for(made.wrapper.told.wait(), 2)
    assert await made.poll() == 0
    await made.stop()
    assert "stop-agent alice" not in door.asked


async def test_a_stop_goes_through_the_door_and_is_not_news(door: FakeDoor) -> None:
    made = spawner(door)
    await made.start()
    await made.stop()
    assert door.asked[-1] == "stop-agent alice"
    await asyncio.sleep(0.1)
    assert not made.wrapper.told.is_set()
    assert await made.poll() == 0


async def test_a_hub_that_starts_again_finds_the_agent(door: FakeDoor) -> None:
    first = spawner(door)
    await first.start()
    state = json.loads(json.dumps(first.get_state()))
    first.clear_state()
    second = spawner(door)
    second.load_state(state)
    assert await second.poll() is None
    door.end()
    await asyncio.wait_for(second.wrapper.told.wait(), 2)
    assert await second.poll() == 0
    second.clear_state()


async def test_an_agent_that_ended_while_the_hub_was_down_is_gone(
    door: FakeDoor,
) -> None:
    first = spawner(door)
    await first.start()
    state = first.get_state()
    first.clear_state()
    door.end()
    second = spawner(door)
    second.load_state(state)
    assert await second.poll() == 0
    second.clear_state()


async def test_one_that_was_never_started_is_not_there(door: FakeDoor) -> None:
    made = spawner(door)
    made.load_state({})
    assert await made.poll() == 0
    await made.stop()
    assert door.asked == []
