"""People for the login benchmark, with code devices; runs inside the cluster, as root.

    python -m benchmarks.login_people HOW_MANY

Everybody has a directory entry in the portal's group, a Unix account and a second
factor. Passwords and keys are left in PEOPLE, for root alone.
"""

import json
import os
import pwd
import secrets
import subprocess
import sys
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kqi_hub.bootstrap.database import open_database
from kqi_hub.bootstrap.keys import open_box
from kqi_hub.db.factors import SqlFactorStore
from kqi_hub.devstack.directory import GROUPS_BASE, PEOPLE_BASE
from kqi_hub.devstack.people import write_secret
from kqi_hub.settings.loader import load_settings

PEOPLE = Path("/run/kqi-bench-people.json")
SETTINGS = Path("/etc/kqi/kqi.toml")
GROUP = "kqi-users"
FIRST_UID = 30_000


@dataclass(frozen=True)
class Person:
    """Somebody who logs in."""

    name: str
    uid: int
    password: str
    code_secret: str


def make_people(count: int) -> list[Person]:
    return [
        Person(
            name=f"bench{number:04}",
            uid=FIRST_UID + number,
            password=secrets.token_urlsafe(12),
            code_secret=b32encode(secrets.token_bytes(20)).decode(),
        )
        for number in range(count)
    ]


def entries(people: Sequence[Person]) -> str:
    """Return what makes them known to the directory, which hashes the passwords."""
    told = [
        f"dn: uid={one.name},{PEOPLE_BASE}\nchangetype: add\n"
        "objectClass: inetOrgPerson\nobjectClass: posixAccount\n"
        f"uid: {one.name}\ncn: {one.name}\nsn: {one.name}\n"
        f"uidNumber: {one.uid}\ngidNumber: {one.uid}\nhomeDirectory: /nowhere\n"
        f"userPassword: {one.password}\n"
        for one in people
    ]
    members = "".join(f"memberUid: {one.name}\n" for one in people)
    group = f"dn: cn={GROUP},{GROUPS_BASE}\nchangetype: modify\nadd: memberUid\n"
    return "\n".join([*told, group + members])


def add_entries(people: Sequence[Person]) -> None:
    command = ("ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///")
    subprocess.run(
        command, input=entries(people), text=True, check=True, stdout=subprocess.DEVNULL
    )


def add_accounts(people: Sequence[Person]) -> None:
    with Path("/etc/passwd").open("a") as passwd:
        for one in people:
            line = f"{one.name}:x:{one.uid}:{one.uid}:{one.name}:/nowhere:/bin/false"
            passwd.write(line + "\n")


def become(user: str) -> None:
    """Go on as a service user: what is made from here on is its own."""
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def add_devices(people: Sequence[Person]) -> None:
    settings = load_settings(SETTINGS)
    factors = SqlFactorStore(open_database(settings), open_box(settings))
    for one in people:
        factors.set_up(one.name, one.code_secret, step=0, replace=True)


def main(count: str) -> None:
    people = make_people(int(count))
    write_secret(PEOPLE, json.dumps([asdict(one) for one in people]))
    add_entries(people)
    add_accounts(people)
    become("kqi")
    add_devices(people)
    print(json.dumps(len(people)))


def read_people() -> list[Person]:
    """Return the people that were made."""
    return [Person(**one) for one in json.loads(PEOPLE.read_text())]


if __name__ == "__main__":
    main(*sys.argv[1:])
