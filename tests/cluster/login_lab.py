"""The hub's door for programs, and code devices whose codes nobody has used."""

import json
import secrets
import time
from base64 import b32encode
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pyotp
from sqlalchemy import text

from kqi_hub.auth.secretbox import SecretBox, file_stamp
from kqi_hub.bootstrap.database import open_database
from kqi_hub.bootstrap.keys import key_path
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.engine import writing
from kqi_hub.db.factors import SqlFactorStore
from kqi_hub.devstack.people import CODE_PERIOD_S
from kqi_hub.domain.login import AuditEvent
from kqi_hub.settings.loader import load_settings
from tests.cluster.stack import Stack

LOGIN = "hub/api/kqi/login"
FORM = "hub/login"
API = "services/portal/api/v1/"
ONE_ANSWER = "Name, password or code is wrong."
_THROTTLE = ("login_tallies", "login_failures")


@dataclass(frozen=True)
class Reply:
    """One answer, and how long it took."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]
    took_s: float

    @property
    def lasting_headers(self) -> dict[str, str]:
        """Return the headers without the time."""
        return {key: value for key, value in self.headers.items() if key != "date"}


@dataclass(frozen=True)
class Door:
    """Somebody's machine, from which programs log in."""

    url: str
    address: str = "127.0.0.1"

    def post(self, said: object = None, **options: Any) -> Reply:
        """Send a login; `content` and `headers` in place of JSON for the strange."""
        began = time.monotonic()
        more = options if "content" in options else {**options, "json": said}
        with self.client() as client:
            answer = client.post(LOGIN, **more)
        took_s = time.monotonic() - began
        return Reply(answer.status_code, answer.json(), answer.headers, took_s)

    def log_in(self, name: str, password: str, code: str = "", **more: Any) -> Reply:
        """Send name, password and code."""
        return self.post({"name": name, "password": password, "code": code, **more})

    def ask(self, path: str, token: str, method: str = "GET", **more: Any) -> Any:
        """Ask hub or portal with a token."""
        with self.client(Authorization=f"token {token}") as client:
            return client.request(method, path, **more)

    def client(self, **headers: str) -> httpx2.Client:
        """Return a client that connects from this machine's address."""
        return httpx2.Client(
            base_url=self.url,
            headers={"Accept-Language": "en", **headers},
            timeout=60,
            transport=httpx2.HTTPTransport(local_address=self.address),
        )


def send_form(
    client: httpx2.Client, name: str, password: str, code: str = "", **query: str
) -> httpx2.Response:
    """Log in as a browser does: take the form, and send it with what it holds."""
    client.get(FORM)
    said = {"username": name, "password": password, "code": code}
    proof = {"_xsrf": client.cookies.get("_xsrf", "")}
    return client.post(FORM, data={**said, **proof}, params=query)


@dataclass(frozen=True)
class Device:
    """A code device whose codes of this moment are unused."""

    secret: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)

    def code(self, steps_ahead: int = 0) -> str:
        """Return the code of this step, or one that is accepted beside it."""
        now = time.time() + steps_ahead * CODE_PERIOD_S
        return pyotp.TOTP(self.secret).at(int(now))

    def wrong_code(self) -> str:
        """Return six digits that no step near this one has."""
        near = {self.code(ahead) for ahead in range(-3, 4)}
        return next(c for n in range(20) if (c := f"{n:06d}") not in near)


class LoginLab:
    """The login's stores, reached past the hub to prepare a test and to look."""

    def __init__(self, stack: Stack) -> None:
        status = stack.status()
        self.url = str(status["url"])
        self.password = {one["name"]: one["password"] for one in status["people"]}
        self.settings = load_settings(Path("/etc/kqi/kqi.toml"))
        self.engine = open_database(self.settings)
        self._people = stack.folder.path / "people.json"
        # The portal's own reader refuses files of another user than root's; we are.
        keys = key_path(self.settings)
        box = SecretBox(lambda: keys.read_text().split(), file_stamp(keys))
        self._factors = SqlFactorStore(self.engine, box)
        self._audit = SqlAuditLog(self.engine)

    def door(self) -> Door:
        """Return a machine that nobody has logged in from, as a rule."""
        numbers = (secrets.randbelow(250) + 1 for _ in range(3))
        return Door(self.url, "127." + ".".join(map(str, numbers)))

    def log_in(self, name: str, **more: Any) -> Reply:
        """Log in from somewhere with a fresh device, which must succeed."""
        code = self.fresh_device(name).code()
        reply = self.door().log_in(name, self.password[name], code, **more)
        assert reply.status == 201, reply
        return reply

    def fresh_device(self, name: str) -> Device:
        """Give a person a device that nobody has used."""
        secret = b32encode(secrets.token_bytes(20)).decode()
        codes = self._factors.set_up(name, secret, step=0, replace=True)
        return Device(secret, codes or ())

    def restore(self, name: str) -> None:
        """Give a person the demo's own device back, or none as at the beginning."""
        stored = json.loads(self._people.read_text())[name]["code_secret"]
        if stored is None:
            self._factors.reset(name)
        else:
            self._factors.set_up(name, stored, step=0, replace=True)

    def forget_failures(self) -> None:
        """Let everybody try again at once, whatever went wrong before."""
        with writing(self.engine) as connection:
            for table in _THROTTLE:
                connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608  ours

    def audited(self, since: float, **which: Any) -> list[AuditEvent]:
        """Return what was audited since then, the newest first."""
        found = self._audit.read(since=since, limit=1000, **which)
        return [event for _, event in found]


def at_once(doors: Sequence[Door], said: Sequence[object]) -> list[Reply]:
    """Send a login from each door at the same moment."""
    with ThreadPoolExecutor(len(doors)) as threads:
        return list(threads.map(Door.post, doors, said))


@contextmanager
def login_lab(stack: Stack) -> Iterator[LoginLab]:
    """Give the lab; everybody has the demo's device and no failures afterwards."""
    lab = LoginLab(stack)
    lab.forget_failures()
    yield lab
    for name in json.loads(stack.folder.people.read_text()):
        lab.restore(name)
    lab.forget_failures()
    lab.engine.dispose()
