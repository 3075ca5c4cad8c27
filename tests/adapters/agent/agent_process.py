"""A real agent process with a hub in a thread, and the SDK that talks to it."""

import asyncio
import json
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kqi_hub.sdk.client import Client
from tests.adapters.agent.test_process import COMMAND, free_port, instructions
from tests.fakes.agent_hub import FakeHub

TOKEN = "alices"


class HubThread:
    """FakeHub, served by a loop of its own."""

    def __init__(self) -> None:
        self.hub = FakeHub()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = self.hub.start()
        self._ready.set()
        await self._over.wait()
        server.stop()
        await server.close_all_connections()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)


class AgentClient(Client):
    """The SDK, led to an agent without a portal."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.ways = 0

    def _api(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Any:
        assert (method, path) == ("POST", "agent")
        self.ways += 1
        return {"url": "user/alice/agent/", "token": TOKEN, "lifetime_s": 600}


class AgentProcess:
    """An agent of alice's that can be killed and started again at its port."""

    def __init__(self, folder: Path, hub: HubThread) -> None:
        self.folder, self._hub = folder, hub
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        api = f"http://127.0.0.1:{self._hub.hub.port}/hub/api"
        files = {"scratch": str(self.folder.parent)}
        told = instructions(self.folder, self.port, files=files)
        told["hub"]["JUPYTERHUB_API_URL"] = api
        self.process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/",
            env={"LANG": "C.UTF-8"},
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(told).encode())
        self.process.stdin.close()
        assert self.process.stdout.read() == b"listening\n"
        self.process.stdout.close()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def peak_mb(self) -> float:
        """Return the most memory that it has ever had."""
        return self._kilobytes("VmHWM") / 1024

    def addresses_mb(self) -> float:
        """Return what it has mapped; the door allows 1024."""
        return self._kilobytes("VmSize") / 1024

    def cpu_s(self) -> float:
        """Return the time that it has worked for."""
        assert self.process is not None
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        words = stat.rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / 100

    def _kilobytes(self, name: str) -> int:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0])

    def client(self) -> AgentClient:
        return AgentClient(self.url)
