"""The few kernel calls for namespaces that Python 3.11 does not offer."""

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 0x80000

_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the shared namespaces that `flags` names."""
    _checked(_libc.unshare(flags), "unshare")


def setns(namespace_fd: int, kind: int) -> None:
    """Join the namespace behind an open /proc/PID/ns/* file."""
    _checked(_libc.setns(namespace_fd, kind), "setns")


def sethostname(name: str) -> None:
    """Name this UTS namespace."""
    raw = name.encode()
    _checked(_libc.sethostname(raw, len(raw)), f"sethostname {name}")


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this signal to us when our parent ends."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def mount(
    source: Path | str,
    target: Path | str,
    kind: str = "",
    flags: int = 0,
    options: str = "",
) -> None:
    """Mount `source` on `target`."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(result, f"mount {source} on {target}")


def bind(source: Path | str, target: Path | str, *, recursive: bool = True) -> None:
    """Show `source` at `target` too, with what is mounted below it."""
    mount(source, target, flags=MS_BIND | (MS_REC if recursive else 0))


def bind_read_only(source: Path | str, target: Path | str) -> None:
    """Show the folder `source` at `target`, where nobody can write to it."""
    bind(source, target, recursive=False)
    # Flags that a container locked must be repeated, or the kernel refuses.
    kept = os.statvfs(target).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("none", target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def pivot_root(new_root: Path, put_old: Path) -> None:
    """Make `new_root` the root of this mount namespace."""
    result = _libc.pivot_root(os.fsencode(new_root), os.fsencode(put_old))
    _checked(result, f"pivot_root {new_root}")


def detach(target: Path | str) -> None:
    """Take a mount and all below it out of sight at once."""
    _checked(_libc.umount2(os.fsencode(target), _MNT_DETACH), f"umount {target}")
