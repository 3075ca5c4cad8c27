"""What can be picked of registries of container images: images and their tags."""

from dataclasses import dataclass
from urllib.parse import urlencode

from kqi_hub.sdk.calls import Calls
from kqi_hub.sdk.models import Answer


@dataclass(frozen=True, slots=True)
class ImageRegistry(Answer):
    """A registry of the site, and whether one has stored a password for it."""

    name: str
    kind: str
    url: str
    prefix: str
    is_stored: bool


class ImageCalls(Calls):
    """The part of `Client` about registries of container images."""

    def image_registries(self) -> tuple[ImageRegistry, ...]:
        """Return the site's registries, the usual one first."""
        said = self._api("GET", "images/registries")["registries"]
        return tuple(ImageRegistry.read(one) for one in said)

    def image_repositories(
        self, registry: str, text: str = ""
    ) -> tuple[tuple[str, ...], str]:
        """Return images that a registry lists to one, and why not more."""
        query = urlencode({"registry": registry, "q": text})
        said = self._api("GET", f"images/repositories?{query}")
        return tuple(said["repositories"]), said["why"]

    def image_tags(self, image: str, text: str = "") -> tuple[tuple[str, ...], str]:
        """Return tags of an image, and why not more."""
        query = urlencode({"image": image, "q": text})
        said = self._api("GET", f"images/tags?{query}")
        return tuple(said["tags"]), said["why"]

    def image_digest(self, image: str) -> str:
        """Return the whole name, with digest, that a job submitted now would get."""
        return str(self._api("POST", "images/digest", {"image": image})["image"])
