"""Tiny wheels and a tiny channel, made by the code that makes the demo's."""

import asyncio
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from conda_package_streaming.package_streaming import (  # type: ignore[import-untyped]  # carries no types
    stream_conda_component,
)
from rattler.index import index_fs

from kqi_hub.devstack.channel.package import PLACEHOLDER, Entry, Package, write_package


def make_wheel(
    folder: Path,
    name: str,
    files: Mapping[str, str],
    *,
    requires: tuple[str, ...] = (),
    tag: str = "py3-none-any",
    points: str = "",
) -> Path:
    """Write a wheel of version 1.0 and return its path."""
    dist_info = f"{name}-1.0.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    metadata += ["Requires-Python: >=3.9", "Summary: tiny"]
    metadata += [f"Requires-Dist: {one}" for one in requires]
    texts = {**files, f"{dist_info}/METADATA": "\n".join(metadata) + "\n\nbody\n"}
    texts[f"{dist_info}/WHEEL"] = "Wheel-Version: 1.0\n"
    texts[f"{dist_info}/RECORD"] = "of the wheel, not of the package\n"
    if points:
        texts[f"{dist_info}/entry_points.txt"] = points
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in texts.items():
            archive.writestr(member, text)
    return path


def tiny_package(
    name: str, version: str = "1.0", *, depends: tuple[str, ...] = (), text: str = "x"
) -> Package:
    """Return a package with a text and a binary file that hold the prefix."""
    entries = (
        Entry(f"share/{name}/text", f"{PLACEHOLDER}/{text}\n".encode()),
        Entry(f"share/{name}/binary", b"\0" + PLACEHOLDER.encode() + b"/lib\0end"),
        Entry(f"bin/{name}", b"#!/bin/sh\n", executable=True),
        Entry(f"bin/{name}-link", link_to=name),
    )
    return Package(
        name=name,
        version=version,
        build="0",
        depends=depends,
        entries=entries,
        noarch=False,
        entry_points=(),
        summary="tiny",
        made_at=1_700_000_000,
    )


def write_old_format(package: Package, channel: Path) -> None:
    """Write a package as .tar.bz2, as channels still have many."""
    made = write_package(package, channel)
    target = made.with_name(f"{package.stem}.tar.bz2")
    with tarfile.open(target, "w:bz2") as archive:
        for component in ("pkg", "info"):
            for source, member in stream_conda_component(made, component=component):
                content = source.extractfile(member) if member.isreg() else None
                archive.addfile(member, content)
    made.unlink()


def make_channel(folder: Path, *packages: Package) -> str:
    """Write packages into a channel, index it and return its address."""
    for subdir in ("noarch", "linux-64"):
        (folder / subdir).mkdir(parents=True, exist_ok=True)
    for package in packages:
        (folder / package.subdir / f"{package.stem}.conda").unlink(missing_ok=True)
        write_package(package, folder)
    asyncio.run(index_fs(folder, write_zst=False, write_shards=False, force=True))
    return folder.as_uri()
