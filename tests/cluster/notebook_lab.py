"""Notebooks driven from below the portal: its store and its own token at the hub."""

import base64
import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from kqi_hub.bootstrap.database import open_database, open_snapshot_store
from kqi_hub.db.notebook_sessions import SqlSessionStore
from kqi_hub.db.notebooks import SqlNotebookStore
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Choices, Phase, Session, Shape
from kqi_hub.settings.loader import load_settings
from tests.cluster.login_lab import login_lab
from tests.cluster.stack import Stack

PERSON = "alice"
SCRATCH = Path("/scratch") / PERSON


def wait_for(what: Callable[[], object], limit_s: float, why: str) -> None:
    """Return when something is true."""
    deadline = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


def output(*argv: str) -> str:
    """Return what a program says, run as root."""
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    return ran.stdout


@dataclass
class NotebookLab:
    """One person's notebooks, started as the portal would."""

    stack: Stack
    url: str
    portal: httpx2.Client
    person: httpx2.Client
    started: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = load_settings(Path("/etc/kqi/kqi.toml"))
        engine = open_database(settings)
        self.notebooks, self.store = SqlNotebookStore(engine), SqlSessionStore(engine)
        self.snapshot = open_snapshot_store(settings)

    def ask(self, queue: str = "cpu", tenant: str = "vision") -> Session:
        """Store the wish for a session of a new notebook."""
        chosen = Choices(
            name=f"t-{secrets.token_hex(5)}",
            tenant=tenant,
            queue=queue,
            shape=Shape(1, 512),
            lifetime_s=3600,
        )
        made = self.notebooks.create(PERSON, chosen, time.time())
        key = base64.b32encode(secrets.token_bytes(16)).decode().lower().rstrip("=")
        session = self.store.ask(made.id, chosen, key, time.time())
        self.started.append(session.id)
        return session

    def post(self, session: Session, body: Any) -> httpx2.Response:
        """Ask the hub to start the session's server, as the portal."""
        return self.portal.post(self.api(session), json=body)

    def api(self, session: Session) -> str:
        return f"hub/api/users/{PERSON}/servers/{session.server}"

    def start(self, session: Session) -> None:
        """Have it started, which the hub does at once."""
        answer = self.post(session, {"profile": "notebook"})
        assert answer.status_code in {201, 202}, answer.text

    def now(self, session: Session) -> Session:
        """Return the session as it is stored now."""
        found = self.store.one(session.id)
        assert found is not None
        return found

    def wait_phase(
        self, session: Session, phase: Phase, limit_s: float = 60
    ) -> Session:
        """Return the session once it has come so far."""

        def reached() -> bool:
            now = self.now(session)
            assert now.is_live, now
            return any(name is phase for name, _ in now.reached)

        wait_for(reached, limit_s, f"{phase} was not reached: {self.now(session)}")
        return self.now(session)

    def ready(self) -> Session:
        """Return a session whose pages can be opened."""
        session = self.ask()
        self.start(session)
        return self.wait_phase(session, Phase.READY)

    def status(self, session: Session, page: str = "lab") -> int:
        """Return what the notebook's page answers its owner."""
        answer = self.person.get(f"user/{PERSON}/{session.server}/{page}")
        return answer.status_code

    def stop(self, session: Session) -> None:
        """Stop it as the portal does."""
        self.store.stopping(session.id, Cause.STOPPED, time.time())
        self.portal.delete(self.api(session))

    def wait_ended(self, session: Session, limit_s: float = 60) -> Session:
        """Return the session once it has ended."""
        wait_for(
            lambda: not self.now(session).is_live,
            limit_s,
            f"it did not end: {self.now(session)}",
        )
        return self.now(session)

    def jobs(self, session: Session) -> list[str]:
        """Return every job of the session that accounting knows."""
        argv = ("sacct", "-X", "-n", "-P", "-o", "JobID", "--name", session.job_name)
        return output(*argv).split()

    def secret(self, session: Session) -> dict[str, Any]:
        """Return the session's secret file, as its owner may read it."""
        path = SCRATCH / "kqi/secrets" / session.job_name
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def server_client(self, session: Session) -> httpx2.Client:
        """Return a client with the server's own token, as code in it has."""
        token = self.secret(session)["hub"]["JUPYTERHUB_API_TOKEN"]
        return httpx2.Client(
            base_url=self.url, headers={"Authorization": f"token {token}"}, timeout=30
        )

    def mend(self) -> None:
        """Stop what a test left."""
        for number in self.started:
            session = self.store.one(number)
            if session is None or not session.is_live:
                continue
            self.stop(session)
            if session.job_id is None:
                self.store.ended(number, SessionEnd(time.time(), Cause.STOPPED))
            else:
                self.wait_ended(session)


@contextmanager
def notebook_lab(stack: Stack) -> Iterator[NotebookLab]:
    """Give a lab; what it started is stopped afterwards."""
    url = f"http://127.0.0.1:{stack.ports['proxy']}/"
    token = Path("/var/lib/kqi/portal.token").read_text().strip()
    portal = httpx2.Client(
        base_url=url, headers={"Authorization": f"token {token}"}, timeout=60
    )
    lab = NotebookLab(stack, url, portal, _person(stack, url))
    with lab.portal, lab.person:
        try:
            yield lab
        finally:
            stack.mend()
            lab.mend()


def _person(stack: Stack, url: str) -> httpx2.Client:
    """Return a client that may open the person's servers."""
    with login_lab(stack) as logins:
        scopes = ["custom:kqi:write", "access:servers!user"]
        token = logins.log_in(PERSON, scopes=scopes).body["token"]
    return httpx2.Client(
        base_url=url,
        headers={"Authorization": f"token {token}"},
        timeout=60,
    )
