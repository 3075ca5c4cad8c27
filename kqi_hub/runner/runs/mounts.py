"""The folders below /kqi: mounts of the job's own, or else a folder with links.

With bubblewrap the command sees a private /kqi, in which input and parents can only be
read; so can the places that they come from. Where the node does not let it run, the
same names are below the run's folder, and $KQI_HOME leads there.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kqi_hub.runner.runs.order import ParentPlace

INSIDE: Final = "/kqi"
OWN: Final = ("output", "attach", "git")
_PROBE_S: Final = 20.0
# Bound by name below, or made by us.
_APART: Final = frozenset({"kqi", "dev"})


@dataclass(frozen=True, slots=True)
class Home:
    """Where the command finds its folders, and what it is started through."""

    path: str
    kind: str  # "bwrap" or "folder"
    argv: tuple[str, ...] = ()
    why: str = ""  # why there are no mounts

    def at(self, name: str) -> str:
        """Return the place of one of the folders."""
        return f"{self.path}/{name}"


def make_home(
    folder: Path,
    input_from: Path | None,
    parents: Sequence[ParentPlace],
    environ: Mapping[str, str],
    item: str = "",
    around: Sequence[str] | None = None,
) -> Home:
    """Make a run's folders and return where the command finds them.

    A single `item` of data lies in a folder of its number below the input (K-44).
    `around` are bubblewrap's options for what is shown beside them; None: the node.
    """
    for name in OWN:
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    shown = _as_it_is() if around is None else around
    mounted = _mounted(folder, input_from, parents, item, shown)
    why = _problem(mounted, environ)
    if not why:
        return mounted
    _link(folder, input_from, parents, item)
    return Home(str(folder), "folder", why=why)


def _mounted(
    folder: Path,
    input_from: Path | None,
    parents: Sequence[ParentPlace],
    item: str,
    around: Sequence[str],
) -> Home:
    argv = ["bwrap", *around, "--dir", INSIDE]
    for name in OWN:
        argv += ["--bind", str(folder / name), f"{INSIDE}/{name}"]
    argv += _input_mounts(input_from, item)
    argv += _parent_mounts(parents)
    for place in {one for one in (input_from, *(p.path for p in parents)) if one}:
        # By its own name it can be read only as well.
        argv += ["--ro-bind", str(place), str(place)]
    # A session of its own: signals reach it, and not bwrap, which tells how it ended.
    argv += ["--remount-ro", "/", "--chdir", f"{INSIDE}/git", "--new-session"]
    return Home(INSIDE, "bwrap", tuple(argv))


def _as_it_is() -> list[str]:
    """Return the options that show the node's own folders as they are."""
    argv = ["--dev-bind", "/dev", "/dev"]
    for entry in sorted(os.scandir("/"), key=lambda one: one.name):
        if entry.name in _APART:
            continue
        if entry.is_symlink():
            argv += ["--symlink", str(Path(entry.path).readlink()), entry.path]
        elif entry.is_dir():
            argv += ["--bind", entry.path, entry.path]
    return argv


def _input_mounts(input_from: Path | None, item: str) -> list[str]:
    place = f"{INSIDE}/input"
    if input_from is None:
        return ["--dir", place]
    if item:
        return ["--dir", place, "--ro-bind", str(input_from), f"{place}/{item}"]
    return ["--ro-bind", str(input_from), place]


def _parent_mounts(parents: Sequence[ParentPlace]) -> list[str]:
    place = f"{INSIDE}/parent"
    if len(parents) == 1:
        return ["--ro-bind", str(parents[0].path), place]
    argv = ["--dir", place]
    for parent in parents:
        argv += ["--ro-bind", str(parent.path), f"{place}/{parent.name}"]
    return argv


def _problem(home: Home, environ: Mapping[str, str]) -> str:
    """Return why such mounts cannot be made here; empty when they can."""
    program = shutil.which("bwrap", path=environ.get("PATH"))
    if program is None:
        return "bwrap (bubblewrap) is not installed on this node"
    try:
        done = subprocess.run(
            # There is a bash on every node, and in every image that can be run.
            [*home.argv, "--", "/bin/bash", "-c", ":"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bwrap cannot be run: {error}"
    if done.returncode == 0:
        return ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return said[-1][:300] if said else f"bwrap ended with {done.returncode}"


def _link(
    folder: Path, input_from: Path | None, parents: Sequence[ParentPlace], item: str
) -> None:
    """Make what mounts would show, of links."""
    for name in ("input", "parent"):
        _clear(folder / name)
    if input_from is None or item:
        (folder / "input").mkdir(mode=0o700)
    if input_from is not None:
        (folder / "input" / item).symlink_to(input_from)
    if len(parents) == 1:
        (folder / "parent").symlink_to(parents[0].path)
        return
    (folder / "parent").mkdir(mode=0o700)
    for parent in parents:
        (folder / "parent" / parent.name).symlink_to(parent.path)


def _clear(place: Path) -> None:
    if place.is_symlink():
        place.unlink()
    elif place.is_dir():
        shutil.rmtree(place)


def with_info(home: Home, handle: int) -> Home:
    """Let bwrap tell the number of the process that it starts to a file handle."""
    if home.kind != "bwrap":
        return home
    return replace(home, argv=(*home.argv, "--info-fd", str(handle)))
