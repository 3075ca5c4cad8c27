"""Join ports and adapters: the one place that sees both. Nothing happens at import."""

import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine

from kqi_hub.auth.directory_check import DirectoryAccess, DirectoryCheck
from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.ports import Cluster, Door, SnapshotStore
from kqi_hub.runas.client import SocketDoor, SudoDoor
from kqi_hub.services.checks.sources import Sources, Target
from kqi_hub.services.polling import PollRules
from kqi_hub.settings.model import Settings
from kqi_hub.settings.secrets import read_secret
from kqi_hub.slurm.cli import CliCluster
from kqi_hub.slurm.commands import environment
from kqi_hub.slurm.probe import CliSlurmProbe
from kqi_hub.slurm.runner import Programs
from kqi_hub.storage.lock import FileLock
from kqi_hub.storage.machine import Machine


def open_database(settings: Settings, create: bool = False) -> Engine:
    """Return the database's engine; nothing is connected yet."""
    database = settings.database
    secret = database.password_file
    return make_engine(
        database.url,
        password=None if secret is None else read_secret(secret),
        pool_size=database.pool_size,
        create=create,
    )


def upgrade_database(settings: Settings) -> tuple[str | None, str]:
    """Bring the schema up to this version; return the revisions before and after."""
    return schema.upgrade(open_database(settings, create=True))


def check_database(settings: Settings) -> str:
    """Return the schema's revision, or raise DatabaseNotReady saying what to do."""
    engine = open_database(settings)
    try:
        return schema.check(engine)
    finally:
        engine.dispose()


def open_snapshot_store(settings: Settings) -> SnapshotStore:
    """Return where the picture of the cluster is kept."""
    return SqlSnapshotStore(
        open_database(settings),
        settings.cluster.name,
        keep_ended_s=settings.cluster.keep_ended_hours * 3600,
    )


def open_door(settings: Settings) -> Door:
    """Return the way to the privileged helper."""
    door = settings.door
    if door.transport == "sudo":
        return SudoDoor(door.sudo_command, door.timeout_s)
    return SocketDoor(door.socket, door.timeout_s)


def open_cluster(settings: Settings, door: Door | None = None) -> Cluster:
    """Return Slurm, acted on through the door."""
    cluster = settings.cluster
    return CliCluster(
        cluster.name,
        door or open_door(settings),
        slurm_bin=cluster.slurm_bin,
        slurm_conf=cluster.slurm_conf,
        timeout_s=cluster.command_timeout_s,
    )


def poll_rules(settings: Settings) -> PollRules:
    """Return how often Slurm is looked at."""
    cluster = settings.cluster
    return PollRules(cluster.poll_interval_s, cluster.poll_interval_max_s)


def worker_lock(settings: Settings) -> FileLock:
    """Return what makes a worker the only one of its cluster on this machine."""
    return FileLock(settings.site.state_dir / f"worker-{settings.cluster.name}.lock")


def doctor_target(settings: Settings) -> Target:
    """Return the values of the settings that the doctor looks at."""
    by_socket = settings.door.transport == "socket"
    directory = settings.directory
    return Target(
        cluster=settings.cluster.name,
        slurm_bin=str(settings.cluster.slurm_bin),
        state_dir=str(settings.site.state_dir),
        scratch_root=str(settings.scratch.root),
        sqlite_file=_sqlite_file(settings.database.url),
        directory_servers=() if directory is None else directory.servers,
        door_socket=str(settings.door.socket) if by_socket else None,
        door_programs=() if by_socket else _programs(settings.door.sudo_command),
        rules=poll_rules(settings),
    )


def doctor_sources(settings: Settings) -> Sources:
    """Return the doctor's ways to ask; nothing is asked yet."""
    cluster = settings.cluster
    door = open_door(settings)
    programs = Programs(
        cluster.slurm_bin, environment(cluster.slurm_conf), cluster.command_timeout_s
    )
    return Sources(
        cluster=open_cluster(settings, door),
        slurm=CliSlurmProbe(programs),
        machine=Machine(str(settings.site.state_dir)),
        directory=_directory_check(settings),
        door=door,
        check_database=lambda: check_database(settings),
        freshness=lambda: open_snapshot_store(settings).freshness(),
        worker_holder=worker_lock(settings).holder,
        wall=time.time,
    )


def _directory_check(settings: Settings) -> DirectoryCheck | None:
    directory = settings.directory
    if directory is None:
        return None
    secret = directory.bind_password_file
    access = DirectoryAccess(
        people_base=directory.people_base,
        groups_base=directory.groups_base,
        ca_file=directory.ca_file,
        bind_dn=directory.bind_dn,
        bind_password=lambda: None if secret is None else read_secret(secret),
        connect_timeout_s=directory.connect_timeout_s,
        read_timeout_s=directory.read_timeout_s,
    )
    return DirectoryCheck(access)


def _programs(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the files that a command line names, where they really are."""
    return tuple(str(Path(word).resolve()) for word in argv if word.startswith("/"))


def _sqlite_file(url: str) -> str | None:
    parts = urlsplit(url)
    return str(Path(parts.path)) if parts.scheme == "sqlite" else None
