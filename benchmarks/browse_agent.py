"""A real agent without a hub's machinery, and a stock Jupyter server."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import httpx2

from benchmarks.cluster import BenchFailed

_ROOT: Final = Path(__file__).parents[1]
_PERSON: Final = "somebody"
_SCOPE: Final = f"access:servers!server={_PERSON}/agent"
_START_S: Final = 60.0


@dataclass(frozen=True)
class Browsed:
    """A server that shows folders, as a program asks it."""

    pid: int
    http: httpx2.Client
    started_s: float

    def ask(self, path: str, timeout_s: float) -> tuple[float, Any]:
        """Return how long an answer took, in ms, and the answer."""
        began = time.perf_counter()
        answer = self.http.get(path, timeout=timeout_s)
        took_ms = (time.perf_counter() - began) * 1000
        if not answer.is_success:
            raise BenchFailed(f"{path} answers {answer.status_code}")
        return took_ms, answer.json()

    def peak_mb(self) -> float:
        """Return the most memory it ever had."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def our_agent(folder: Path) -> Iterator[Browsed]:
    """Give an agent whose person has that folder on scratch."""
    hub = HTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    port = _free_port()
    told = _instructions(folder, port, hub.server_port)
    code = (
        f"import sys; sys.path.insert(0, {str(_ROOT)!r}); "
        "from kqi_hub.agent.main import main; sys.exit(main())"
    )
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/",
    )  # fmt: skip
    try:
        said = _tell(process, json.dumps(told).encode())
        if said != b"listening\n":
            raise BenchFailed("the agent does not start")
        started_s = time.perf_counter() - began
        with _client(f"http://127.0.0.1:{port}/user/{_PERSON}/agent/api/") as http:
            yield Browsed(process.pid, http, started_s)
    finally:
        process.kill()
        process.wait()
        hub.shutdown()
        hub.server_close()


@contextmanager
def jupyter(python: Path, folder: Path) -> Iterator[Browsed]:
    """Give a Jupyter server as it is shipped, over the same folder."""
    port = _free_port()
    options = {
        "ip": "127.0.0.1", "port": port, "port_retries": 0, "root_dir": folder,
        "open_browser": False, "allow_root": True,
    }  # fmt: skip
    words = [f"--ServerApp.{name}={value}" for name, value in options.items()]
    surroundings = {**os.environ, "JUPYTER_TOKEN": "token", "HOME": str(folder.parent)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [python, "-m", "jupyter_server", *words], env=surroundings, cwd="/",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}/api/"
    try:
        _wait(f"{url}status?token=token")
        started_s = time.perf_counter() - began
        with _client(url) as http:
            yield Browsed(process.pid, http, started_s)
    finally:
        process.kill()
        process.wait()


def _client(url: str) -> httpx2.Client:
    return httpx2.Client(base_url=url, headers={"Authorization": "Bearer token"})


def _tell(process: subprocess.Popen[bytes], raw: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise BenchFailed("the agent has no standard streams")
    process.stdin.write(raw)
    process.stdin.close()
    with process.stdout as output:
        return output.read()


def _wait(url: str) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            httpx2.get(url, timeout=5)
        except httpx2.HTTPError as error:
            if time.monotonic() > until:
                raise BenchFailed("the Jupyter server does not start") from error
            time.sleep(0.05)
        else:
            return


def _instructions(folder: Path, port: int, hub_port: int) -> dict[str, Any]:
    return {
        "version": 1, "port": port, "folder": str(folder), "idle_s": 3600,
        "is_https": False, "hub_version": "0",
        "files": {"scratch": str(folder.parent)},
        "hub": {
            "JUPYTERHUB_USER": _PERSON,
            "JUPYTERHUB_SERVICE_PREFIX": f"/user/{_PERSON}/agent/",
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub_port}/hub/api",
            "JUPYTERHUB_BASE_URL": "/", "JUPYTERHUB_CLIENT_ID": "x",
            "JUPYTERHUB_API_TOKEN": "x",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([_SCOPE]),
        },
    }  # fmt: skip


class _Hub(BaseHTTPRequestHandler):
    """Says of every token that it is the person's."""

    def do_GET(self) -> None:
        said = {"kind": "user", "name": _PERSON, "scopes": [_SCOPE]}
        raw = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
