"""The private /etc/passwd, /etc/group and /etc/shadow."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kqi_hub.devstack.layout import HOMES
from kqi_hub.devstack.people import GROUPS, PEOPLE

# Made by Debian's packages; their daemons and file owners are the host's numbers.
PACKAGE_ACCOUNTS = ("slurm", "munge", "mysql", "openldap")
SERVICE_ACCOUNTS = {
    "kqi": "KQI Hub",
    "slurmrestd": "Slurm REST daemon",
    "kqi-store": "KQI Hub data store",
}
# The portal reads the key that it shares with the store.
_SERVICE_MEMBERS = {"kqi-store": ("kqi",)}
_FIRST_PERSON = 1000
_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Account:
    """A line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    gecos: str
    home: str
    shell: str

    @classmethod
    def parse(cls, line: str) -> "Account":
        """Read one line."""
        name, _, uid, gid, gecos, home, shell = line.split(":")
        return cls(name, int(uid), int(gid), gecos, home, shell)

    def line(self) -> str:
        """Return it as /etc/passwd has it."""
        return (
            f"{self.name}:x:{self.uid}:{self.gid}:{self.gecos}:{self.home}:{self.shell}"
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A line of /etc/group."""

    name: str
    gid: int
    members: tuple[str, ...] = ()

    @classmethod
    def parse(cls, line: str) -> "Group":
        """Read one line."""
        name, _, gid, members = line.split(":")
        return cls(name, int(gid), tuple(filter(None, members.split(","))))

    def line(self) -> str:
        """Return it as /etc/group has it."""
        return f"{self.name}:x:{self.gid}:{','.join(self.members)}"


def read_accounts(etc: Path) -> list[Account]:
    """Return the accounts of a folder's passwd file."""
    return [Account.parse(line) for line in _lines(etc / "passwd", colons=6)]


def read_groups(etc: Path) -> list[Group]:
    """Return the groups of a folder's group file."""
    return [Group.parse(line) for line in _lines(etc / "group", colons=3)]


def _lines(file: Path, colons: int) -> list[str]:
    # A line with + or - in front speaks to NIS, of which there is none inside.
    return [
        line
        for line in file.read_text(errors="replace").splitlines()
        if line.count(":") == colons and line[0] not in "+-#"
    ]


def group_ids(name: str, gid: int, groups: Iterable[Group]) -> list[int]:
    """Return what initgroups would: the primary group and every membership."""
    return [gid, *(one.gid for one in groups if name in one.members and one.gid != gid)]


def private_accounts(host: Path) -> tuple[list[Account], list[Group]]:
    """Return the host's system accounts and, in place of its people, ours."""
    accounts = [one for one in read_accounts(host) if _is_system(one.uid)]
    groups = [one for one in read_groups(host) if _is_system(one.gid)]
    ours, our_groups = _service_accounts(accounts)
    people, people_groups = _people()
    taken = {one.uid for one in ours} | set(SERVICE_ACCOUNTS)
    kept = [one for one in accounts if not {one.uid, one.name} & taken]
    names = {one.name for one in kept}
    kept_groups = [
        Group(one.name, one.gid, tuple(m for m in one.members if m in names))
        for one in groups
        if not {one.gid, one.name} & (taken | set(GROUPS))
    ]
    return [*kept, *ours, *people], [*kept_groups, *our_groups, *people_groups]


def _is_system(number: int) -> bool:
    # Debian's slurm is 64030, from the block that Debian hands out for ever.
    return number < _FIRST_PERSON or 60000 <= number <= _NOBODY


def _service_accounts(host: Iterable[Account]) -> tuple[list[Account], list[Group]]:
    needed = {
        number for a in host if a.name in PACKAGE_ACCOUNTS for number in (a.uid, a.gid)
    }
    free = iter(number for number in range(990, 900, -1) if number not in needed)
    accounts = []
    for name, gecos in SERVICE_ACCOUNTS.items():
        number = next(free)
        home = f"/var/lib/{name}"
        accounts.append(Account(name, number, number, gecos, home, "/usr/sbin/nologin"))
    groups = [
        Group(one.name, one.gid, _SERVICE_MEMBERS.get(one.name, ())) for one in accounts
    ]
    return accounts, groups


def _people() -> tuple[list[Account], list[Group]]:
    accounts = [
        Account(
            one.name, one.uid, one.uid, f"{one.given_name} {one.surname}",
            str(HOMES / one.name), "/bin/bash",
        )
        for one in PEOPLE
    ]  # fmt: skip
    own = [Group(one.name, one.uid) for one in PEOPLE]
    shared = [
        Group(name, gid, tuple(one.name for one in PEOPLE if name in one.groups))
        for name, gid in GROUPS.items()
    ]
    return accounts, [*own, *shared]


def shadow_line(name: str) -> str:
    """Return a shadow line without a password: nobody logs in by the machine's own."""
    return f"{name}:*:20000:0:99999:7:::"
