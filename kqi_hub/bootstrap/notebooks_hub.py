"""Notebooks in the hub's process, joined: sessions, and what seals their tokens."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urljoin

from kqi_hub.auth.secretbox import SecretBox
from kqi_hub.bootstrap.account import services_of
from kqi_hub.bootstrap.cluster import open_door, poll_rules
from kqi_hub.bootstrap.database import open_database
from kqi_hub.bootstrap.datasets import open_session_datasets
from kqi_hub.bootstrap.keys import open_box
from kqi_hub.bootstrap.notebook_rules import launch_place
from kqi_hub.db.credentials import SqlCredentialStore
from kqi_hub.db.notebook_sessions import SqlSessionStore
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.credentials import CredentialStore, Service
from kqi_hub.domain.git_refs import service_of
from kqi_hub.domain.notebook_ports import DatasetPlace, ServerSecrets
from kqi_hub.domain.notebooks import Session
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.ports import Door
from kqi_hub.i18n import N_
from kqi_hub.runas.answers import require_done
from kqi_hub.runas.secret_files import DoorSecretFiles
from kqi_hub.services.board import Board
from kqi_hub.services.notebook_parents import SessionParents
from kqi_hub.services.queue_room import board_of_nodes
from kqi_hub.services.session_secret import secret_text
from kqi_hub.services.session_world import SessionTimes, World
from kqi_hub.services.sessions import Sessions
from kqi_hub.settings.model import Settings
from kqi_hub.slurm.cli import CliCluster
from kqi_hub.slurm.notebook_script import LaunchPlace, notebook_script

_HOUR_S = 3600


@dataclass(frozen=True)
class HubNotebooks:
    """What the spawners work with; one for the hub's process."""

    sessions: Sessions
    box: SecretBox
    node_domain: str
    longest_boot_s: float
    board: Board

    async def begin(self) -> None:
        """Watch sessions, and go on ending those that were to end; for the loop."""
        self.sessions.keep_watching()
        await self.sessions.finish_stops()


@dataclass(frozen=True)
class SecretTexts:
    """Make the text of a session's secret file."""

    place: LaunchPlace
    credentials: CredentialStore
    services: tuple[Service, ...]
    parents: SessionParents

    def __call__(
        self,
        session: Session,
        hub: Mapping[str, str],
        dataset: DatasetPlace | None = None,
    ) -> str:
        """Return the text; reads the person's stored credentials."""
        page = urljoin(self.place.portal_url, f"notebooks/{session.notebook_id}")
        secrets = ServerSecrets(hub, self._git(session), dataset, self.parents(session))
        return secret_text(session, secrets, self.place.rules, page)

    def _git(self, session: Session) -> tuple[str, str] | None:
        """Return what the person stored for the service that has the repository."""
        repository = session.chosen.repository
        service = repository and service_of(self.services, repository.url)
        if not service:
            return None
        found = self.credentials.use(session.owner, service, time.time())
        return None if found is None else (found.user_name, found.value)


def open_hub_notebooks(settings: Settings) -> HubNotebooks:
    """Return the notebooks of this hub process; nothing is asked yet."""
    engine, door, box = open_database(settings), open_door(settings), open_box(settings)
    place, cluster = launch_place(settings), settings.cluster
    texts = SecretTexts(
        place,
        SqlCredentialStore(engine, box),
        services_of(settings),
        SessionParents(SqlRunStore(engine), str(settings.scratch.root)),
    )
    snapshot = SqlSnapshotStore(engine, cluster.name)
    world = World(
        sessions=SqlSessionStore(engine),
        snapshot=snapshot,
        slurm=CliCluster(
            cluster.name,
            door,
            slurm_bin=cluster.slurm_bin,
            slurm_conf=cluster.slurm_conf,
            timeout_s=cluster.command_timeout_s,
        ),
        secret_files=DoorSecretFiles(door),
        folders=partial(make_folders, door),
        script=partial(notebook_script, place=place),
        secret=texts,
        clock=time.time,
        log_path=partial(_log_path, settings),
        times=SessionTimes(settings.notebooks.longest_wait_hours * _HOUR_S),
        dataset=open_session_datasets(settings, engine),
    )
    table = settings.notebooks
    return HubNotebooks(
        sessions=Sessions(world),
        box=box,
        node_domain=table.node_domain,
        longest_boot_s=float(table.longest_boot_s),
        board=board_of_nodes(snapshot, poll_rules(settings).stale_after_s),
    )


async def make_folders(door: Door, person: str) -> None:
    """Make a person's folder on scratch with what belongs into it."""
    answer = await door.run("make-scratch", person, {})
    deed = Phrase("make the folders on scratch")
    require_done(answer, person, deed, N_("Ask an operator to look at the helper."))


def _log_path(settings: Settings, session: Session, job_id: int) -> str:
    return str(settings.scratch.root / session.owner / "log" / f"{job_id}.log")
