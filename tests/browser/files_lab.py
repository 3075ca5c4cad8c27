"""The page of files with a real agent's process behind it, on a folder of the test's.

Only the hub is a fake: it knows mia's token, and gives browsers that come by OAuth one.
"""

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, Route

from tests.adapters.agent.test_process import COMMAND, free_port
from tests.fakes.agent_hub import FakeHub, model
from tests.fakes.front import Front

BASE = "/user/mia/agent/"
FILES = f"{BASE}api/files/"
SCOPE = "access:servers!server=mia/agent"
TOKEN = "mine-alone"


@dataclass
class FilesLab:
    """A folder on scratch, the agent that reads it, and the network between."""

    folder: Path
    store: Path
    hub_port: int
    port: int
    codes: dict[str, str]
    front: Front = field(init=False)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    may_start: bool = True

    @property
    def workspace(self) -> Path:
        """Return the folder that the page begins with."""
        return self.folder / "workspace"

    def write(self, path: str, content: str | bytes = "") -> Path:
        """Put a file on scratch."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        raw = content.encode() if isinstance(content, str) else content
        file.write_bytes(raw)
        return file

    def start(self) -> None:
        """Start the agent, and wait until it listens."""
        self.starts += 1
        self.process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/",
            env={"LANG": "C.UTF-8", "PATH": os.environ["PATH"]},
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(self._told()).encode())
        self.process.stdin.close()
        assert self.process.stdout.read() == b"listening\n"
        self.process.stdout.close()

    def kill(self) -> None:
        """End the agent without a word to anybody."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def serve(self, place: Page | BrowserContext) -> None:
        """Answer for the portal: the agent is started when it does not run."""
        place.route("**/api/v1/agent", self._start_for)

    def lead(self, path: str) -> str | None:
        """Answer for the hub: a browser that is logged in is led back with a code."""
        if not path.startswith("/hub/api/oauth2/authorize"):
            return None
        asked = {name: one[0] for name, one in parse_qs(urlsplit(path).query).items()}
        if asked.get("client_id") != "jupyterhub-user-mia-agent":
            return None
        code = f"code-{len(self.codes)}-{time.monotonic_ns()}"
        self.codes[code] = TOKEN
        query = urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{query}"

    def _start_for(self, route: Route) -> None:
        if self.process is None and self.may_start:
            self.start()
        way = {"url": BASE.lstrip("/"), "token": TOKEN, "lifetime_s": 600}
        route.fulfill(body=json.dumps(way), content_type="application/json")

    def _told(self) -> dict[str, object]:
        return {
            "version": 1, "port": self.port, "folder": str(self.folder), "idle_s": 600,
            "is_https": False, "hub_version": "6.1.1",
            "files": {"scratch": str(self.folder.parent), "store": str(self.store)},
            "hub": {
                "JUPYTERHUB_USER": "mia",
                "JUPYTERHUB_SERVICE_PREFIX": BASE,
                "JUPYTERHUB_API_URL": f"http://127.0.0.1:{self.hub_port}/hub/api",
                "JUPYTERHUB_BASE_URL": "/",
                "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-mia-agent",
                "JUPYTERHUB_API_TOKEN": "the-agents-own",
                "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([SCOPE]),
            },
        }  # fmt: skip


@contextmanager
def agents_hub() -> Iterator[FakeHub]:
    """Serve what agents ask of the hub, on a thread."""
    hub = FakeHub(tokens={TOKEN: model("mia", SCOPE)})
    started, over = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        server = hub.start()
        loops.append(asyncio.get_running_loop())
        started.set()
        await over.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    if not started.wait(20):
        raise TimeoutError("the hub did not start")
    try:
        yield hub
    finally:
        loops[0].call_soon_threadsafe(over.set)
        thread.join(20)


def new_lab(top: Path, hub: FakeHub) -> FilesLab:
    """Return a lab with the folders that everybody has."""
    folder, store = top / "scratch" / "mia", top / "store"
    for name in ("workspace", "log", "kqi"):
        (folder / name).mkdir(parents=True)
    (store / "vision" / "data").mkdir(parents=True)
    return FilesLab(folder, store, hub.port, free_port(), hub.codes)


class VisitFiles(Protocol):
    """Open the page of files; `query` says where."""

    def __call__(self, query: str = "", **about: Any) -> Page:
        """Return the page, with what the agent has said."""


def line_of(page: Page, name: str) -> Locator:
    """Return the line of the list that has a name."""
    return page.locator(
        f"#files-table tr[data-name={json.dumps(name, ensure_ascii=False)}]"
    )


def names(page: Page) -> list[str]:
    """Return the names in the list, as they stand there."""
    return page.locator("#files-table a[data-slot=name]").all_inner_texts()


def open_line(page: Page, name: str) -> None:
    """Follow a line of the list."""
    line_of(page, name).get_by_role("link").click()


def act(page: Page, name: str, *presses: str) -> None:
    """Open what can be done with a line, and press buttons there."""
    line_of(page, name).get_by_role("button").click()
    for press in presses:
        page.locator("dialog[open]").get_by_role("button", name=press).click()
