"""Offer a person's repositories, branches and commits; say which commit is meant.

What is offered is a help while a form is filled in: it comes within seconds or not at
all, with the reason, and the form goes on either way. What is resolved is asked anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import urlsplit

from kqi_hub.domain.credentials import (
    CredentialStore,
    Secret,
    Service,
    Use,
    service_named,
)
from kqi_hub.domain.errors import GitUnavailable, InvalidInput, KqiError
from kqi_hub.domain.git_refs import (
    COMMIT,
    Refs,
    RemoteCommit,
    RemoteGit,
    RemoteRepository,
    as_https,
    checked_commit,
    checked_ref,
    checked_url,
    commit_of,
    service_of,
    ssh_host,
)
from kqi_hub.services.asking import OFFER_S, RESOLVE_S, Asking, Kept, Offer

_MOST_KEPT: Final = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Server:
    """A Git service of the site, and whether the person has stored a token for it."""

    service: Service
    is_stored: bool


@dataclass
class GitRefs:
    """The Git servers that people's jobs get their code from; one for a process.

    It is the Resolver of domain/git_refs.py.
    """

    remote: RemoteGit
    credentials: CredentialStore
    services: tuple[Service, ...]
    wall: Callable[[], float] = time.time
    offer_s: float = OFFER_S
    resolve_s: float = RESOLVE_S
    _asking: Asking = field(default_factory=lambda: Asking(_late, _busy))
    _kept: Kept[tuple[str, str], Refs] = field(default_factory=lambda: Kept(_MOST_KEPT))

    async def servers(self, person: str) -> tuple[Server, ...]:
        """Return the site's Git services."""
        stored = await asyncio.to_thread(self.credentials.stored, person)
        held = {(one.service, one.url) for one in stored}
        return tuple(
            Server(one, (one.name, one.url) in held)
            for one in self.services
            if one.use is Use.GIT
        )

    async def repositories(
        self, person: str, name: str, part: str = ""
    ) -> Offer[Sequence[RemoteRepository]]:
        """Return repositories that the person sees at a service; NotFound for none."""
        git = [one for one in self.services if one.use is Use.GIT]
        service = service_named(git, name)

        async def ask() -> Sequence[RemoteRepository]:
            secret = await self._secret(person, service)
            if secret is None:
                raise InvalidInput(
                    "You have stored no token for {service}, so it lists nothing.",
                    "Store one under Your account, Git services, or type the address "
                    "of the repository.",
                    service=service.name,
                )
            return await self.remote.repositories(service, secret, part)

        return await self._offer(person, ask, ())

    async def branches(self, person: str, url: str) -> Offer[Refs]:
        """Return a repository's tips; InvalidInput for what is no address."""
        address = checked_url(url)
        return await self._offer(person, lambda: self._refs(person, address), Refs())

    async def commits(
        self, person: str, url: str, ref: str = ""
    ) -> Offer[Sequence[RemoteCommit]]:
        """Return the newest commits of a branch, or its tip alone with the reason."""
        address, name = checked_url(url), checked_ref(ref)
        asked = as_https(self.services, address)
        service = service_of(self.services, asked)
        listed: Offer[Sequence[RemoteCommit]] = Offer((), None)
        if service is not None:
            known = service

            async def ask() -> Sequence[RemoteCommit]:
                secret = await self._secret(person, known)
                return await self.remote.commits(known, secret, asked, name)

            listed = await self._offer(person, ask, ())
        if listed.found:
            return listed
        return await self._only_tip(person, address, name, listed.why)

    async def resolve(
        self, person: str, url: str, ref: str = "", commit: str = ""
    ) -> str:
        """Return the commit that is meant, 40 hex digits (K-28).

        A whole commit is taken at its word: no server lists all that it has.
        """
        address, name, digits = (
            checked_url(url),
            checked_ref(ref),
            checked_commit(commit),
        )
        if COMMIT.fullmatch(digits):
            return digits
        refs = await self._asking.asked(
            person, lambda: self._refs(person, address, anew=True), self.resolve_s
        )
        return commit_of(refs, name, digits)

    async def _only_tip(
        self, person: str, url: str, ref: str, why: KqiError | None
    ) -> Offer[Sequence[RemoteCommit]]:
        tips = await self.branches(person, url)
        if tips.why is not None:
            return Offer((), tips.why)
        try:
            tip = commit_of(tips.found, ref, "")
        except InvalidInput as error:
            return Offer((), error)
        return Offer((RemoteCommit(tip, ""),), why or _tip_alone())

    async def _refs(self, person: str, url: str, anew: bool = False) -> Refs:
        asked = as_https(self.services, url)
        kept = self._kept.get((person, asked), self.wall())
        if kept is not None and not anew:
            return kept
        if host := ssh_host(asked):
            raise GitUnavailable(
                "The portal has no SSH key of yours, so it cannot ask {host}.",
                "Use the https address, or give the commit, all of its 40 digits.",
                host=host,
            )
        service = service_of(self.services, asked)
        secret = None if service is None else await self._secret(person, service)
        refs = await self.remote.refs(asked, secret, self._is_of_site(asked))
        self._kept.keep((person, asked), refs, self.wall())
        return refs

    def _is_of_site(self, url: str) -> bool:
        """Tell whether an operator has named the server: then it may be anywhere."""
        server = urlsplit(url)[:2]
        return any(
            one.use is Use.GIT and urlsplit(one.url)[:2] == server
            for one in self.services
        )

    async def _secret(self, person: str, service: Service) -> Secret | None:
        now = self.wall()
        return await asyncio.to_thread(self.credentials.use, person, service, now)

    async def _offer(
        self, person: str, ask: Callable[[], Awaitable[T]], nothing: T
    ) -> Offer[T]:
        try:
            return Offer(await self._asking.asked(person, ask, self.offer_s))
        except (GitUnavailable, InvalidInput) as why:
            return Offer(nothing, why)


def _late(seconds: float) -> GitUnavailable:
    return GitUnavailable(
        "The Git server did not answer within {seconds} s.",
        "Try again later, or give the commit itself, all of its 40 digits.",
        seconds=f"{seconds:g}",
    )


def _busy(count: int) -> GitUnavailable:
    return GitUnavailable(
        "{count} questions of yours to Git servers are under way already.",
        "Wait for their answers.",
        count=count,
    )


def _tip_alone() -> GitUnavailable:
    return GitUnavailable(
        "Only the branch's newest commit is known: this server has no list of commits.",
        "Give another commit itself, all of its 40 digits.",
    )
