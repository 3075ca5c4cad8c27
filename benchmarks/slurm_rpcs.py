"""What slurmctld was asked, by whom and what for: sdiag's own counts; for root."""

import re
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_LINE = re.compile(r"^\s+(\S+)\s*\(\s*\d+\)\s+count:(\d+)", re.MULTILINE)
_BY_TYPE = "Remote Procedure Call statistics by message type"
_BY_USER = "Remote Procedure Call statistics by user"
_END = "Pending RPC statistics"


@dataclass(frozen=True)
class Counts:
    """Calls since slurmctld's counts began."""

    by_user: Mapping[str, int]
    by_type: Mapping[str, int]

    def of(self, users: Collection[str]) -> int:
        return sum(self.by_user.get(user, 0) for user in users)

    def kind(self, name: str) -> int:
        return self.by_type.get(name, 0)


def counts() -> Counts:
    """Ask sdiag, which is a call too, of root's."""
    told = subprocess.run(
        ("/usr/bin/sdiag",), capture_output=True, text=True, check=True
    ).stdout
    types, _, users = told.partition(_BY_TYPE)[2].partition(_BY_USER)
    return Counts(_read(users.partition(_END)[0]), _read(types))


def _read(part: str) -> Mapping[str, int]:
    return {name: int(count) for name, count in _LINE.findall(part)}
