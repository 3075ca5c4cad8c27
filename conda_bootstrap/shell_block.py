"""The few lines in ~/.bashrc that let `conda activate NAME` find environments."""

import os
import re
import shlex
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.places import Places

_BEGIN: Final = b"# >>> kqi environments >>>"
_ADDED: Final = b" (the line before had no end)"
_END: Final = b"# <<< kqi environments <<<"
_BLOCK: Final = re.compile(
    rb"(?P<added>\n)?^"
    + re.escape(_BEGIN)
    + rb"(?P<note>[^\n]*)\n.*?^"
    + re.escape(_END)
    + rb"\r?(?:\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
_LONGEST: Final = 1 << 20

_LINES: Final = """\
# Written by `setup`; taken out again by: kqi-env shell remove
kqi-env() {{ {python} -I -m conda_bootstrap --scratch {scratch} --site {site} "$@"; }}
"""
_CONDA: Final = """\
export CONDA_ENVS_DIRS={envs}
export CONDA_PKGS_DIRS={pkgs}
export CONDA_AUTO_ACTIVATE_BASE=false CONDA_AUTO_ACTIVATE=false
if ! command -v conda >/dev/null 2>&1; then
  conda() {{ # enough of it where there is no conda: activate and deactivate
    case "${{1:-}}" in
    activate)
      case "${{2:-notebook}}" in
      */*) . "$2"/bin/activate ;;
      *) . {envs}/"${{2:-notebook}}"/bin/activate ;;
      esac ;;
    deactivate) command -v deactivate >/dev/null 2>&1 && deactivate ;;
    *) echo "conda is not installed on this machine; use pip in an environment." >&2
       return 1 ;;
    esac
  }}
fi
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a file, in words, and whether it is another now."""

    changed: bool
    text: str


def add(home: Path, places: Places, site: Path) -> Change:
    """Add the lines, or bring them up to date; nothing else in the file changes."""
    path, data = _read(home)
    block = _block(places, site)
    found = [*_BLOCK.finditer(data)]
    if len(found) == 1 and _bare(found[0]) == block:
        return Change(False, f"{path} knows your environments already.")
    rest = _without(data)
    if rest and not rest.endswith(b"\n"):
        new = rest + b"\n" + _BEGIN + _ADDED + block.removeprefix(_BEGIN)
    else:
        new = rest + block
    _write(path, data, new)
    return Change(True, f"{path} has the lines that conda finds your environments by.")


def remove(home: Path) -> Change:
    """Take the lines out; the file is then as it was before."""
    path, data = _read(home)
    rest = _without(data)
    if rest == data:
        return Change(False, f"{path} has no lines of ours.")
    _write(path, data, rest)
    return Change(True, f"The lines of ours are taken out of {path}.")


def conda_lines(places: Places) -> str:
    """Return what lets a shell find environments by name, for that shell alone."""
    envs, pkgs = (shlex.quote(str(one)) for one in (places.envs, places.pkgs))
    return _CONDA.format(envs=envs, pkgs=pkgs)


def _block(places: Places, site: Path) -> bytes:
    lines = _LINES.format(
        python=shlex.quote(sys.executable),
        scratch=shlex.quote(str(places.scratch)),
        site=shlex.quote(str(site)),
    )
    lines += conda_lines(places)
    return _BEGIN + b"\n" + os.fsencode(lines) + _END + b"\n"


def _bare(match: re.Match[bytes]) -> bytes:
    """Return a block without what was noted of the line before it."""
    text = match[0].removeprefix(b"\n") if match["added"] else match[0]
    return text.replace(_BEGIN + _ADDED, _BEGIN, 1)


def _without(data: bytes) -> bytes:
    def gone(match: re.Match[bytes]) -> bytes:
        was_added = match["note"].rstrip(b"\r") == _ADDED
        return b"" if was_added or not match["added"] else b"\n"

    rest = _BLOCK.sub(gone, data)
    if _BEGIN in rest or _END in rest:
        raise BootstrapError(
            "shell_block",
            "In your .bashrc one of the two lines that enclose ours is missing.",
            f"Remove what is left between {_BEGIN.decode()} and {_END.decode()} with "
            "an editor and run it again. Nothing was changed.",
        )
    return rest


def _read(home: Path) -> tuple[Path, bytes]:
    """Return the file itself, behind all links, and what is in it."""
    path = Path(os.path.realpath(home / ".bashrc"))
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return path, b""
    except OSError as error:
        raise _problem(path, error) from error
    with os.fdopen(handle, "rb") as stream:
        is_file = stat.S_ISREG(os.fstat(handle).st_mode)
        data = stream.read(_LONGEST + 1) if is_file else None
    if data is None or len(data) > _LONGEST:
        raise BootstrapError("shell_file", f"{path} is no file that can be changed.")
    return path, data


def _write(path: Path, before: bytes, data: bytes) -> None:
    """Replace the file whole, unless somebody changed it meanwhile."""
    beside = path.with_name(f".{path.name}.kqi")
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(handle)
            os.fchmod(handle, mode)
        if path.exists() and path.read_bytes() != before:
            raise BootstrapError("shell_changed", f"{path} is being changed just now.")
        beside.replace(path)
    except OSError as error:
        raise _problem(path, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _problem(path: Path, error: OSError) -> BootstrapError:
    return BootstrapError(
        "shell_file",
        f"{path} could not be changed: {error.strerror or error}.",
        "Environments work without it; activate them by their whole path.",
    )
