"""The people of the embedded cluster, their groups, and how they prove who they are."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

CODE_PERIOD_S = 30


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a Unix account, a directory entry and a place in Slurm."""

    name: str
    uid: int
    given_name: str
    surname: str
    about: str
    groups: tuple[str, ...] = ()
    has_code: bool = True
    disabled: bool = False

    @property
    def tenants(self) -> tuple[str, ...]:
        """Return the tenants, the default one first."""
        return tuple(group for group in self.groups if group in TENANTS)


@dataclass(frozen=True, slots=True)
class Secret:
    """A person's password and, once enrolled, the secret of the one-time codes."""

    password: str
    code_secret: str | None


TENANTS = ("vision", "nlp")
GROUPS = {
    "kqi-users": 20100,
    "vision": 20101,
    "nlp": 20102,
    "nlp-managers": 20103,
    "kqi-operators": 20104,
}
PEOPLE = (
    Person(
        "alice", 20001, "Alice", "Example", "tenants vision and nlp",
        ("kqi-users", "vision", "nlp"),
    ),
    Person(
        "bob", 20002, "Bob", "Example", "manager of tenant nlp",
        ("kqi-users", "nlp", "nlp-managers"),
    ),
    Person(
        "carol", 20003, "Carol", "Example", "operator; tenant vision",
        ("kqi-users", "vision", "kqi-operators"),
    ),
    Person(
        "dave", 20004, "Dave", "Example", "tenant vision; has never logged in",
        ("kqi-users", "vision"), has_code=False,
    ),
    Person(
        "erin", 20005, "Erin", "Example", "tenant vision; disabled",
        ("kqi-users", "vision"), disabled=True,
    ),
)  # fmt: skip


def keep_secrets(path: Path) -> dict[str, Secret]:
    """Return everybody's secrets, made on the first start and the same ever after."""
    if path.exists():
        stored = json.loads(path.read_text())
        return {name: Secret(**fields) for name, fields in stored.items()}
    made = {person.name: _new_secret(person) for person in PEOPLE}
    text = json.dumps(
        {
            name: {"password": one.password, "code_secret": one.code_secret}
            for name, one in made.items()
        },
        indent=2,
    )
    write_secret(path, text + "\n")
    return made


def _new_secret(person: Person) -> Secret:
    code_secret = base64.b32encode(secrets.token_bytes(20)).decode()
    return Secret(secrets.token_urlsafe(12), code_secret if person.has_code else None)


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, never half of it."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
    ) as f:
        f.write(text)
    draft.replace(path)


def one_time_code(code_secret: str, now: float) -> tuple[str, int]:
    """Return the code of this moment (RFC 6238) and how many seconds it is valid."""
    moment = int(now)
    counter = (moment // CODE_PERIOD_S).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(code_secret), counter, hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}", CODE_PERIOD_S - moment % CODE_PERIOD_S
