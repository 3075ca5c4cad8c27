"""The doctor's questions to Slurm's programs, which nobody else asks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.health import NOW, ClusterRecord, Credential
from kqi_hub.domain.phrase import Phrase
from kqi_hub.slurm.errors import unreadable
from kqi_hub.slurm.munge import try_credential
from kqi_hub.slurm.runner import Programs

CONFIG: Final = ("scontrol", "show", "config")
ACCOUNTING_CONFIG: Final = ("sacctmgr", "show", "configuration")
CLUSTERS: Final = (
    "sacctmgr", "--noheader", "--parsable2", "show", "cluster",
    "format=Cluster,ControlHost",
)  # fmt: skip
_AS_OF: Final = "Configuration data as of "


class CliSlurmProbe:
    """A SlurmProbe that runs scontrol, sacctmgr and munge."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    async def config(self) -> Mapping[str, str]:
        """Return `scontrol show config`, and the controller's clock under NOW."""
        return parse_config(await self._ask(CONFIG))

    async def accounting(self) -> tuple[ClusterRecord, ...]:
        """Return the clusters that accounting knows."""
        return parse_clusters(await self._ask(CLUSTERS))

    async def accounting_config(self) -> Mapping[str, str]:
        """Return slurmdbd's own configuration."""
        return parse_values(await self._ask(ACCOUNTING_CONFIG))

    async def admin_level(self, user: str) -> str:
        """Return the person's AdminLevel in accounting, empty for an unknown one."""
        argv = ("sacctmgr", "--noheader", "--parsable2", "show", "user", user)
        return (await self._ask((*argv, "format=AdminLevel"))).strip()

    async def credential(self) -> Credential:
        """Make a munge credential and open it again."""
        return await try_credential()

    async def _ask(self, argv: tuple[str, ...]) -> str:
        return (await self._programs.ask(argv)).decode(errors="replace")


def parse_config(text: str) -> dict[str, str]:
    """Read `scontrol show config`; its first line tells the controller's clock.

    The stamp is made when slurmctld answers, in whole seconds, so the question that
    is asked anyway also compares the clocks.
    """
    first, _, rest = text.partition("\n")
    if not first.startswith(_AS_OF):
        raise unreadable("scontrol show config", first[:80])
    return {**parse_values(rest), NOW: str(_epoch(first.removeprefix(_AS_OF).strip()))}


def parse_values(text: str) -> dict[str, str]:
    """Read lines of the form `Name = value`; the headings between are left out."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def parse_clusters(text: str) -> tuple[ClusterRecord, ...]:
    """Read `name|host` lines; names of clusters and hosts have no bar in them."""
    rows = (line.partition("|") for line in text.splitlines() if line)
    return tuple(ClusterRecord(name, host) for name, _, host in rows)


def _epoch(stamp: str) -> int:
    """Read epoch seconds, or (without SLURM_TIME_FORMAT) ISO time in our UTC."""
    if stamp.isdecimal():
        return int(stamp)
    try:
        return int(datetime.fromisoformat(f"{stamp}+00:00").timestamp())
    except ValueError:
        raise _not_a_time(stamp) from None


def _not_a_time(stamp: str) -> ClusterError:
    what = Phrase("{stamp} is not a time", stamp=stamp[:40])
    return unreadable("scontrol show config", what)
