"""Container images by their names: what may be typed, and which registry is meant."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol
from urllib.parse import urlsplit

from kqi_hub.domain.credentials import Kind, Secret, Service, Use
from kqi_hub.domain.errors import InvalidInput

LONGEST_IMAGE: Final = 400
USUAL_TAG: Final = "latest"
# Who logs in at NGC by an API key has this name there.
NGC_USER: Final = "$oauthtoken"
_LONGEST_PATH: Final = 255
_HOST: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    r"(?::[1-9][0-9]{0,4})?",
    re.ASCII,
)
_PART: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH: Final = re.compile(rf"{_PART}(?:/{_PART})*", re.ASCII)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
# One registry with several names: how it is called, and how it is asked.
_DOCKER: Final = "docker.io"
_DOCKERS: Final = frozenset(
    {_DOCKER, "index.docker.io", "hub.docker.com", "registry-1.docker.io"}
)
_DOCKER_URL: Final = "https://registry-1.docker.io"
_OF_DOCKER: Final = "library"


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image as people write it: host/path:tag@digest, some of it left out."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """Write it whole, as it is kept with a run."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.host}/{self.path}{tag}{digest}"

    @property
    def wanted(self) -> str:
        """Return what a registry is asked for: the digest where there is one."""
        return self.digest or self.tag or USUAL_TAG


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """Where an image is to be had, and as whom."""

    name: ImageName
    url: str  # scheme, host and port
    secret: Secret | None = field(default=None, repr=False)
    ca_file: str = ""


class ImageRegistries(Protocol):
    """Ask registries; RegistryUnavailable, or InvalidInput for what is not there."""

    async def digest(self, place: ImagePlace) -> str:
        """Return the digest that a name stands for now."""

    async def tags(self, place: ImagePlace) -> Sequence[str]:
        """Return the tags of an image."""

    async def repositories(self, place: ImagePlace) -> Sequence[str]:
        """Return the paths of everything that a registry lists."""


class ImageResolver(Protocol):
    """Find the image that a person means, at the moment of submission (KX-26)."""

    async def resolve(self, person: str, text: str) -> str:
        """Return its whole name with a digest.

        Raises InvalidInput for what is not there and RegistryUnavailable (in
        domain/errors.py) when the registry does not tell in time.
        """


def check_image(text: str) -> None:
    """Refuse what is no name of an image; none is fine. Whose it is, is asked later."""
    if text:
        image_of(text)


def image_of(text: str) -> ImageName:
    """Return what is typed in its parts, the host empty where none is; InvalidInput."""
    if len(text) > LONGEST_IMAGE or not text.isascii() or not text.isprintable():
        raise _no_image(text)
    name, has_digest, digest = text.partition("@")
    first, has_rest, rest = name.partition("/")
    # As Docker has it: a first part is a host if it could not be a folder.
    is_host = bool(has_rest) and (
        "." in first or ":" in first or first == "localhost" or first != first.lower()
    )
    host, path = (first.lower(), rest) if is_host else ("", name)
    path, has_tag, tag = path.partition(":")
    fits = (
        (not is_host or _HOST.fullmatch(host))
        and _is_path(path)
        and (not has_tag or _TAG.fullmatch(tag))
        and (not has_digest or _DIGEST.fullmatch(digest))
    )
    if not fits:
        raise _no_image(text)
    return ImageName(host, path, tag, digest)


def registry_of(services: Sequence[Service], text: str) -> tuple[Service, ImagePlace]:
    """Return the registry that an image is of, and where it is to be had there.

    Without a host it is of the site's first registry. InvalidInput for other hosts:
    the site decides whose software runs on its nodes.
    """
    known = [one for one in services if one.use is Use.REGISTRY]
    name = image_of(text)
    if not known:
        raise InvalidInput(
            "image: this site has no registry of container images.",
            "Choose a conda environment, or ask an operator for a registry.",
        )
    host = _DOCKER if name.host in _DOCKERS else name.host
    for service in known:
        if host in ("", _host(service)):
            return service, _placed(service, name)
    raise InvalidInput(
        "image: {host} is no registry of this site.",
        "Possible: {registries}.",
        host=name.host,
        registries=", ".join(_host(one) for one in known),
    )


def place_of(service: Service, path: str = "") -> ImagePlace:
    """Return where a registry is asked for its lists."""
    url = urlsplit(service.url)
    is_docker = _host(service) == _DOCKER
    return ImagePlace(
        ImageName(_host(service), path),
        _DOCKER_URL if is_docker else f"{url.scheme}://{url.netloc}",
    )


def secret_of(service: Service, found: Secret | None) -> Secret | None:
    """Return what a registry wants to see of what a person has stored for it."""
    if found is not None and service.kind is Kind.NGC:
        return Secret(NGC_USER, found.value)
    return found


def prefix_of(service: Service) -> str:
    """Return what the names of a registry's images begin with, up to a slash."""
    return f"{_host(service)}/{_below(service)}".rstrip("/")


def listed_paths(service: Service, listed: Sequence[str]) -> tuple[str, ...]:
    """Return what this site may use of all that a registry lists, if it has a name."""
    top = f"{_below(service)}/".lstrip("/")
    return tuple(one for one in listed if one.startswith(top) and _is_path(one))


def listed_tags(listed: Sequence[str]) -> tuple[str, ...]:
    """Return those tags that are some, whatever a registry sends."""
    return tuple(one for one in listed if _TAG.fullmatch(one))


def _below(service: Service) -> str:
    """Return the folder of a registry that its images are in; mostly none."""
    if _host(service) == _DOCKER:
        return ""
    return urlsplit(service.url).path.strip("/")


def _is_path(text: str) -> bool:
    return len(text) <= _LONGEST_PATH and _PATH.fullmatch(text) is not None


def _placed(service: Service, name: ImageName) -> ImagePlace:
    top, path = _below(service), name.path
    if not name.host and top:
        path = f"{top}/{path}"
    if top and not path.startswith(f"{top}/"):
        raise InvalidInput(
            "image: of {host}, this site uses the images of {folder} only.",
            "Choose one of them.",
            host=_host(service),
            folder=top,
        )
    if _host(service) == _DOCKER and "/" not in path:
        path = f"{_OF_DOCKER}/{path}"
    tag = name.tag if name.tag or name.digest else USUAL_TAG
    place = place_of(service)
    return replace(place, name=ImageName(_host(service), path, tag, name.digest))


def _host(service: Service) -> str:
    host = urlsplit(service.url).netloc.lower()
    return _DOCKER if host in _DOCKERS else host


def _no_image(text: str) -> InvalidInput:
    return InvalidInput(
        "image: {text} cannot be the name of a container image.",
        "It looks like registry.example.org/group/name:tag, in lower case but for "
        "the tag.",
        text=ascii(text[:64]),
    )
