"""Ours, driven over its REST interface as one person; runs inside the cluster."""

import json
import time
from pathlib import Path
from typing import Any

import httpx2
import pyotp

PORTS = Path("/opt/kqi-demo/ports.json")
SECRETS = Path("/opt/kqi-demo/people.json")
API = "/services/portal/api/v1"
_READY_S = 300.0


class SpawnFailed(Exception):
    """A notebook did not start; the message has what the portal said."""


class OurPortal:
    """The portal and the hub, for one person."""

    def __init__(self, base: str, person: str, token: str) -> None:
        self.base, self.person, self._token = base, person, token
        self._http = self.another()
        self._ids: dict[str, int] = {}

    def another(self) -> httpx2.Client:
        """Return a further client of the same person."""
        headers = {"Authorization": f"token {self._token}"}
        return httpx2.Client(base_url=self.base, headers=headers, timeout=60)

    @property
    def token(self) -> str:
        """Return what the person asks with."""
        return self._token

    def live_count(self) -> int:
        """Return how many sessions the portal takes for live."""
        found = self._said("GET", "/notebooks?live=true&per_page=1000")
        return len(found["notebooks"])

    def add(self, name: str, queue: str, tenant: str) -> None:
        """Make a notebook, without starting it."""
        asked = {
            "name": name,
            "queue": queue,
            "cpus": 1,
            "memory_mb": 1024,
            "lifetime_s": 7200,
        }
        made = self._said("POST", f"/tenants/{tenant}/notebooks", asked)
        self._ids[name] = made["id"]

    def start(self, name: str) -> None:
        self._said("POST", f"/notebooks/{self._ids[name]}/start", {})

    def wait_ready(self, name: str) -> None:
        """Wait until its page answers."""
        number = self._ids[name]
        deadline = time.monotonic() + _READY_S
        while True:
            found = self._said("GET", f"/notebooks/{number}")
            session = found.get("session") or {}
            if session.get("phase") == "ready":
                break
            if session.get("ended_at") or time.monotonic() > deadline:
                raise SpawnFailed(json.dumps(found)[:1000])
            time.sleep(0.05)
        page = f"/user/{self.person}/nb-{number}/lab"
        while self._http.get(page).status_code != httpx2.codes.OK:
            if time.monotonic() > deadline:
                raise SpawnFailed(f"{page} does not answer")
            time.sleep(0.02)

    def stop(self, name: str) -> None:
        """Stop it and wait until its session has ended."""
        number = self._ids[name]
        self._said("POST", f"/notebooks/{number}/stop", {})
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            session = self._said("GET", f"/notebooks/{number}").get("session") or {}
            if session.get("ended_at"):
                return
            time.sleep(0.1)

    def phases(self, name: str) -> dict[str, float]:
        """Return when each phase of the last start was reached."""
        session = self._said("GET", f"/notebooks/{self._ids[name]}")["session"]
        return {one["phase"]: one["at"] for one in session["reached"]}

    def view_home(self) -> None:
        """Look at the pages that show queues and notebooks."""
        for page in ("queues", "notebooks"):
            self._http.get(f"{API}/{page}").raise_for_status()

    def _said(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self._http.request(method, API + path, json=body)
        if answer.is_error:
            raise SpawnFailed(f"{method} {path}: {answer.status_code} {answer.text}")
        said: dict[str, Any] = answer.json() if answer.content else {}
        return said


def our_portal(person: str) -> OurPortal:
    """Log the person in, without a browser."""
    base = f"http://127.0.0.1:{json.loads(PORTS.read_text())['proxy']}"
    secret = json.loads(SECRETS.read_text())[person]
    asked = {
        "name": person,
        "password": secret["password"],
        "code": pyotp.TOTP(secret["code_secret"]).now(),
        "scopes": ["custom:kqi:write", "access:servers!user"],
    }
    answer = httpx2.post(f"{base}/hub/api/kqi/login", json=asked, timeout=30)
    return OurPortal(base, person, answer.raise_for_status().json()["token"])
