"""Offer a person's registries, images and tags; say which image is meant.

What is offered is a help while a form is filled in: it comes within seconds or not at
all, with the reason, and the form goes on either way. What is resolved is asked anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from kqi_hub.domain.credentials import CredentialStore, Service, Use, service_named
from kqi_hub.domain.errors import InvalidInput, RegistryUnavailable
from kqi_hub.domain.images import (
    ImagePlace,
    ImageRegistries,
    image_of,
    listed_paths,
    listed_tags,
    place_of,
    prefix_of,
    registry_of,
    secret_of,
)
from kqi_hub.services.asking import (
    OFFER_S,
    RESOLVE_S,
    Asking,
    Kept,
    Offer,
)

MOST_OFFERED: Final = 200
# Who submits much at once waits in line.
_MOST_SUBMITTED: Final = 1000
# Lists may be long: that of a registry, the tags of an image.
_MOST_KEPT: Final = 20


@dataclass(frozen=True, slots=True)
class RegistryView:
    """A registry of the site, and whether the person has stored a password for it."""

    service: Service
    prefix: str  # of its images' names
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
    # What is offered never takes the place of what is submitted.
    _offering: Asking = field(default_factory=lambda: Asking(_late, _busy))
    _resolving: Asking = field(
        default_factory=lambda: Asking(_late, _busy, _MOST_SUBMITTED)
    )
    _kept: Kept[tuple[str, str], Sequence[str]] = field(
        default_factory=lambda: Kept(_MOST_KEPT)
    )

    async def registries(self, person: str) -> tuple[RegistryView, ...]:
        """Return the site's registries, the usual one first."""
        if not self._known():
            return ()
        stored = await asyncio.to_thread(lambda: self.credentials().stored(person))
        held = {(one.service, one.url) for one in stored}
        return tuple(
            RegistryView(one, prefix_of(one), (one.name, one.url) in held)
            for one in self._known()
        )

    async def repositories(
        self, person: str, name: str, part: str = ""
    ) -> Offer[Sequence[str]]:
        """Return images of a registry with a part of their names; NotFound for none."""
        service = service_named(self._known(), name)
        place = place_of(service)

        async def ask() -> Sequence[str]:
            mine = await self._as_person(person, service, place)
            paths = listed_paths(service, await self.remote.repositories(mine))
            return tuple(f"{place.name.host}/{one}" for one in paths)

        return await self._offer((person, name), ask, part)

    async def tags(
        self, person: str, text: str, part: str = ""
    ) -> Offer[Sequence[str]]:
        """Return an image's tags with a part; InvalidInput for what is no image."""
        service, place = registry_of(self.services, text)

        async def ask() -> Sequence[str]:
            mine = await self._as_person(person, service, place)
            return listed_tags(await self.remote.tags(mine))

        name = f"{place.name.host}/{place.name.path}"
        return await self._offer((person, name), ask, part)

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

        found = await self._resolving.asked(person, ask, self.resolve_s)
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
        self,
        key: tuple[str, str],
        ask: Callable[[], Awaitable[Sequence[str]]],
        part: str,
    ) -> Offer[Sequence[str]]:
        """Return what has a part in its name, of a person's view of a list."""
        if (listed := self._kept.get(key, self.wall())) is None:
            try:
                listed = await self._offering.asked(key[0], ask, self.offer_s)
            except (RegistryUnavailable, InvalidInput) as why:
                return Offer((), why)
            self._kept.keep(key, listed, self.wall())
        wanted = part.lower()
        found = [one for one in listed if wanted in one.lower()]
        return Offer(tuple(found[:MOST_OFFERED]), _why_not_all(len(found)))


def _why_not_all(count: int) -> InvalidInput | None:
    if count <= MOST_OFFERED:
        return None
    return InvalidInput(
        "The first {shown} of {count} are shown.",
        "Type a part of the name to see others.",
        shown=MOST_OFFERED,
        count=count,
    )


def _late(seconds: float) -> RegistryUnavailable:
    return RegistryUnavailable(
        "The registry did not answer within {seconds} s.",
        "Try again later, or give the image with its digest (@sha256:…).",
        seconds=f"{seconds:g}",
    )


def _busy(count: int) -> RegistryUnavailable:
    return RegistryUnavailable(
        "{count} questions of yours to registries are under way already.",
        "Wait for their answers.",
        count=count,
    )
