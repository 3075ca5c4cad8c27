"""JupyterHub with batchspawner as it is shipped, on the same cluster as ours."""

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.login_peer import free_port, wait_for
from hub_config.proxy import NODE, PROGRAM

PEER = "batchspawner"
REQUIREMENTS = (
    "batchspawner==1.3.0",
    "jupyterhub==6.1.1",
    "jupyterlab",
    "notebook",
    "ipykernel",
)
_READY_S = 300.0

# What its documentation says, with the least that this cluster needs. It runs as root,
# for it becomes the person with runuser. Servers listen on loopback, as ours do here.
_CONFIG = """\
import batchspawner
from traitlets import Unicode
c = get_config()


class LoopbackSlurmSpawner(batchspawner.SlurmSpawner):
    ip = Unicode("127.0.0.1").tag(config=True)


c.JupyterHub.bind_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = {command}
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.allow_named_servers = True
c.JupyterHub.spawner_class = LoopbackSlurmSpawner
c.BatchSpawnerBase.exec_prefix = "runuser -u {{username}} --"
c.BatchSpawnerBase.batchspawner_singleuser_cmd = "{bin}/batchspawner-singleuser"
c.Spawner.cmd = ["{bin}/jupyterhub-singleuser"]
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 120
c.SlurmSpawner.req_partition = "{queue}"
c.SlurmSpawner.req_memory = "1G"
c.SlurmSpawner.req_nprocs = "1"
c.SlurmSpawner.req_runtime = "2:00:00"
c.SlurmSpawner.req_account = "{account}"
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{
    "name": "bench",
    "services": ["bench"],
    "scopes": ["admin:users", "admin:servers", "list:users", "access:servers"],
}}]
"""


class PeerSpawnFailed(Exception):
    """A server of the peer did not start; the message has what the hub said."""


class PeerHub:
    """The peer's hub, driven over its REST interface."""

    def __init__(
        self, ports: Mapping[str, int], word: str, pid: int, folder: Path
    ) -> None:
        self.base = f"http://127.0.0.1:{ports['proxy']}"
        self.hub_url = f"http://127.0.0.1:{ports['hub']}"
        self.pid, self.folder = pid, folder
        base = self.base
        headers = {"Authorization": f"token {word}"}
        self._http = httpx2.Client(base_url=base, headers=headers, timeout=60)
        self._browsers: dict[str, httpx2.Client] = {}

    def add_person(self, person: str) -> None:
        self._http.post(f"/hub/api/users/{person}").raise_for_status()

    def start(self, person: str, server: str) -> None:
        """Have a server started; it goes on starting after the answer."""
        self._http.post(f"/hub/api/users/{person}/servers/{server}").raise_for_status()

    def wait_ready(self, person: str, server: str) -> None:
        """Wait until its page answers."""
        deadline = time.monotonic() + _READY_S
        while not self._is_ready(person, server):
            if time.monotonic() > deadline:
                raise PeerSpawnFailed(f"{server} of {person}: see {self.folder}/log")
            time.sleep(0.05)
        page = f"/user/{person}/{server}/lab"
        while self._http.get(page).status_code != httpx2.codes.OK:
            if time.monotonic() > deadline:
                raise PeerSpawnFailed(f"{page} does not answer")
            time.sleep(0.02)

    def stop(self, person: str, server: str) -> None:
        """Stop a server and wait until the hub says that it is gone."""
        path = f"/hub/api/users/{person}/servers/{server}"
        self._http.request("DELETE", path, json={"remove": True}).raise_for_status()
        deadline = time.monotonic() + _READY_S
        while server in self._servers(person) and time.monotonic() < deadline:
            time.sleep(0.1)

    def view_home(self, person: str) -> None:
        """Look at the hub's page of a person's servers, logged in as that person."""
        if person not in self._browsers:
            self._browsers[person] = self.logged_in(person)
        self._browsers[person].get("/hub/home").raise_for_status()

    def logged_in(self, person: str) -> httpx2.Client:
        """Return a browser of somebody who has logged in."""
        browser = httpx2.Client(base_url=self.base, timeout=60, follow_redirects=True)
        browser.get("/hub/login").raise_for_status()
        form = {
            "username": person,
            "password": "any",
            "_xsrf": browser.cookies["_xsrf"],
        }
        answer = browser.post("/hub/login?next=%2Fhub%2Fhome", data=form)
        answer.raise_for_status()
        return browser

    def live_count(self, person: str) -> int:
        """Return how many servers the hub takes for running."""
        return len(self._servers(person))

    def _is_ready(self, person: str, server: str) -> bool:
        return bool(self._servers(person).get(server, {}).get("ready"))

    def _servers(self, person: str) -> dict[str, Any]:
        answer = self._http.get(f"/hub/api/users/{person}?include_stopped_servers=0")
        found: dict[str, Any] = answer.raise_for_status().json()["servers"]
        return found


@contextmanager
def peer_hub(python: Path, queue: str, account: str) -> Iterator[PeerHub]:
    """Run the peer's hub in a folder of its own."""
    folder = Path("/run/kqi-bench-batchspawner")
    folder.mkdir(mode=0o700, exist_ok=True)
    ports = {name: free_port() for name in ("proxy", "hub", "api")}
    word = secrets.token_hex(16)
    config = folder / "jupyterhub_config.py"
    config.write_text(
        _CONFIG.format(
            **ports,
            command=json.dumps([str(NODE), str(PROGRAM)]),
            bin=python.parent,
            queue=queue,
            account=account,
            token=word,
        )
    )
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            (python, "-m", "jupyterhub", "-f", config),
            cwd=folder,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(ports["proxy"], process, log)
        yield PeerHub(ports, word, process.pid, folder)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
