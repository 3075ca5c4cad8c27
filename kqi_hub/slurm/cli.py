"""The cluster as seen through Slurm's command line: one reader for all releases."""

from pathlib import Path

from kqi_hub.domain.ports import Door
from kqi_hub.slurm.commands import environment
from kqi_hub.slurm.control import DoorControl
from kqi_hub.slurm.reader import CliReader
from kqi_hub.slurm.runner import DEFAULT_TIMEOUT_S, Programs


class CliCluster(CliReader, DoorControl):
    """The port Cluster; a reader for slurmrestd may one day take CliReader's place.

    `cluster` is Slurm's ClusterName; `slurm_conf` is None where Slurm finds its own.
    """

    def __init__(
        self,
        cluster: str,
        door: Door,
        *,
        slurm_bin: Path = Path("/usr/bin"),
        slurm_conf: Path | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        CliReader.__init__(
            self, cluster, Programs(slurm_bin, environment(slurm_conf), timeout_s)
        )
        DoorControl.__init__(self, door)
