"""How much room there is on scratch, and how much an environment needs."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.errors import Refused
from conda_bootstrap.packages import Package
from conda_bootstrap.places import Places
from conda_bootstrap.reporting import size
from conda_bootstrap.site_bases import Base

_QUOTA_TIMEOUT_S: Final = 5.0
# Measured on 120 packages of a notebook: an archive grows so much when it is unpacked,
# and so many bytes of an archive are one file.
_GROWTH: Final = 4.0
_BYTES_A_FILE: Final = 5000
# What an environment whose files are linked from the cache takes for itself.
_OWN_BYTES: Final = 0.05
_OWN_FILES: Final = 0.13
_MARGIN_BYTES: Final = 16 << 20
_MARGIN_FILES: Final = 200


@dataclass(frozen=True, slots=True)
class Need:
    """Room that an operation takes at most."""

    count_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Limit:
    """A quota: what is used of it and where it ends; None where there is no end."""

    used_bytes: int
    limit_bytes: int | None
    used_files: int
    limit_files: int | None


def room(places: Places) -> dict[str, Any]:
    """Return what is free for the person on scratch; None where nobody tells."""
    facts = os.statvfs(places.scratch)
    free_files: int | None = facts.f_favail
    if facts.f_files == 0:  # file systems without a fixed number of inodes
        free_files = None
    free_bytes = facts.f_bavail * facts.f_frsize
    limit = quota(places.scratch)
    if limit and limit.limit_bytes is not None:
        free_bytes = min(free_bytes, max(0, limit.limit_bytes - limit.used_bytes))
    if limit and limit.limit_files is not None:
        left = max(0, limit.limit_files - limit.used_files)
        free_files = left if free_files is None else min(free_files, left)
    return {
        "free_bytes": free_bytes,
        "free_files": free_files,
        "total_bytes": facts.f_blocks * facts.f_frsize,
        "quota": None
        if limit is None
        else {
            "used_bytes": limit.used_bytes,
            "limit_bytes": limit.limit_bytes,
            "used_files": limit.used_files,
            "limit_files": limit.limit_files,
        },
    }


def need(packages: tuple[Package, ...], base: Base | None, places: Places) -> Need:
    """Return what packages need: those in the cache already are linked."""
    missing = [one for one in packages if not _is_cached(one, places)]
    fetched = sum(one.size for one in packages) or 1
    share = sum(one.size for one in missing) / fetched if missing else 0.0
    if missing and fetched == 1:
        share = len(missing) / len(packages)
    whole_bytes = base.number("installed_bytes") if base else 0
    whole_files = base.number("installed_files") if base else 0
    whole_bytes = whole_bytes or int(fetched * _GROWTH)
    whole_files = whole_files or fetched // _BYTES_A_FILE + 60 * len(packages)
    linked = _may_link(places)
    own_bytes, own_files = (_OWN_BYTES, _OWN_FILES) if linked else (1.0, 1.15)
    return Need(
        int(whole_bytes * (share + own_bytes)) + _MARGIN_BYTES,
        int(whole_files * (share * 1.15 + own_files)) + _MARGIN_FILES,
    )


def check_little_room(places: Places) -> None:
    """Refuse where not even notes could be written."""
    check_room(Need(1 << 20, 20), places)


def check_room(wanted: Need, places: Places) -> str:
    """Return in words that there is room, or refuse."""
    there = room(places)
    free_bytes, free_files = there["free_bytes"], there["free_files"]
    where = "in your quota" if there["quota"] else f"on {places.scratch}"
    if free_bytes < wanted.count_bytes:
        raise Refused(
            "no_room",
            f"This needs up to {size(wanted.count_bytes)}; "
            f"{size(free_bytes)} are free {where}. Nothing was touched.",
            f"Remove what you no longer need: {hint_for_room(places)}",
        )
    if free_files is not None and free_files < wanted.files:
        raise Refused(
            "no_files",
            f"This needs up to {wanted.files:,} files; {free_files:,} more are "
            f"allowed {where}. Nothing was touched.",
            f"Remove folders with many small files: {hint_for_room(places)}",
        )
    files = "" if free_files is None else f" and {free_files:,} files"
    return (
        f"Needs up to {size(wanted.count_bytes)} and {wanted.files:,} files; "
        f"free {where}: {size(free_bytes)}{files}"
    )


def hint_for_room(places: Places) -> str:
    """Say what usually frees room."""
    return (
        "an environment (delete NAME), old notebooks' logs, or the package cache "
        f"{places.pkgs}, which is filled again when it is needed."
    )


def quota(place: Path) -> Limit | None:
    """Return the person's quota on a file system as `quota` tells it."""
    program = shutil.which("quota", path="/usr/bin:/usr/sbin:/bin:/usr/local/bin")
    if program is None:
        return None
    argv = [program, "-v", "-w", "-p", "-m", "-f", str(_mount_of(place))]
    try:
        # quota answers 1 when somebody is over the limit: the figures count.
        answer = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_QUOTA_TIMEOUT_S,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_quota(answer.stdout)


def parse_quota(text: str) -> Limit | None:
    """Read the line of figures that `quota -w -p` prints for one file system.

    Its columns: blocks of 1024 bytes, soft, hard, grace; files, soft, hard, grace.
    """
    for line in text.splitlines():
        words = [word.rstrip("*") for word in line.split()[1:]]
        if len(words) == 8 and all(word.isdecimal() for word in words):
            figures = [int(word) for word in words]
            return Limit(
                used_bytes=figures[0] * 1024,
                limit_bytes=_end(figures[1] * 1024, figures[2] * 1024),
                used_files=figures[4],
                limit_files=_end(figures[5], figures[6]),
            )
    return None


def _end(soft: int, hard: int) -> int | None:
    """Return where it ends: the hard limit, or the soft one; 0 means none."""
    return hard or soft or None


def _mount_of(place: Path) -> Path:
    place = place.resolve()
    while not place.is_mount():
        place = place.parent
    return place


def _is_cached(package: Package, places: Places) -> bool:
    return (places.pkgs / package.file_stem / "info" / "index.json").is_file()


def _may_link(places: Places) -> bool:
    try:
        return places.pkgs.stat().st_dev == places.own.stat().st_dev
    except OSError:
        return True
