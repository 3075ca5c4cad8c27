"""People's agents in the embedded cluster: started by the portal's word at the hub."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.cluster.login_lab import LoginLab, login_lab, send_form
from tests.cluster.stack import Stack, run_as, wait_until

_PORTAL_TOKEN = Path("/var/lib/kqi/portal.token")


class AgentLab:
    """One person's agent, as portal, owner and strangers meet it."""

    def __init__(self, stack: Stack, people: LoginLab, person: str) -> None:
        self.stack, self.people, self.person = stack, people, person
        hub = f"http://127.0.0.1:{stack.ports['hub']}/hub/api/"
        headers = {"Authorization": f"token {_PORTAL_TOKEN.read_text().strip()}"}
        self._portal = httpx2.Client(base_url=hub, headers=headers, timeout=30)
        self.url = f"{people.url}user/{person}/agent/"

    def start(self) -> float:
        """Start it through the hub and return how long that took."""
        began = time.monotonic()
        answer = self.ask_for({"profile": "agent"})
        assert answer.status_code in {201, 202}, answer.text
        wait_until(lambda: bool(self.server().get("ready")), 20, self.server)
        return time.monotonic() - began

    def ask_for(self, options: object) -> httpx2.Response:
        """Ask the hub to start it with options."""
        path = f"users/{self.person}/servers/agent"
        return self._portal.post(path, json=options)

    def close(self) -> None:
        """Close the connection to the hub."""
        self._portal.close()

    def stop(self) -> None:
        """Stop it, if it runs."""

        def is_gone() -> bool:
            # While it is still being started the hub refuses to stop it.
            if self.server():
                self._portal.delete(f"users/{self.person}/servers/agent")
            return not self.server()

        wait_until(is_gone, 60, self.server)

    def server(self) -> dict[str, Any]:
        """Return what the hub says of it; nothing when it does not run."""
        answer = self._portal.get(f"users/{self.person}")
        servers = answer.json().get("servers") or {}
        found: dict[str, Any] = servers.get("agent") or {}
        return found

    def token(self) -> str:
        """Return a token that opens this one server, as the portal gives it out."""
        asked = {
            "note": "test of agents",
            "expires_in": 600,
            "scopes": [f"access:servers!server={self.person}/agent"],
        }
        answer = self._portal.post(f"users/{self.person}/tokens", json=asked)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def revoke(self, token: str) -> None:
        """Make a token worthless."""
        path = f"users/{self.person}/tokens"
        found = self._portal.get(path).json()["api_tokens"]
        for one in found:
            if one["note"] == "test of agents":
                self._portal.delete(f"{path}/{one['id']}")

    def get(self, path: str, token: str, **more: Any) -> httpx2.Response:
        """Ask it through the proxy."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.get(self.url + path, headers=headers, timeout=20, **more)

    def health(self, token: str) -> dict[str, Any]:
        """Return what it says of itself."""
        answer = self.get("api/health", token)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @contextmanager
    def following(self, job: int, token: str) -> Iterator[Iterator[str]]:
        """Give the texts of a job's log as they come."""
        with (
            httpx2.Client(timeout=30) as client,
            client.stream(
                "GET",
                f"{self.url}api/log/follow?job={job}&from=0",
                headers={"Authorization": f"Bearer {token}"},
            ) as answer,
        ):
            assert answer.status_code == 200
            yield _texts(answer.iter_lines())


def _texts(lines: Iterator[str]) -> Iterator[str]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: ") and name == "log":
            yield json.loads(line.removeprefix("data: "))["text"]


def submit_talker(person: str) -> int:
    """Submit a job that writes a line every half second into its log."""
    script = "#!/bin/bash\nfor n in $(seq 400); do echo line $n; sleep 0.5; done\n"
    ran = run_as(
        person, "sbatch", "--parsable", "--partition=cpu", "--time=10",
        f"--output=/scratch/{person}/log/%j.log", "--chdir=/tmp", input=script,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout.split(";")[0])


@contextmanager
def agent_lab(stack: Stack, person: str) -> Iterator[AgentLab]:
    """Give a lab of somebody whom the hub knows; no agent is there, or left behind."""
    with login_lab(stack) as people:
        people.log_in(person)
        lab = AgentLab(stack, people, person)
        try:
            # Somebody who looked into a job, at a browser, leaves theirs running.
            lab.stop()
            yield lab
        finally:
            stack.mend()
            lab.stop()
            lab.close()


@contextmanager
def browser_of(people: LoginLab, name: str) -> Iterator[httpx2.Client]:
    """Give what a browser is in which somebody has logged in."""
    with people.door().client() as client:
        code = people.fresh_device(name).code()
        answer = send_form(client, name, people.password[name], code)
        assert answer.status_code == 302, answer.text
        yield client
