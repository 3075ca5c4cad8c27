"""Offer a person's registries, images and tags; say which image is meant.

What is offered is a help while a form is filled in: it comes within seconds or not at
all, with the reason, and the form goes on either way. What is resolved is asked anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from kqi_hub.domain.credentials import CredentialStore, Service, Use, service_named
from kqi_hub.domain.errors import InvalidInput, RegistryUnavailable
from kqi_hub.domain.images import (
    ImagePlace,
    ImageRegistries,
    below,
    image_of,
    place_of,
    registry_of,
    secret_of,
)
from kqi_hub.services.git_refs import Offer

# A form waits no longer than this for what it can do without.
OFFER_S: Final = 6.0
RESOLVE_S: Final = 20.0
MOST_AT_ONCE: Final = 8
MOST_OFFERED: Final = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RegistryView:
    """A registry of the site, and whether the person has stored a password for it."""

    service: Service
    host: str
    is_stored: bool


@dataclass
class Images:
    """The registries that people's runs get their images from; one for a process.

    It is the ImageResolver of domain/images.py.
    """

    remote: ImageRegistries
    credentials: Callable[[], CredentialStore]
    services: tuple[Service, ...]
    # Certificates of the site's own authorities, by the registry's name.
    ca_files: Mapping[str, str] = field(default_factory=dict)
    wall: Callable[[], float] = time.time
    offer_s: float = OFFER_S
    resolve_s: float = RESOLVE_S
    _gate: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE)
    )

    async def registries(self, person: str) -> tuple[RegistryView, ...]:
        """Return the site's registries, the usual one first."""
        if not self._known():
            return ()
        stored = await asyncio.to_thread(lambda: self.credentials().stored(person))
        held = {(one.service, one.url) for one in stored}
        return tuple(
            RegistryView(one, place_of(one).name.host, (one.name, one.url) in held)
            for one in self._known()
        )

    async def repositories(
        self, person: str, name: str, part: str = ""
    ) -> Offer[Sequence[str]]:
        """Return images of a registry with a part of their names; NotFound for none."""
        service = service_named(self._known(), name)

        async def ask() -> Sequence[str]:
            place = await self._as_person(person, service, place_of(service))
            found = await self.remote.repositories(place)
            top = below(service)
            shown = [one for one in found if part in one and one.startswith(top)]
            return tuple(f"{place.name.host}/{one}" for one in shown[:MOST_OFFERED])

        return await self._offer(ask)

    async def tags(self, person: str, text: str) -> Offer[Sequence[str]]:
        """Return the tags of an image; InvalidInput for what is no name of one."""
        service, place = registry_of(self.services, text)

        async def ask() -> Sequence[str]:
            mine = await self._as_person(person, service, place)
            return tuple((await self.remote.tags(mine))[:MOST_OFFERED])

        return await self._offer(ask)

    async def resolve(self, person: str, text: str) -> str:
        """Return an image's whole name with the digest that its tag stands for now.

        A digest is taken at its word: whether it is there, the job finds out.
        """
        service, place = registry_of(self.services, text)
        if place.name.digest:
            return str(place.name)

        async def ask() -> str:
            return await self.remote.digest(
                await self._as_person(person, service, place)
            )

        found = await self._asked(ask, self.resolve_s)
        return str(replace(place.name, digest=found))

    def place(self, person: str, text: str) -> ImagePlace:
        """Return where a job gets its image, and as whom. Blocks."""
        service, place = registry_of(self.services, text)
        if not image_of(text).digest:
            raise InvalidInput(
                "image: {image} has no digest.", "Ask for the run again.", image=text
            )
        return self._with_secret(person, service, place)

    def _known(self) -> list[Service]:
        return [one for one in self.services if one.use is Use.REGISTRY]

    async def _as_person(
        self, person: str, service: Service, place: ImagePlace
    ) -> ImagePlace:
        return await asyncio.to_thread(self._with_secret, person, service, place)

    def _with_secret(
        self, person: str, service: Service, place: ImagePlace
    ) -> ImagePlace:
        found = self.credentials().use(person, service, self.wall())
        ca_file = self.ca_files.get(service.name, "")
        return replace(place, secret=secret_of(service, found), ca_file=ca_file)

    async def _offer(
        self, ask: Callable[[], Awaitable[Sequence[str]]]
    ) -> Offer[Sequence[str]]:
        try:
            return Offer(await self._asked(ask, self.offer_s))
        except (RegistryUnavailable, InvalidInput) as why:
            return Offer((), why)

    async def _asked(self, ask: Callable[[], Awaitable[T]], limit_s: float) -> T:
        try:
            async with asyncio.timeout(limit_s), self._gate:
                return await ask()
        except TimeoutError:
            raise RegistryUnavailable(
                "The registry did not answer within {seconds} s.",
                "Try again later, or give the image with its digest (@sha256:…).",
                seconds=f"{limit_s:g}",
            ) from None
