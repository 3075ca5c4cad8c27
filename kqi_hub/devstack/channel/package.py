"""A conda package: what is in it, and how it is written to a channel."""

import hashlib
import io
import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conda_package_streaming.create import (  # type: ignore[import-untyped]  # carries no types
    conda_builder,
)

# What an installer replaces by the prefix of the environment. A binary file can only
# take a prefix that is not longer: 255 characters, as conda-build reserves.
PLACEHOLDER: Final = ("/opt/conda-placehold" + "_placehold" * 24)[:255]
# Packed quickly rather than small: these packages never leave the machine.
_LEVEL: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a package, or one symbolic link if `link_to` is given."""

    path: str
    data: bytes = b""
    executable: bool = False
    link_to: str | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A package before it is written."""

    name: str
    version: str
    build: str
    depends: tuple[str, ...]
    entries: tuple[Entry, ...]
    noarch: bool
    entry_points: tuple[str, ...]
    summary: str
    made_at: int

    @property
    def subdir(self) -> str:
        """Return the folder of the channel that it belongs to."""
        return "noarch" if self.noarch else "linux-64"

    @property
    def stem(self) -> str:
        """Return the name of its file, without the suffix."""
        return f"{self.name}-{self.version}-{self.build}"


def write_package(package: Package, channel: Path) -> Path:
    """Write a package into its folder of the channel, whole or not at all."""
    folder = channel / package.subdir
    unfinished = folder / f".unfinished-{os.getpid()}"
    unfinished.mkdir(parents=True, exist_ok=True)
    made = unfinished / f"{package.stem}.conda"
    made.unlink(missing_ok=True)
    with conda_builder(package.stem, unfinished, compression_level=_LEVEL) as archive:
        for entry in package.entries:
            _add(archive, entry, package.made_at)
        for name, text in _info(package).items():
            _add(archive, Entry(f"info/{name}", text.encode()), package.made_at)
    final = made.replace(folder / made.name)
    unfinished.rmdir()
    return final


def _add(archive: tarfile.TarFile, entry: Entry, made_at: int) -> None:
    member = tarfile.TarInfo(entry.path)
    member.mtime = made_at
    member.mode = 0o755 if entry.executable else 0o644
    if entry.link_to is not None:
        member.type = tarfile.SYMTYPE
        member.linkname = entry.link_to
        member.mode = 0o777
        archive.addfile(member)
        return
    member.size = len(entry.data)
    archive.addfile(member, io.BytesIO(entry.data))


def _info(package: Package) -> dict[str, str]:
    """Return the files of info/ by name."""
    paths = [_path_entry(entry) for entry in package.entries]
    texts = {
        "index.json": json.dumps(_index(package), indent=1),
        "paths.json": json.dumps({"paths": paths, "paths_version": 1}, indent=1),
        "about.json": json.dumps({"summary": package.summary}, indent=1),
        "files": "".join(f"{entry.path}\n" for entry in package.entries),
    }
    if package.noarch:
        points = {"type": "python", "entry_points": list(package.entry_points)}
        link = {"noarch": points, "package_metadata_version": 1}
        texts["link.json"] = json.dumps(link, indent=1)
    return texts


def _path_entry(entry: Entry) -> dict[str, Any]:
    known: dict[str, Any] = {
        "_path": entry.path,
        "path_type": "hardlink" if entry.link_to is None else "softlink",
        "sha256": hashlib.sha256(entry.data).hexdigest(),
        "size_in_bytes": len(entry.data),
    }
    if PLACEHOLDER.encode() in entry.data:
        known["prefix_placeholder"] = PLACEHOLDER
        known["file_mode"] = "binary" if b"\0" in entry.data else "text"
    return known


def _index(package: Package) -> dict[str, Any]:
    index: dict[str, Any] = {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": 0,
        "depends": list(package.depends),
        "constrains": [],
        "subdir": package.subdir,
        "arch": None if package.noarch else "x86_64",
        "platform": None if package.noarch else "linux",
        "timestamp": package.made_at * 1000,
    }
    return index | ({"noarch": "python"} if package.noarch else {})
