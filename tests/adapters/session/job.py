"""A notebook's job on this machine: the real runner, the real server, a fake hub."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tests.adapters.runner.order_file import PREFIX, order, write_order
from tests.fakes.session_hub import FakeSessionHub, session_hub, until


@dataclass
class Answer:
    """An answer of the server."""

    status: int
    body: bytes
    headers: Message

    def cookies(self) -> dict[str, str]:
        """Return the cookies that it sets."""
        found: SimpleCookie = SimpleCookie()
        for line in self.headers.get_all("Set-Cookie", []):
            found.load(line)
        return {name: morsel.value for name, morsel in found.items() if morsel.value}

    def json(self) -> Any:
        """Return what it says."""
        return json.loads(self.body)


class Stay(HTTPRedirectHandler):
    """Follow nothing."""

    def redirect_request(self, *_: object) -> None:
        """Take a redirection as the answer."""


@dataclass
class Job:
    """A running job."""

    process: subprocess.Popen[bytes]
    hub: FakeSessionHub
    top: Path
    log: Path

    @property
    def said(self) -> str:
        """Return the log so far."""
        return self.log.read_text(errors="replace")

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: object = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = True,
    ) -> Answer:
        """Ask the server as its owner, or with these headers as somebody else."""
        port = until(self.hub.port_of_server)
        own = {"Authorization": "token the-token"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # loopback
            f"http://127.0.0.1:{port}{PREFIX}{path}",
            data,
            dict(own if headers is None else headers),
            method=method,
        )
        try:
            opener = build_opener() if follow else build_opener(Stay())
            with opener.open(request, timeout=30) as answer:
                return Answer(answer.status, answer.read(), answer.headers)
        except HTTPError as error:
            with error:
                return Answer(error.code, error.read(), error.headers)

    def log_in(self) -> dict[str, str]:
        """Log in as a browser does, through the hub, and return the cookies."""
        begun = self.ask("lab", headers={"Accept": "text/html"}, follow=False)
        cookies = begun.cookies()
        state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
        back = f"oauth_callback?code=x&state={quote(state)}"
        cookies |= self.ask(back, headers=sent, follow=False).cookies()
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
        return cookies | self.ask("lab", headers=sent).cookies()

    def state(self) -> Any:
        """Return what GET kqi/session says."""
        return self.ask("kqi/session").json()

    def ends(self, patience_s: float = 30.0) -> int:
        """Wait for the job's end and return its exit code."""
        return self.process.wait(patience_s)


@contextmanager
def job(
    top: Path,
    login: Mapping[str, str] | None = None,
    git: object = None,
    **notebook: Any,
) -> Iterator[Job]:
    """Run one, with what login files set; afterwards all of it is ended."""
    log = top / "job.log"
    with session_hub() as hub, log.open("wb") as stream:
        file = write_order(top, order(hub.port, git, **notebook))
        home = top / "home"
        home.mkdir(exist_ok=True)
        plain = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "SLURMD_NODENAME": "gpu07",
        }
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "kqi_hub.runner.notebook", str(file)],
            env=plain | dict(login or {}),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield Job(process, hub, top, log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
