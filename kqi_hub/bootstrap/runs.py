"""Runs, joined: for the portal, which asks for them, and for the worker."""

import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from kqi_hub.bootstrap.account import services_of
from kqi_hub.bootstrap.cluster import open_cluster, open_door
from kqi_hub.bootstrap.database import open_database
from kqi_hub.bootstrap.datasets import open_staging
from kqi_hub.bootstrap.git import open_git
from kqi_hub.bootstrap.images import open_images
from kqi_hub.bootstrap.keys import open_box
from kqi_hub.bootstrap.notebooks_hub import make_folders
from kqi_hub.bootstrap.preprocessings import open_run_outputs
from kqi_hub.bootstrap.store import store_root
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.credentials import SqlCredentialStore
from kqi_hub.db.data_blockers import DatasetUsers
from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.job_tokens import SqlJobTokens
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.db.uses import SqlUseStore
from kqi_hub.domain.credentials import CredentialStore, Service
from kqi_hub.domain.git_refs import service_of
from kqi_hub.domain.ports import BatchScript
from kqi_hub.domain.run_ports import OrderParts
from kqi_hub.domain.runs import Run, RunRules
from kqi_hub.runas.run_folders import DoorRunFolders
from kqi_hub.runas.secret_files import DoorSecretFiles
from kqi_hub.services.job_tokens import Tickets
from kqi_hub.services.once_in_a_while import OnceInAWhile
from kqi_hub.services.queues import Queues
from kqi_hub.services.run_data import DataOfTasks
from kqi_hub.services.run_keeping import RunKeeper
from kqi_hub.services.run_parts import RunPartsMaker
from kqi_hub.services.run_world import RunTimes, RunWorld
from kqi_hub.services.runs import Runs
from kqi_hub.services.submission import Submission
from kqi_hub.settings.model import Settings
from kqi_hub.slurm.run_order import RunNeeds, RunTask, run_order
from kqi_hub.slurm.run_script import RunPlace, run_script

_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S
# What a call of the door may go on for after its caller's patience is at an end.
_SLACK_S: Final = 30.0


@dataclass(frozen=True)
class RunTexts:
    """The texts of a run's script and of its order."""

    place: RunPlace

    def script(self, runs: tuple[Run, ...]) -> BatchScript:
        """Return the script of a run, or of an array's runs."""
        tasks = len(runs) if runs[0].task is not None else 0
        return run_script(runs[0], self.place, tasks)

    def order(self, parts: OrderParts) -> str:
        """Return what the runner in the job is told."""
        runs = {run.id: run for run in parts.runs}
        needs = RunNeeds(
            dataset_path="" if parts.dataset is None else parts.dataset.path,
            parents=parts.parents,
            git=parts.git,
            ticket=parts.ticket,
            tasks=tuple(
                RunTask(runs[one.run_id], one.name, one.path, one.tags)
                for one in parts.data
            ),
            image=parts.image,
        )
        return run_order(parts.runs[0], self.place, needs)


@dataclass(frozen=True)
class SourceCredentials:
    """What people stored for the hosts that their runs' sources come from."""

    # The key file is needed by whoever asks, and by nobody else.
    credentials: Callable[[], CredentialStore]
    services: tuple[Service, ...]

    def __call__(self, run: Run) -> tuple[str, str] | None:
        """Return a user name and a password, None where nothing is stored."""
        source = run.spec.source
        service = source and service_of(self.services, source.url)
        if not service:
            return None
        found = self.credentials().use(run.owner, service, time.time())
        return None if found is None else (found.user_name, found.value)


def open_submission(settings: Settings, engine: Engine) -> Submission:
    """Return what brings runs to Slurm from the portal's process."""
    return Submission(run_world(settings, engine, "portal"))


def open_runs(
    settings: Settings, engine: Engine, queues: Queues, submission: Submission
) -> Runs:
    """Return the runs of the portal's process, on its database."""
    return Runs(
        store=SqlRunStore(engine),
        submission=submission,
        queues=queues,
        git=open_git(settings, engine),
        datasets=SqlDatasetStore(engine),
        uses=SqlUseStore(engine),
        audit=SqlAuditLog(engine),
        images=open_images(settings, engine),
        rules=run_rules(settings),
        zone=ZoneInfo(settings.site.timezone),
    )


def open_run_keeper(
    settings: Settings, told: Callable[[Run], None] = lambda _: None
) -> RunKeeper:
    """Return what follows the runs of everybody, for the worker; `told` of each end."""
    engine = open_database(settings)
    outputs = open_run_outputs(settings, engine)
    world = run_world(settings, engine, "worker")
    return RunKeeper(world, outputs.products, told)


def run_rules(settings: Settings) -> RunRules:
    """Return what the site decides about runs."""
    table = settings.runs
    return RunRules(
        default_lifetime_s=table.default_lifetime_hours * _HOUR_S,
        longest_lifetime_s=table.longest_lifetime_hours * _HOUR_S,
    )


def run_place(settings: Settings) -> RunPlace:
    """Return where runs are launched, the same for everybody."""
    return RunPlace(
        scratch_root=str(settings.scratch.root),
        python=str(settings.notebooks.session_python),
        portal_url=urljoin(settings.hub.public_url, "services/portal/"),
        end_warn_s=settings.notebooks.end_warn_minutes * 60,
        defaults=_variables(settings.runs.variables),
        hands_out_tokens=settings.runs.tokens,
        ca_file=str(settings.runs.ca_file or ""),
        # So long that no run sits in an image that is removed.
        images_kept_s=(
            settings.runs.images_kept_days * _DAY_S
            + settings.runs.longest_lifetime_hours * _HOUR_S
        ),
    )


def run_world(settings: Settings, engine: Engine, process: str) -> RunWorld:
    """Return the world of runs as one process sees it."""
    door, store = open_door(settings), SqlRunStore(engine)
    texts = RunTexts(run_place(settings))
    credentials = SourceCredentials(
        lambda: SqlCredentialStore(engine, open_box(settings)), services_of(settings)
    )
    items = SqlDataStore(engine, DatasetUsers())
    data = DataOfTasks(items, str(store_root(settings)))
    staging = open_staging(settings, engine)
    tickets = Tickets(SqlJobTokens(engine), settings.runs.tokens)
    images = open_images(settings, engine)
    parts = RunPartsMaker(store, staging, credentials, data, images.place, tickets)
    return RunWorld(
        runs=store,
        slurm=open_cluster(settings, door),
        picture=SqlSnapshotStore(engine, settings.cluster.name),
        secrets=DoorSecretFiles(door),
        outputs=DoorRunFolders(door),
        folders=OnceInAWhile(partial(make_folders, door)),
        script=texts.script,
        parts=parts,
        order=texts.order,
        release=parts.release,
        clock=time.time,
        by=f"{process}-{os.getpid()}-{secrets.token_hex(8)}",
        times=RunTimes(lease=settings.door.timeout_s + _SLACK_S),
    )


def _variables(lines: tuple[str, ...]) -> Mapping[str, str]:
    return dict(line.split("=", 1) for line in lines)
