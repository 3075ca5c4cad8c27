"""Slurm, the door to it, and the one process that polls it."""

from kqi_hub.domain.ports import Door
from kqi_hub.runas.client import SocketDoor, SudoDoor
from kqi_hub.services.polling import PollRules
from kqi_hub.settings.model import Settings
from kqi_hub.slurm.cli import CliCluster
from kqi_hub.slurm.commands import environment
from kqi_hub.slurm.runner import Programs
from kqi_hub.storage.lock import FileLock


def open_door(settings: Settings) -> Door:
    """Return the way to the privileged helper."""
    door = settings.door
    if door.transport == "sudo":
        return SudoDoor(door.sudo_command, door.timeout_s)
    return SocketDoor(door.socket, door.timeout_s)


def open_cluster(settings: Settings, door: Door | None = None) -> CliCluster:
    """Return Slurm, acted on through the door."""
    cluster = settings.cluster
    return CliCluster(
        cluster.name,
        door or open_door(settings),
        slurm_bin=cluster.slurm_bin,
        slurm_conf=cluster.slurm_conf,
        timeout_s=cluster.command_timeout_s,
    )


def slurm_programs(settings: Settings) -> Programs:
    """Return how Slurm's programs are run for questions that no port asks."""
    cluster = settings.cluster
    known = environment(cluster.slurm_conf)
    return Programs(cluster.slurm_bin, known, cluster.command_timeout_s)


def poll_rules(settings: Settings) -> PollRules:
    """Return how often Slurm is looked at."""
    cluster = settings.cluster
    return PollRules(cluster.poll_interval_s, cluster.poll_interval_max_s)


def worker_lock(settings: Settings) -> FileLock:
    """Return what makes a worker the only one of its cluster on this machine."""
    return FileLock(settings.site.state_dir / f"worker-{settings.cluster.name}.lock")
