"""The Git servers that jobs get their code from, joined."""

from collections.abc import Sequence

from sqlalchemy import Engine

from kqi_hub.bootstrap.account import services_of
from kqi_hub.bootstrap.keys import open_box
from kqi_hub.db.credentials import SqlCredentialStore
from kqi_hub.domain.credentials import Secret, Service
from kqi_hub.domain.git_refs import Refs, RemoteCommit, RemoteRepository
from kqi_hub.services.git_refs import GitRefs
from kqi_hub.settings.model import Settings
from kqi_hub.storage.git_remote import GitRemote
from kqi_hub.storage.git_services import GitServices


class GitServers:
    """The RemoteGit of a process: tips by Git itself, lists by the services' REST."""

    def __init__(self) -> None:
        self._remote = GitRemote()
        self._services = GitServices()

    async def refs(self, url: str, secret: Secret | None, trusted: bool) -> Refs:
        """Return the tips of a repository."""
        return await self._remote.refs(url, secret, trusted)

    async def repositories(
        self, service: Service, secret: Secret, part: str
    ) -> Sequence[RemoteRepository]:
        """Return repositories that the person sees, with a part of their names."""
        return await self._services.repositories(service, secret, part)

    async def commits(
        self, service: Service, secret: Secret | None, url: str, ref: str
    ) -> Sequence[RemoteCommit]:
        """Return the newest commits of a branch, the newest first."""
        return await self._services.commits(service, secret, url, ref)


def open_git(settings: Settings, engine: Engine) -> GitRefs:
    """Return what answers for Git in this process; nothing is asked yet."""
    credentials = SqlCredentialStore(engine, open_box(settings))
    return GitRefs(GitServers(), credentials, services_of(settings))
