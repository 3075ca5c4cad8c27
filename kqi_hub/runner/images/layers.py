"""Lay the layers of an image over one another, as a person without any rights."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from kqi_hub.oci.errors import BadImage
from kqi_hub.runner.images.tree import Tree, parts_of, remove, shown

MOST_ENTRIES: Final = 5_000_000
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_GONE: Final = ".wh."
_ALL_GONE: Final = ".wh..wh..opq"
# Of other tools' own, and nothing of the image's.
_OF_AUFS: Final = ".wh..wh."


@dataclass
class Unpacked:
    """What was unpacked, and what was left out."""

    entries: int = 0
    devices: int = 0


def lay(file: Path, tree: Tree, so_far: Unpacked) -> None:
    """Unpack one layer over those below it; BadImage where that cannot be done."""
    own: set[str] = set()
    try:
        for member, archive in _members(file):
            so_far.entries += 1
            if so_far.entries > MOST_ENTRIES:
                raise BadImage(f"The image has more than {MOST_ENTRIES} files.")
            _put(member, archive, tree, own, so_far)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadImage(f"A layer of the image cannot be unpacked: {error}") from error
    except (UnicodeError, ValueError, OverflowError) as error:
        raise BadImage(f"A layer of the image has an odd entry: {error}") from error


def _members(file: Path) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    with ExitStack() as stack:
        stream: IO[bytes] = stack.enter_context(file.open("rb"))
        begins = stream.read(4)
        stream.seek(0)
        if begins == _ZSTD:
            raise BadImage(
                "The image is packed with zstd, which cannot be unpacked here: build "
                "it with gzip."
            )
        if begins.startswith(_GZIP):
            unpacked = stack.enter_context(gzip.GzipFile(fileobj=stream))
            stream = cast(IO[bytes], unpacked)
        # As a stream: nothing is sought, and no list of all files is kept.
        archive = stack.enter_context(
            tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape")
        )
        for member in archive:
            yield member, archive
            archive.members = []  # type: ignore[attr-defined]  # it would keep all


def _put(
    member: tarfile.TarInfo,
    archive: tarfile.TarFile,
    tree: Tree,
    own: set[str],
    so_far: Unpacked,
) -> None:
    place = tree.place(member.name)
    if place is None:
        return
    if place.name.startswith(_GONE):
        _forget(place, own)
        return
    _note(place, own)
    if member.isdir():
        tree.folder(place, member.mode)
    elif member.issym():
        tree.symlink(place, member.linkname)
    elif member.islnk():
        tree.hard_link(place, member.linkname)
    elif member.isdev():
        # Devices and pipes: the node's own are shown when it runs.
        so_far.devices += 1
    else:
        tree.file(place, _contents(member, archive), member.mode, member.mtime)


def _contents(member: tarfile.TarInfo, archive: tarfile.TarFile) -> IO[bytes]:
    source = archive.extractfile(member) if member.isreg() else None
    if source is None:
        raise BadImage(f"The image's {shown(member.name)} is of an unknown kind.")
    return source


def _note(place: Path, own: set[str]) -> None:
    """Note that this layer has brought a file, and so the folders that it lies in."""
    for one in (place, *place.parents):
        if str(one) in own:
            return
        own.add(str(one))


def _forget(place: Path, own: set[str]) -> None:
    """Remove what lower layers have; what this one has brought stays."""
    if place.name == _ALL_GONE:
        _empty(place.parent, own)
        return
    name = place.name.removeprefix(_GONE)
    if place.name.startswith(_OF_AUFS) or not parts_of(name):
        return
    _hide(place.with_name(name), own)


def _empty(folder: Path, own: set[str]) -> None:
    for entry in folder.iterdir():
        _hide(entry, own)


def _hide(place: Path, own: set[str]) -> None:
    if str(place) not in own:
        remove(place)
    elif place.is_dir() and not place.is_symlink():
        _empty(place, own)
