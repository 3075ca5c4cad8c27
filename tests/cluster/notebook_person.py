"""A person with notebooks, as browser and programs are: portal, Lab and a kernel."""

import asyncio
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Browser, Page
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.cluster.browser import fill_in_login
from tests.cluster.login_lab import API, login_lab
from tests.cluster.notebook_lab import output, wait_for
from tests.cluster.stack import Stack

SHOTS = Path(os.environ.get("KQI_SHOTS", "/var/tmp/kqi-shots"))
SCOPES = ("custom:kqi:write", "access:servers!user")
READY_S = 120.0
ANSWER_S = 20.0


@dataclass(frozen=True)
class Kernel:
    """A kernel in a running notebook; each word goes through proxy and server."""

    url: str
    token: str
    patience_s: float = ANSWER_S

    def run(self, code: str) -> str:
        """Return what some code prints."""
        # The browser's driver has this thread's event loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._run(code)).result()

    async def _run(self, code: str) -> str:
        headers = {"Authorization": f"token {self.token}"}
        request = HTTPRequest(self.url, headers=headers, connect_timeout=ANSWER_S)
        async with asyncio.timeout(self.patience_s):
            socket = await websocket_connect(request)
            number = secrets.token_hex(16)
            await socket.write_message(_execution(number, code))
            printed, missing = "", {"execute_reply", "idle"}
            while missing and (said := await socket.read_message()) is not None:
                message = json.loads(said)
                if message["parent_header"].get("msg_id") != number:
                    continue
                content = message["content"]
                if message["msg_type"] == "stream":
                    printed += content["text"]
                missing -= {message["msg_type"], content.get("execution_state")}
            socket.close()
            while await socket.read_message() is not None:
                pass  # until the other side has closed as well
        return printed.strip()


def _execution(number: str, code: str) -> str:
    header = {
        "msg_id": number,
        "msg_type": "execute_request",
        "session": number,
        "username": "",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": False}
    message = {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "channel": "shell",
    }
    return json.dumps({**message, "content": content, "buffers": []})


@dataclass
class Person:
    """Somebody with a browser that is logged in, and with a token."""

    name: str
    url: str
    token: str
    client: httpx2.Client
    page: Page

    def ask(self, method: str, path: str, body: object = None) -> httpx2.Response:
        """Ask the portal's interface."""
        return self.client.request(method, API + path, json=body)

    def create(self, tenant: str, **choices: object) -> int:
        """Make a notebook that does not run."""
        size = {"cpus": 1, "memory_mb": 512, "lifetime_s": 3600}
        wanted = {"name": f"f-{secrets.token_hex(5)}", "queue": "cpu", **size}
        made = self.ask("POST", f"tenants/{tenant}/notebooks", {**wanted, **choices})
        assert made.status_code == 201, made.text
        return int(made.json()["id"])

    def start(self, number: int) -> httpx2.Response:
        return self.ask("POST", f"notebooks/{number}/start")

    def stop(self, number: int) -> httpx2.Response:
        return self.ask("POST", f"notebooks/{number}/stop")

    def now(self, number: int) -> dict[str, Any]:
        """Return what the interface says of a notebook."""
        answer = self.ask("GET", f"notebooks/{number}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def picture(self) -> Mapping[str, Any]:
        """Return how old what the list shows is."""
        found: Mapping[str, Any] = self.ask("GET", "notebooks").json()["picture"]
        return found

    def wait_status(
        self, number: int, status: str, limit_s: float = READY_S
    ) -> dict[str, Any]:
        """Return the notebook once it has this status."""
        wait_for(
            lambda: self.now(number)["status"] == status,
            limit_s,
            f"it does not come to {status}: {self.now(number)}",
        )
        return self.now(number)

    def running(self, tenant: str, **choices: object) -> int:
        """Make a notebook and return when its pages can be opened."""
        number = self.create(tenant, **choices)
        asked = self.start(number)
        assert asked.status_code in {200, 202}, asked.text
        self.wait_status(number, "running")
        return number

    def server(self, number: int, path: str = "") -> str:
        return f"user/{self.name}/nb-{number}/{path}"

    def lab(self, number: int) -> int:
        """Return what the page in Lab answers."""
        return self.client.get(self.server(number, "lab")).status_code

    def kernel(self, number: int) -> Kernel:
        """Start a kernel in a notebook that runs."""
        made = self.client.post(self.server(number, "api/kernels"), json={})
        assert made.status_code == 201, made.text
        path = self.server(number, f"api/kernels/{made.json()['id']}/channels")
        return Kernel(self.url.replace("http", "ws", 1) + path, self.token)

    def look(self, number: int, shot: str) -> str:
        """Open the notebook's page in the portal; return its text, keep a picture."""
        self.page.goto(f"{self.url}services/portal/notebooks/{number}")
        return self.seen(shot)

    def seen(self, shot: str) -> str:
        """Return the text of the page that is open, and keep a picture of it."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{shot}.png", full_page=True)
        return self.page.inner_text("main")

    def jobs(self, number: int) -> list[str]:
        """Return every job of the notebook that slurmctld knows, with its state."""
        lines = output("squeue", "-h", "-t", "all", "-o", "%j %T", "-u", self.name)
        own = f"nb-{number}-"
        return [one.split()[1] for one in lines.splitlines() if one.startswith(own)]

    def recorded(self, number: int) -> int:
        """Return how many jobs of the notebook accounting has."""
        argv = ("sacct", "-X", "-n", "-P", "-o", "JobName%60", "-u", self.name)
        lines = output(*argv, "-S", "now-1hour").splitlines()
        return sum(line.startswith(f"nb-{number}-") for line in lines)

    def stop_all(self) -> None:
        """Stop what a test left."""
        left = self.ask("GET", "notebooks?live=true&per_page=100").json()["notebooks"]
        live = [one["id"] for one in left]
        for number in live:
            self.stop(number)
        wait_for(
            lambda: not any(self.now(number)["is_live"] for number in live),
            60,
            f"not all of {live} have ended",
        )


@contextmanager
def person(stack: Stack, browser: Browser, name: str) -> Iterator[Person]:
    """Log somebody in, with a browser and with a token; what runs is stopped after."""
    url = str(stack.status()["url"])
    context = browser.new_context(
        viewport={"width": 1200, "height": 800}, reduced_motion="reduce"
    )
    with login_lab(stack) as logins:
        token = logins.log_in(name, scopes=list(SCOPES)).body["token"]
        page = context.new_page()
        page.goto(url)
        code = logins.fresh_device(name).code()
        fill_in_login(page, name, logins.password[name], code)
    headers = {"Authorization": f"token {token}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=60) as client:
        found = Person(name, url, token, client, page)
        try:
            yield found
        finally:
            found.stop_all()
            context.close()
