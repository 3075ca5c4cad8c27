"""Limits of accounts: what stands in Slurm's accounting, counted and written there."""

import re
from collections.abc import Mapping
from typing import Final

from kqi_hub.domain.cluster import Association
from kqi_hub.domain.errors import ClusterError, InvalidInput
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.slurm_limits import BILLING
from kqi_hub.i18n import N_
from kqi_hub.slurm import commands
from kqi_hub.slurm.errors import refused_error, unreadable
from kqi_hub.slurm.parsing_associations import read_associations
from kqi_hub.slurm.runner import Programs

USED: Final = ("scontrol", "--oneliner", "show", "assoc_mgr", "flags=assoc")
_ACCOUNT: Final = re.compile(r"[a-z_][a-z0-9_.-]{0,63}", re.ASCII)
_MOST: Final = 1 << 62
# An account itself, not somebody in it: what follows `UserName=` is empty.
_HEAD: Final = re.compile(r"Account=(?P<account>\S+) UserName= ")
_MINUTES: Final = re.compile(
    r" GrpTRESMins=(?:\S*,)?billing=(?:N|\d+)\((?P<used>\d+)\)"
)
_NO_RIGHT: Final = "Your user doesn't have privilege to perform this action"
_RIGHTS: Final = N_(
    "Give the service user AdminLevel=Operator in Slurm's accounting "
    "(docs/operators/accounting.md), or let an administrator of Slurm run what "
    "`kqi-hub limits diff --commands` prints."
)


class CliLimits:
    """A LimitDesk (domain/slurm_limits.py) over sacctmgr and scontrol."""

    def __init__(self, cluster: str, programs: Programs) -> None:
        self._cluster = cluster
        self._programs = programs

    async def associations(self) -> tuple[Association, ...]:
        """Return who may use which account, with limits."""
        answer = await self._programs.ask(commands.list_associations(self._cluster))
        return read_associations(answer, self._cluster).read

    async def used_minutes(self) -> Mapping[str, int]:
        """Return what counts against limits of `billing` minutes, by account."""
        return read_used_minutes(
            (await self._programs.ask(USED)).decode(errors="replace")
        )

    async def set_limits(self, account: str, limits: Mapping[str, int | None]) -> None:
        """Set or (None) lift limits of an account; the others stay as they are."""
        try:
            await self._programs.ask(self.command(account, limits))
        except ClusterError as error:
            if _NO_RIGHT not in str(error):
                raise
            deed = Phrase("change limits of account {account}", account=account)
            raise refused_error(deed, _NO_RIGHT, _RIGHTS) from error

    def command(
        self, account: str, limits: Mapping[str, int | None]
    ) -> tuple[str, ...]:
        """Return the command that does so, for an administrator's own hands."""
        if _ACCOUNT.fullmatch(account) is None:
            raise InvalidInput(
                "{account} cannot be an account of a tenant.",
                "Its name is that of a Unix group.",
                account=repr(account[:80]),
            )
        at_once = {name: n for name, n in limits.items() if name != BILLING}
        minutes = {name: n for name, n in limits.items() if name == BILLING}
        settings = [
            f"{option}={','.join(_entry(name, n) for name, n in found.items())}"
            for option, found in (("GrpTRES", at_once), ("GrpTRESMins", minutes))
            if found
        ]
        where = (f"name={account}", f"cluster={self._cluster}")
        words = ("sacctmgr", "--immediate", "modify", "account", "where")
        return (*words, *where, "set", *settings)


def read_used_minutes(text: str) -> dict[str, int]:
    """Return the minutes of `billing` that slurmctld counts, by account."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        head, minutes = _HEAD.search(line), _MINUTES.search(line)
        if head is not None:
            if minutes is None:
                raise unreadable("scontrol show assoc_mgr", Phrase("it has no billing"))
            found[head["account"]] = int(minutes["used"])
    return found


def _entry(resource: str, amount: int | None) -> str:
    # Slurm takes -1 for no limit. Memory is in MB where no unit stands.
    return f"{resource}={-1 if amount is None else min(amount, _MOST)}"
