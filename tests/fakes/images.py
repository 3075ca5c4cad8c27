"""Registries that are asked by nobody's network: what they have is set by the test."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kqi_hub.domain.credentials import Kind, Service, Use
from kqi_hub.domain.errors import InvalidInput, KqiError
from kqi_hub.domain.images import ImagePlace, registry_of

DIGEST = f"sha256:{'a1' * 32}"
SITE = Service("site", Use.REGISTRY, Kind.PRIVATE, "https://images.example.org")
REGISTRIES = (
    SITE,
    Service("ngc", Use.REGISTRY, Kind.NGC, "https://nvcr.io"),
    Service("hub", Use.REGISTRY, Kind.DOCKERHUB, "https://docker.io"),
    Service("lab", Use.REGISTRY, Kind.GITLAB, "https://lab.example.org/vision"),
)


@dataclass
class FakeImages:
    """An ImageResolver for which every image of the site's registries is there."""

    refusal: KqiError | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def resolve(self, person: str, text: str) -> str:
        """Return the whole name of an image."""
        self.asked.append((person, text))
        if self.refusal is not None:
            raise self.refusal
        _, place = registry_of(REGISTRIES, text)
        digest = place.name.digest or DIGEST
        return str(replace(place.name, digest=digest))


@dataclass
class FakeRegistries:
    """ImageRegistries with a few images; `hangs` until nobody waits any more."""

    images: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"team/tool": {"1.0": DIGEST, "latest": DIGEST}}
    )
    refusal: KqiError | None = None
    hangs: bool = False
    asked: list[ImagePlace] = field(default_factory=list)

    async def digest(self, place: ImagePlace) -> str:
        """Return the digest of a tag."""
        found = (await self._of(place)).get(place.name.wanted)
        if found is None:
            raise InvalidInput("image: there is none.", "Choose another one.")
        return found

    async def tags(self, place: ImagePlace) -> Sequence[str]:
        """Return the tags."""
        return sorted(await self._of(place))

    async def repositories(self, place: ImagePlace) -> Sequence[str]:
        """Return the paths."""
        await self._of(place)
        return sorted(self.images)

    async def _of(self, place: ImagePlace) -> dict[str, str]:
        self.asked.append(place)
        if self.hangs:
            await asyncio.Event().wait()
        if self.refusal is not None:
            raise self.refusal
        return self.images.get(place.name.path, {})
