"""Everything that the doctor asks."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kqi_hub.auth.directory_check import DirectoryAccess, DirectoryCheck
from kqi_hub.bootstrap.cluster import open_cluster, open_door, poll_rules, worker_lock
from kqi_hub.bootstrap.data import open_data_store
from kqi_hub.bootstrap.database import (
    check_database,
    open_session_store,
    open_snapshot_store,
)
from kqi_hub.bootstrap.rates import rate_facts
from kqi_hub.bootstrap.reconciling import open_reconciler
from kqi_hub.bootstrap.store import store_sources
from kqi_hub.services.checks.sources import Sources, Target
from kqi_hub.services.stray_jobs import stray_jobs
from kqi_hub.settings.model import Settings
from kqi_hub.settings.secrets import read_secret
from kqi_hub.slurm.commands import environment
from kqi_hub.slurm.probe import CliSlurmProbe
from kqi_hub.slurm.runner import Programs
from kqi_hub.storage.machine import Machine

# Where docs/operators/door.md has it; the settings name only the way to the helper.
DOOR_CONFIG: Final = "/etc/kqi/runas.toml"


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
        door_config=DOOR_CONFIG,
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
        strays=lambda: stray_jobs(
            open_session_store(settings), open_snapshot_store(settings)
        ),
        worker_holder=worker_lock(settings).holder,
        store=store_sources(settings),
        comparisons=lambda: open_data_store(settings).comparisons(),
        rates=lambda: rate_facts(settings),
        reconciled=lambda: open_reconciler(settings).kept.kept(),
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
