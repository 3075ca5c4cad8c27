"""An agent of alice's in this process, with a hub and a folder of the test's."""

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from kqi_hub.agent.access import Access
from kqi_hub.agent.app import make_app
from kqi_hub.agent.base import Agent
from kqi_hub.agent.environment_rules import EnvironmentRules
from kqi_hub.agent.files.places import Roots
from kqi_hub.agent.files.rules import FileRules
from kqi_hub.agent.files.workers import Workers
from kqi_hub.agent.inside.place import Inside
from kqi_hub.agent.instructions import Hub, Instructions
from kqi_hub.agent.logins import Logins
from kqi_hub.agent.tasks import Tasks
from kqi_hub.agent.use import Use
from tests.adapters.agent.fake_slurm import FakeSlurm
from tests.adapters.agent.programs import Program
from tests.adapters.agent.stand_in_conda import StandInConda
from tests.adapters.agent.stand_in_jobs import FakeSrun
from tests.fakes.agent_hub import SCOPE, FakeHub

BASE = "/user/alice/agent/"


@dataclass
class Lab:
    """The agent, as its callers see it."""

    hub: FakeHub
    agent: Agent
    port: int
    folder: Path
    slurm: FakeSlurm
    conda: StandInConda

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE}"

    async def get(
        self, path: str, whose: str | None = "alices", **more: Any
    ) -> HTTPResponse:
        headers = dict(more.pop("headers", {}))
        if whose is not None:
            headers["Authorization"] = f"Bearer {whose}"
        return await AsyncHTTPClient().fetch(
            self.url + path, headers=headers, raise_error=False,
            follow_redirects=False, request_timeout=20, **more,
        )  # fmt: skip

    async def refusal(self, path: str) -> tuple[int, str]:
        """Return the status of what is refused, and its code."""
        answer = await self.get(path)
        return answer.code, json.loads(answer.body)["error"]

    async def send(
        self, path: str, body: object, whose: str | None = "alices", **more: Any
    ) -> HTTPResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.get(path, whose, **{"method": "POST", "body": raw, **more})

    def log(self, job: int) -> Path:
        return self.folder / "log" / f"{job}.log"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """Return a running agent; what it is told comes from the fake hub."""
    hub = FakeHub()
    hub_server = hub.start()
    folder = tmp_path / "alice"
    for name in ("log", "workspace", "kqi"):
        (folder / name).mkdir(parents=True)
    slurm, conda = FakeSlurm(tmp_path / "slurm"), StandInConda()
    sock, port = bind_unused_port()
    told = Instructions(
        person="alice", port=port, base=BASE, folder=folder, idle_s=60.0,
        is_https=False,
        files=FileRules(
            scratch=tmp_path, store=tmp_path / "store", roots=(tmp_path / "shared",),
            store_socket=tmp_path / "store.sock",
        ),
        environments=EnvironmentRules(
            site=tmp_path / "site", python=str(slurm.python), run_on="job", queue="",
            cpus=2, memory_mb=4096, minutes=60, slurm_bin=slurm.folder, slurm_conf="",
        ),
        hub=Hub(
            api_url=f"http://127.0.0.1:{hub.port}/hub/api",
            client_id="jupyterhub-user-alice-agent",
            authorize_path="/hub/api/oauth2/authorize",
            token="the-agents-own", scopes=frozenset({SCOPE}), version="6.1.1",
        ),
    )  # fmt: skip
    disk = ThreadPoolExecutor(4)
    tasks = Tasks(folder, told.environments, disk)
    agent = Agent(
        told,
        Access(told, remember_s=0.2),
        Logins(),
        Use(60.0),
        disk,
        tasks,
        Workers(Roots(folder, told.files)),
        Inside(told, disk),
        conda,
        conda,
    )
    server = HTTPServer(make_app(agent))
    server.add_socket(sock)
    yield Lab(hub, agent, port, folder, slurm, conda)
    (slurm.folder / "finish").touch()
    for _ in range(100):
        if not agent.tasks.children.reap():
            break
        await asyncio.sleep(0.1)
    await agent.inside.close()
    await _close(server, hub_server)
    agent.files.close()
    disk.shutdown()


async def _close(*servers: HTTPServer) -> None:
    for server in servers:
        server.stop()
        await server.close_all_connections()


@pytest.fixture
def srun(lab: Lab) -> FakeSrun:
    return FakeSrun(lab.slurm.folder, lab.folder)


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    found = Program()
    yield found
    found.server.stop()
    await found.server.close_all_connections()


@pytest.fixture
async def way(lab: Lab, srun: FakeSrun, program: Program) -> str:
    srun.training(12, "40", (program.port,))
    return f"proxy/40/{program.port}/"
