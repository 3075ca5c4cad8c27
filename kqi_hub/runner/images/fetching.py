"""Bring an image that a run wants: from the cache, or from its registry."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kqi_hub.oci.documents import Blob, Manifest, architecture, variables_of
from kqi_hub.oci.errors import RegistryError, Unreachable
from kqi_hub.oci.http import Access
from kqi_hub.oci.registry import Registry
from kqi_hub.runner.images.cache import ROOT, Cache, KeptImage, Say
from kqi_hub.runner.images.layers import Unpacked, lay
from kqi_hub.runner.images.tree import Tree

_TRIES: Final = 3
_PAUSE_S: Final = 5.0
_MB: Final = 1024 * 1024
# What is mounted over has to be there, for nothing can be made in what is read-only.
_FOLDERS: Final = ("tmp", "var/tmp", "etc")
_FILES: Final = ("etc/passwd", "etc/group", "etc/resolv.conf", "etc/hosts")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image by its digest, and where it is to be had."""

    name: str  # for people
    digest: str
    repository: str
    access: Access = field(repr=False)


class NoImage(Exception):
    """The image could not be brought; the message is for people."""


def bring_image(
    wanted: Wanted, cache: Cache, say: Say, begins: Callable[[], None], told: Progress
) -> KeptImage:
    """Return the unpacked image; NoImage when it cannot be had.

    `begins` is called before it is fetched, `told` with the bytes that are there.
    """
    name = f"{wanted.digest.replace(':', '-')}-{architecture()}"
    try:
        if (kept := cache.one(name)) is not None:
            return kept
        begins()
        with cache.alone(name, say):
            # Whoever was waited for has brought it, perhaps.
            return cache.one(name) or _fetched(wanted, cache, name, say, told)
    except RegistryError as error:
        raise NoImage(str(error).rstrip(".")) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise NoImage(f"it cannot be kept in {cache.top}: {why}") from error


def _fetched(
    wanted: Wanted, cache: Cache, name: str, say: Say, told: Progress
) -> KeptImage:
    begun, registry = time.monotonic(), Registry(wanted.access)
    manifest = registry.manifest(wanted.repository, wanted.digest)
    say(
        f"The image {wanted.name} is new here: fetching {len(manifest.layers)} layers, "
        f"{manifest.size / _MB:.0f} MB. Later runs begin at once."
    )
    with cache.new() as folder:
        unpacked = _unpacked(wanted, registry, manifest, folder, told)
        about = _about(wanted, registry, manifest)
        cache.publish(folder, name, about)
    kept = cache.one(name)
    if kept is None:
        raise NoImage(f"it is gone from {cache.top} again")
    left_out = f", devices left out: {unpacked.devices}" if unpacked.devices else ""
    took = time.monotonic() - begun
    say(f"Fetched in {took:.1f} s: files: {unpacked.entries:,}{left_out}.")
    return kept


def _unpacked(
    wanted: Wanted, registry: Registry, manifest: Manifest, folder: Path, told: Progress
) -> Unpacked:
    tree, so_far, done = Tree(folder / ROOT), Unpacked(), 0
    for layer in manifest.layers:
        file = folder / "layer"
        for size in _downloaded(registry, wanted.repository, layer, file):
            told(done + size, manifest.size)
        # Only what has been compared with its digest as a whole is looked into.
        lay(file, tree, so_far)
        file.unlink()
        done += layer.size
    _ready_for_mounts(tree)
    return so_far


def _downloaded(
    registry: Registry, repository: str, layer: Blob, file: Path
) -> Iterator[int]:
    """Fetch a layer, yielding how many bytes are there.

    A connection that breaks off is no reason to give up.
    """
    for left in reversed(range(_TRIES)):
        try:
            with file.open("wb") as stream:
                for piece in registry.pieces(repository, layer):
                    stream.write(piece)
                    yield stream.tell()
        except Unreachable:
            if not left:
                raise
        else:
            return
        time.sleep(_PAUSE_S)


def _about(wanted: Wanted, registry: Registry, manifest: Manifest) -> dict[str, Any]:
    raw = registry.small(wanted.repository, manifest.config)
    return {
        "name": wanted.name,
        "digest": wanted.digest,
        "variables": variables_of(raw),
        "bytes": manifest.size,
        "fetched_at": time.time(),
    }


def _ready_for_mounts(tree: Tree) -> None:
    """Make what the node's own folders and files are shown in place of."""
    for name in _FOLDERS:
        place = tree.place(name)
        if place is not None:
            tree.folder(place, 0o755)
    for name in _FILES:
        place = tree.place(name)
        if place is not None and (place.is_symlink() or not place.is_file()):
            # A link, such as to /run/systemd/resolve, would be mounted elsewhere.
            content = _linked(tree, name)
            tree.symlink(place, "/dev/null")
            place.unlink()
            place.write_bytes(content)


def _linked(tree: Tree, name: str) -> bytes:
    found = tree.found(name)
    return found.read_bytes() if found.is_file() and not found.is_symlink() else b""
