"""What must be true of scratch, of the portal's own folder, and of their disks."""

import stat
from collections.abc import Sequence
from typing import Final

from kqi_hub.domain.health import FileFacts, Process, Space
from kqi_hub.services.checks.finding import Finding, fail, ok, warn

SCRATCH: Final = "scratch root"
FOLDERS: Final = "scratch folders"
STATE: Final = "state folder"

GIB: Final = 1024**3
LEAST_STATE_BYTES: Final = GIB
# What is left is of no use: SQLite's smallest steps take as much.
FULL_BYTES: Final = 64 * 1024
LEAST_SHARE: Final = 0.05
SHOWN: Final = 5
# SQLite's write-ahead log needs memory shared between processes of one machine.
NETWORK_FS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "fuse.sshfs"}
)


def judge_scratch_root(facts: FileFacts, space: Space) -> Finding:
    """See that only root can make or swap people's folders, on a disk of its own."""
    path = facts.path
    if facts.kind != "folder":
        todo = f"Mount the cluster's work file system at {path}."
        return fail(SCRATCH, f"{path} {facts.is_what}", todo)
    if facts.uid != 0:
        seen = f"{path} belongs to {facts.owner}, who could swap people's folders"
        return fail(SCRATCH, seen, f"Run: chown root:root {path}")
    if facts.mode & (stat.S_IWGRP | stat.S_IWOTH) and not facts.mode & stat.S_ISVTX:
        seen = f"{path} has mode {facts.mode:04o}: others could swap people's folders"
        return fail(SCRATCH, seen, f"Run: chmod 0755 {path}")
    if not facts.mode & stat.S_IXOTH:
        seen = f"{path} has mode {facts.mode:04o}: people cannot enter it"
        return fail(SCRATCH, seen, f"Run: chmod 0755 {path}")
    if not space.is_mount_point:
        todo = f"Mount it; else make sure that the nodes see the same {path}."
        return warn(SCRATCH, f"{path} is not a mount of its own", todo)
    return ok(SCRATCH, f"{path}: root's, mode {facts.mode:04o}, {space.fs_type}")


def judge_scratch_folders(folders: Sequence[FileFacts], limit: int) -> Finding:
    """See that each person's folder is theirs and closed to writing by others."""
    wrong = [text for facts in folders if (text := _wrong_with(facts))]
    some = " (the first of them)" if len(folders) >= limit else ""
    if not wrong:
        return ok(FOLDERS, f"{len(folders)}{some}, each writable by its owner only")
    shown = "; ".join(wrong[:SHOWN]) + ("; …" if len(wrong) > SHOWN else "")
    todo = "Give each to its person with mode 0700 (chown NAME, chmod 0700)."
    return fail(FOLDERS, f"{len(wrong)} of {len(folders)}: {shown}", todo)


def judge_own_folder(person: str, facts: FileFacts) -> Finding:
    """Judge one person's scratch folder after the door has made it."""
    name = f"scratch of {person}"
    if text := _wrong_with(facts):
        todo = f"Run: chown {person} {facts.path}; chmod 0700 {facts.path}"
        return fail(name, text, todo)
    return ok(name, f"{facts.path}: theirs, mode {facts.mode:04o}")


def judge_state_folder(facts: FileFacts, process: Process) -> Finding:
    """See that the portal's own folder is closed to everybody else."""
    path = facts.path
    if facts.kind != "folder":
        todo = f"Run: install -d -m 0700 -o kqi {path} (kqi: the service user)"
        return fail(STATE, f"{path} {facts.is_what}", todo)
    if facts.mode & (stat.S_IWGRP | stat.S_IRWXO):
        seen = f"{path} has mode {facts.mode:04o}: it holds secrets"
        return fail(STATE, seen, f"Run: chmod 0700 {path}")
    if process.uid not in (facts.uid, 0):
        seen = f"{path} belongs to {facts.owner}, and this runs as {process.user}"
        return warn(STATE, seen, f"Run: sudo -u {facts.owner} kqi-hub doctor")
    return ok(STATE, f"{path}: {facts.owner}'s, mode {facts.mode:04o}")


def judge_space(name: str, space: Space, least_bytes: int = 0) -> Finding:
    """See that neither bytes nor inodes run out."""
    seen = f"{_size(space.free_bytes)} of {_size(space.total_bytes)} free"
    if space.total_inodes:
        seen += f", {space.free_inodes / space.total_inodes:.0%} of the inodes"
    todo = f"Make room on the file system of {space.path}."
    full = space.total_bytes and space.free_bytes < FULL_BYTES
    if full or (space.total_inodes and not space.free_inodes):
        return fail(name, f"full: {seen}", todo)
    short = space.free_bytes < least_bytes or _is_low(
        space.free_bytes, space.total_bytes
    )
    if short or _is_low(space.free_inodes, space.total_inodes):
        return warn(name, seen, todo)
    return ok(name, seen)


def judge_database_disk(name: str, space: Space) -> Finding | None:
    """Find an SQLite file on a network file system, where it can be damaged."""
    if space.fs_type not in NETWORK_FS:
        return None
    seen = f"SQLite on {space.fs_type} ({space.path}): its file can be damaged"
    return fail(name, seen, "Move it to a local disk, or use PostgreSQL.")


def _wrong_with(facts: FileFacts) -> str:
    if facts.kind != "folder":
        return f"{facts.path} {facts.is_what}"
    if facts.owner != facts.path.rpartition("/")[2]:
        return f"{facts.path} belongs to {facts.owner}"
    if facts.mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{facts.path} has mode {facts.mode:04o}"
    return ""


def _is_low(free: int, total: int) -> bool:
    return total > 0 and free / total < LEAST_SHARE


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
