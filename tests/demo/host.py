"""Look at the machine that a demo runs on: it must stay as it was."""

import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path


def processes_of_namespace(namespace: Path) -> dict[int, str]:
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "ns/pid").readlink() == namespace:
                found[int(process.name)] = start_time(int(process.name))
        except OSError:  # ended meanwhile
            continue
    return found


def start_time(pid: int) -> str:
    """Return when a process began; with its number it is unmistakable."""
    text = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return text[19] if text[0] not in "ZX" else "ended"


def is_alive(pid: int, began: str) -> bool:
    try:
        return start_time(pid) == began
    except OSError:
        return False


@dataclass(frozen=True)
class Host:
    """What a demo must leave as it was."""

    mounts: tuple[str, ...]
    etc: dict[str, str]
    folders: dict[str, list[str]]
    hostname: str

    @classmethod
    def look(cls) -> "Host":
        watched = ("/", "/run", "/home", "/opt", "/var", "/var/lib", "/var/log")
        return cls(
            tuple(Path("/proc/self/mountinfo").read_text().splitlines()),
            {str(path): _digest(path) for path in sorted(Path("/etc").rglob("*"))},
            {name: _names(Path(name)) for name in watched},
            socket.gethostname(),
        )


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def _digest(path: Path) -> str:
    status = path.lstat()
    head = f"{status.st_mode:o} {status.st_uid} {status.st_gid} {status.st_mtime_ns}"
    if path.is_symlink():
        return f"{head} -> {path.readlink()}"
    if path.is_file():
        return f"{head} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return head


def mentions(folder: Path) -> list[str]:
    """Return processes of the host that run from, in or with files of a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            links = [process / "cwd", process / "root", *(process / "fd").iterdir()]
            targets = [str(link.readlink()) for link in links]
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # ended meanwhile, or a kernel thread
            continue
        if any(str(folder) in text for text in (command, *targets)):
            found.append(f"{process.name} {command}")
    return found


def listening() -> set[int]:
    """Return every TCP port that somebody listens on."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = (line.split() for line in lines)
    return {int(one[1].split(":")[1], 16) for one in fields if one[3] == "0A"}
