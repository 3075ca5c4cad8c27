"""What can be picked of Git servers: repositories, branches, commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from kqi_hub.sdk.calls import Calls
from kqi_hub.sdk.models import Answer, known


@dataclass(frozen=True, slots=True)
class GitServer(Answer):
    """A Git service of the site, and whether one has stored a token for it."""

    name: str
    kind: str
    url: str
    is_stored: bool


@dataclass(frozen=True, slots=True)
class GitRepository(Answer):
    """A repository; `url` is what one clones."""

    name: str
    url: str
    default_branch: str = ""


@dataclass(frozen=True, slots=True)
class GitRef(Answer):
    """A branch or tag, and its commit."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class GitRefs(Answer):
    """Branches and tags; `why` says why there are not more."""

    branches: tuple[GitRef, ...]
    tags: tuple[GitRef, ...]
    default_branch: str
    why: str

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        deeper = {
            name: tuple(GitRef.read(one) for one in said[name])
            for name in ("branches", "tags")
        }
        return cls(**{**known(cls, said), **deeper})


@dataclass(frozen=True, slots=True)
class GitCommit(Answer):
    """A commit; title and author are empty where the server does not tell."""

    commit: str
    title: str = ""
    author: str = ""
    at: int | None = None


class GitCalls(Calls):
    """The part of `Client` about Git servers."""

    def git_servers(self) -> tuple[GitServer, ...]:
        """Return the site's Git services."""
        said = self._api("GET", "git/servers")["servers"]
        return tuple(GitServer.read(one) for one in said)

    def git_repositories(
        self, server: str, text: str = ""
    ) -> tuple[tuple[GitRepository, ...], str]:
        """Return repositories that a service shows one, and why not more."""
        query = urlencode({"server": server, "q": text})
        said = self._api("GET", f"git/repositories?{query}")
        found = tuple(GitRepository.read(one) for one in said["repositories"])
        return found, said["why"]

    def git_branches(self, url: str) -> GitRefs:
        """Return a repository's branches and tags."""
        return GitRefs.read(self._api("GET", f"git/branches?{urlencode({'url': url})}"))

    def git_commits(self, url: str, ref: str = "") -> tuple[tuple[GitCommit, ...], str]:
        """Return the newest commits of a branch, and why not more."""
        query = urlencode({"url": url, "ref": ref})
        said = self._api("GET", f"git/commits?{query}")
        return tuple(GitCommit.read(one) for one in said["commits"]), said["why"]

    def git_commit(self, url: str, ref: str = "", commit: str = "") -> str:
        """Return the commit that a job submitted now would get."""
        asked = {"url": url, "ref": ref, "commit": commit}
        return str(self._api("POST", "git/commit", asked)["commit"])
