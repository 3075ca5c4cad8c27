"""What this machine says of its files, disks and namespaces, for the doctor."""

import grp
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from kqi_hub.domain.health import MISSING, FileFacts, Process, Sandbox, Space

NOBODY: Final = 65534
SANDBOX_LIMIT_S: Final = 5.0
SWITCHES: Final = (
    "user.max_user_namespaces",
    "kernel.unprivileged_userns_clone",
    "kernel.apparmor_restrict_unprivileged_userns",
)
_KINDS: Final = (
    (stat.S_ISLNK, "symlink"),
    (stat.S_ISDIR, "folder"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISREG, "file"),
)
_MOUNTS: Final = Path("/proc/self/mountinfo")
# A blank in a mount point is written \\040.
_ESCAPED: Final = re.compile(rb"\\([0-7]{3})")
_TRY: Final = ("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true")


class Machine:
    """A MachineProbe of this machine; every call may block."""

    def __init__(self, state_dir: str) -> None:
        self._state_dir = state_dir

    def facts(self, path: str) -> FileFacts:
        """Return facts of one path without following a symlink."""
        try:
            return _facts(path, os.lstat(path))
        except (FileNotFoundError, NotADirectoryError):
            return FileFacts(path, MISSING, 0, -1, "nobody", "nobody")

    def children(self, path: str, limit: int) -> tuple[FileFacts, ...]:
        """Return facts of a folder's entries, the first `limit` of them."""
        with os.scandir(path) as entries:
            found = [(entry.path, entry) for entry in islice(entries, limit)]
        return tuple(
            _facts(name, entry.stat(follow_symlinks=False)) for name, entry in found
        )

    def space(self, path: str) -> Space:
        """Return the room where the path, or the nearest folder above it, is."""
        there = next(one for one in (Path(path), *Path(path).parents) if one.exists())
        room = os.statvfs(there)
        mount_point, fs_type = _mount_of(os.path.realpath(there))
        return Space(
            path=path,
            free_bytes=room.f_bavail * room.f_frsize,
            total_bytes=room.f_blocks * room.f_frsize,
            free_inodes=room.f_favail,
            total_inodes=room.f_files,
            fs_type=fs_type,
            is_mount_point=mount_point == os.path.realpath(path),
        )

    def process(self) -> Process:
        """Return who runs this, and who owns the portal's folder."""
        try:
            service_uid = os.lstat(self._state_dir).st_uid
        except OSError:
            service_uid = None
        return Process(os.geteuid(), _user(os.geteuid()), service_uid)

    def sandbox(self) -> Sandbox:
        """Try a private namespace here, as a plain user also when root asks."""
        sysctls = {name: value for name in SWITCHES if (value := _sysctl(name))}
        bwrap = shutil.which("bwrap") or ""
        if not bwrap:
            return Sandbox("", False, "", sysctls)
        try:
            done = subprocess.run(
                (bwrap, *_TRY),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SANDBOX_LIMIT_S,
                check=False,
                cwd="/",
                **_plain_user(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Sandbox(bwrap, False, str(error), sysctls)
        said = done.stderr.decode(errors="replace").strip()[:200]
        return Sandbox(bwrap, done.returncode == 0, said, sysctls)


def _facts(path: str, seen: os.stat_result) -> FileFacts:
    kind = next((name for is_it, name in _KINDS if is_it(seen.st_mode)), "device")
    mode = stat.S_IMODE(seen.st_mode)
    owner, group = _user(seen.st_uid), _group(seen.st_gid)
    return FileFacts(path, kind, mode, seen.st_uid, owner, group)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return f"gid {gid}"


def _plain_user() -> Mapping[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", *name.split(".")).read_text().strip()
    except OSError:
        return ""


def _mount_of(path: str) -> tuple[str, str]:
    """Return mount point and type of the file system that holds a real path."""
    best = ("/", "unknown")
    for line in _MOUNTS.read_bytes().splitlines():
        before, _, after = line.partition(b" - ")
        point = os.fsdecode(_ESCAPED.sub(_unescape, before.split(b" ")[4]))
        inside = point == "/" or path == point or path.startswith(f"{point}/")
        # Of two mounts on one point the later one hides the earlier.
        if inside and len(point) >= len(best[0]):
            best = (point, os.fsdecode(after.split(b" ")[0]))
    return best


def _unescape(found: re.Match[bytes]) -> bytes:
    return bytes([int(found.group(1), 8)])
