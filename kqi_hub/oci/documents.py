"""The documents that describe an image: index, manifest, configuration."""

import hashlib
import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kqi_hub.oci.errors import BadImage

DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
MOST_LAYERS: Final = 500
_INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPTED: Final = ", ".join((*_INDEXES, *_MANIFESTS))
# What the kernel calls a machine, and what images do.
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le"}


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of an image, by its digest."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """Of what an image is made: its configuration, and its layers from the lowest."""

    config: Blob
    layers: tuple[Blob, ...]

    @property
    def size(self) -> int:
        """Return how many bytes are to be fetched."""
        return sum(one.size for one in self.layers)


def architecture() -> str:
    """Return what images call this machine."""
    machine = platform.machine()
    return _MACHINES.get(machine, machine)


def checked(raw: bytes, digest: str) -> bytes:
    """Return what has this digest; BadImage if it has another."""
    found = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    if found != digest:
        raise BadImage(f"The registry gave {found} where {digest} was asked for.")
    return raw


def is_index(raw: bytes) -> bool:
    """Tell whether a document lists an image for several machines."""
    told = _document(raw)
    return told.get("mediaType") in _INDEXES or "manifests" in told


def manifest_for(raw: bytes, machine: str) -> str:
    """Return the digest of the manifest that an index has for a machine."""
    listed = _document(raw).get("manifests")
    some = [one for one in listed if isinstance(one, dict)] if listed else []
    for one in some:
        place = one.get("platform")
        if not isinstance(place, dict):
            continue
        if (place.get("os"), place.get("architecture")) == ("linux", machine):
            return _digest(one)
    raise BadImage(f"The image is not made for Linux on {machine}.")


def manifest_of(raw: bytes) -> Manifest:
    """Return what a manifest says; BadImage if it is none that can be run."""
    told = _document(raw)
    layers = told.get("layers")
    if told.get("schemaVersion") != 2 or not isinstance(layers, list):
        raise BadImage("The image is of a kind that cannot be run: build it anew.")
    if len(layers) > MOST_LAYERS:
        raise BadImage(f"The image has more than {MOST_LAYERS} layers.")
    return Manifest(_blob(told.get("config")), tuple(_blob(one) for one in layers))


def variables_of(raw: bytes) -> dict[str, str]:
    """Return the environment variables that an image's configuration sets."""
    config = _document(raw).get("config")
    lines = config.get("Env") if isinstance(config, dict) else None
    found = {}
    for line in lines if isinstance(lines, list) else ():
        name, is_set, value = str(line).partition("=")
        if name and is_set and "\0" not in line:
            found[name] = value
    return found


def _document(raw: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(raw)
    except ValueError as error:
        raise BadImage("The image's description cannot be read.") from error
    if not isinstance(told, dict):
        raise BadImage("The image's description cannot be read.")
    return told


def _blob(told: object) -> Blob:
    size = told.get("size") if isinstance(told, dict) else None
    if not isinstance(told, dict) or type(size) is not int or size < 0:
        raise BadImage("The image's description names a file without its size.")
    return Blob(_digest(told), size)


def _digest(told: Mapping[str, Any]) -> str:
    found = told.get("digest")
    if not isinstance(found, str) or DIGEST.fullmatch(found) is None:
        raise BadImage("The image's description names a file by no SHA-256.")
    return found
