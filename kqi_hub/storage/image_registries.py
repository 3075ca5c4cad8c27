"""Ask registries of images in threads of their own, and say what is wrong in words."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from kqi_hub.domain.errors import InvalidInput, RegistryUnavailable
from kqi_hub.domain.images import ImagePlace
from kqi_hub.oci.errors import BadImage, Denied, Missing, RegistryError
from kqi_hub.oci.http import Access
from kqi_hub.oci.registry import Registry

DEFAULT_TIMEOUT_S: Final = 5.0
# Threads of its own: registries that hang must not hold those that draw pages.
_THREADS: Final = 4
T = TypeVar("T")


class HttpRegistries:
    """The ImageRegistries of a process, over HTTP."""

    def __init__(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(_THREADS, "image-registries")

    async def digest(self, place: ImagePlace) -> str:
        """Return the digest that a name stands for now."""
        name = place.name
        return await self._asked(place, lambda it: it.digest(name.path, name.wanted))

    async def tags(self, place: ImagePlace) -> Sequence[str]:
        """Return the tags of an image."""
        return await self._asked(place, lambda it: it.tags(place.name.path))

    async def repositories(self, place: ImagePlace) -> Sequence[str]:
        """Return the paths of everything that a registry lists."""

        def ask(registry: Registry) -> Sequence[str]:
            try:
                return registry.repositories()
            except (Denied, Missing) as error:
                # With or without a password: most of the great ones list nothing.
                raise RegistryUnavailable(
                    "{host} does not list its images to you.",
                    "Type the name of one, such as {host}/group/name:tag.",
                    host=place.name.host,
                ) from error

        return await self._asked(place, ask)

    async def _asked(self, place: ImagePlace, ask: Callable[[Registry], T]) -> T:
        secret = place.secret
        access = Access(
            place.url,
            secret.user_name if secret else "",
            secret.value if secret else "",
            place.ca_file,
            self._timeout_s,
        )
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self._threads, lambda: ask(Registry(access))
            )
        except Missing as error:
            raise InvalidInput(
                "image: {host} has no image {name}, or does not show it to you.",
                "Look at its name and tag; for a private one, store a password under "
                "Your account, Registries.",
                host=access.host,
                name=str(place.name),
            ) from error
        except BadImage as error:
            raise InvalidInput(
                "image: {name} cannot be run: {why}",
                "Choose another tag.",
                name=str(place.name),
                why=str(error),
            ) from error
        except RegistryError as error:
            raise RegistryUnavailable(
                "{why}",
                "Try again later, or give the image with its digest (@sha256:…).",
                why=str(error),
            ) from error
