"""Use as accounting tells it a second time: sacct cut to a time, and sreport."""

from collections.abc import Mapping
from typing import Final

from kqi_hub.domain.job_records import RecordKey
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.reconciliation import SlurmUse, Use
from kqi_hub.slurm.commands import moment_text
from kqi_hub.slurm.errors import unreadable
from kqi_hub.slurm.parsing_accounting import recorded_rows
from kqi_hub.slurm.rows import Tokens
from kqi_hub.slurm.runner import Programs
from kqi_hub.slurm.tres import parse_tres

_FIELDS: Final = (
    *("JobIDRaw", "Submit", "Account", "State", "Start", "ElapsedRaw", "AllocTRES"),
)
_REPORTED: Final = {
    "cpu": "cpu_s",
    "mem": "memory_mb_s",
    "gres/gpu": "gpu_s",
    "node": "node_s",
}
# Slurm's programs that count an hour may take minutes for a month of a large cluster.
TIMEOUT_S: Final = 300.0


class CliUseReader:
    """A UseReader (domain/reconciliation.py) over sacct and sreport."""

    def __init__(self, cluster: str, programs: Programs) -> None:
        self._cluster = cluster
        self._programs = programs

    async def use(self, since: int, until: int) -> tuple[SlurmUse, ...]:
        """Return what each run used in between, and nothing outside of it."""
        tokens = Tokens.fresh()
        argv = (
            *("sacct", "--allocations", "--duplicates", "--allusers", "--truncate"),
            *("--noheader", "--parsable", f"--delimiter={tokens.field}", "--noconvert"),
            f"--format={','.join(_FIELDS)}",
            f"--starttime={moment_text(since)}",
            f"--endtime={moment_text(until)}",
        )
        return read_use(await self._programs.ask(argv), tokens)

    async def rolled_up(self, since: int, until: int) -> Mapping[str, Use] | None:
        """Return sreport's sums by account; None where it tells nothing."""
        argv = (
            *("sreport", "--noheader", "--parsable2", "-t", "Seconds"),
            *(f"--cluster={self._cluster}", f"--tres={','.join(_REPORTED)}"),
            *("cluster", "AccountUtilizationByUser"),
            "format=Account,Login,TresName,Used",
            f"start={moment_text(since)}",
            f"end={moment_text(until)}",
        )
        answer = await self._programs.ask(argv)
        return read_report(answer.decode(errors="replace"))


def read_use(answer: bytes, tokens: Tokens) -> tuple[SlurmUse, ...]:
    """Return the rows of sacct -T; what never began has used nothing."""
    found = []
    for row in recorded_rows(answer, tokens, len(_FIELDS)):
        raw, submitted, account, state, began, elapsed, tres = row
        if not began.isdecimal() or not submitted.isdecimal():
            continue
        try:
            key, seconds = RecordKey(int(raw), int(submitted)), int(elapsed)
            use = _use(seconds, dict(parse_tres(tres)))
        except ValueError as error:
            what = Phrase("{row} cannot be read", row=row[:3])
            raise unreadable("sacct", what) from error
        word = state.partition(" ")[0].rstrip("+")
        found.append(SlurmUse(key, account, word, int(began), use))
    return tuple(found)


def read_report(text: str) -> dict[str, Use] | None:
    """Return sreport's sums of people by account; None for an empty answer.

    Lines without a login are sums of an account with those below it: left out.
    """
    found: dict[str, Use] = {}
    lines = [line for line in text.splitlines() if line]
    for line in lines:
        fields = line.split("|")
        if len(fields) != len(("account", "login", "tres", "used")):
            raise unreadable("sreport", Phrase("{row} cannot be read", row=line[:80]))
        account, login, resource, used = fields
        if login and resource in _REPORTED:
            if not used.isdecimal():
                raise unreadable("sreport", Phrase("{row} is no time", row=line[:80]))
            before = found.get(account, Use())
            name = _REPORTED[resource]
            more = before._replace(**{name: getattr(before, name) + int(used)})
            found[account] = more
    return found if lines else None


def _use(seconds: int, has: Mapping[str, int]) -> Use:
    return Use(
        seconds,
        seconds * has.get("cpu", 0),
        seconds * has.get("mem", 0),
        seconds * has.get("gres/gpu", 0),
        seconds * has.get("node", 0),
    )
