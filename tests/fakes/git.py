"""A Git server that is asked by nobody's network: what it has is set by the test."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from kqi_hub.domain.credentials import Secret, Service
from kqi_hub.domain.errors import GitUnavailable
from kqi_hub.domain.git_refs import (
    Refs,
    RemoteCommit,
    RemoteRepository,
    checked_commit,
    checked_ref,
    checked_url,
    commit_of,
)

TIP = "1" * 40
OLDER = "2" * 40
RELEASE = "3" * 40
REFS = Refs({"main": TIP, "old": OLDER}, {"v1": RELEASE}, "main", TIP)


@dataclass
class FakeResolver:
    """A Resolver of one repository's tips, whatever the address."""

    refs: Refs = REFS
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)

    async def resolve(
        self, person: str, url: str, ref: str = "", commit: str = ""
    ) -> str:
        """Return the commit that is meant."""
        self.asked.append((person, url, ref, commit))
        checked_url(url)
        return commit_of(self.refs, checked_ref(ref), checked_commit(commit))


class HangingResolver:
    """A Resolver whose server never answers, so that its time is up at once."""

    async def resolve(
        self, person: str, url: str, ref: str = "", commit: str = ""
    ) -> str:
        """Say that there was no answer."""
        raise GitUnavailable("The Git server does not answer.", "Try again later.")


@dataclass
class FakeRemote:
    """A RemoteGit: answers at once, with what the test says."""

    known: Refs = REFS
    listed: tuple[RemoteRepository, ...] = ()
    history: tuple[RemoteCommit, ...] = ()
    asked: list[tuple[str, str, Secret | None]] = field(default_factory=list)

    async def refs(self, url: str, secret: Secret | None, trusted: bool) -> Refs:
        """Return the tips."""
        self.asked.append(("refs" if trusted else "refs elsewhere", url, secret))
        return self.known

    async def repositories(
        self, service: Service, secret: Secret, part: str
    ) -> Sequence[RemoteRepository]:
        """Return what is listed."""
        self.asked.append(("repositories", part, secret))
        return [one for one in self.listed if part in one.name]

    async def commits(
        self, service: Service, secret: Secret | None, url: str, ref: str
    ) -> Sequence[RemoteCommit]:
        """Return the history."""
        self.asked.append(("commits", f"{url} {ref}", secret))
        return self.history


class HangingRemote:
    """A RemoteGit that takes every question and answers none of them."""

    async def refs(self, url: str, secret: Secret | None, trusted: bool) -> Refs:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError

    async def repositories(
        self, service: Service, secret: Secret, part: str
    ) -> Sequence[RemoteRepository]:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError

    async def commits(
        self, service: Service, secret: Secret | None, url: str, ref: str
    ) -> Sequence[RemoteCommit]:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError
