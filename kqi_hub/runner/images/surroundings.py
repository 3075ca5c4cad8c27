"""What a command in an image sees beside the image, as bubblewrap's options.

The image is read-only, for other jobs of the person's run in it as well. Scratch and
home are where they are on the node, so that a run finds the same places either way.
"""

import grp
import os
import pwd
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from kqi_hub.oci.errors import BadImage
from kqi_hub.runner.images.tree import Tree

BASH: Final = "/bin/bash"
# Slurm's plugins may have made the temporary folders this job's own.
_OF_THE_NODE: Final = ("/proc", "/sys", "/tmp", "/var/tmp")  # noqa: S108 - mounted
_FILES_OF_THE_NODE: Final = ("/etc/resolv.conf", "/etc/hosts")
# Ours, of the node, or made anew: nothing of them is the image's.
_NOT_ITS_OWN: Final = frozenset({"/kqi", "/dev", "/run", *_OF_THE_NODE})


def surroundings(
    root: Path,
    folder: Path,
    environ: Mapping[str, str],
    extra: Sequence[str] = (),
) -> list[str]:
    """Return the options that show an image with what a run in it needs.

    `extra` are options for more, such as the libraries of GPUs.
    """
    places = [*_work_places(folder, environ), *_OF_THE_NODE]
    argv = ["--dev-bind", "/dev", "/dev", "--tmpfs", "/run"]
    argv += _image(root, Path("/"), {Path(one) for one in places})
    for place in _OF_THE_NODE:
        argv += ["--bind", place, place]
    for place in _FILES_OF_THE_NODE:
        if Path(place).exists():
            argv += ["--ro-bind", place, place]
    for name, text in (("passwd", _passwd(root)), ("group", _group(root))):
        argv += ["--ro-bind", str(_written(folder, name, text)), f"/etc/{name}"]
    for place in _work_places(folder, environ):
        argv += ["--bind", place, place]
    # Whoever changes an image changes it for all further runs.
    argv += ["--ro-bind", str(root), str(root)]
    return [*argv, *extra]


def has_bash(root: Path) -> bool:
    """Tell whether an image can run a command as runs do."""
    try:
        return Tree(root).found(BASH.lstrip("/")).is_file()
    except BadImage:
        return False


def _image(root: Path, at: Path, places: Collection[Path]) -> Iterator[str]:
    """Yield options that show the image's entries, with room for other places.

    Folders on the way to a place are made anew, for in what is read-only nothing can
    be mounted where nothing is.
    """
    for entry in sorted(os.scandir(_in(root, at)), key=lambda one: one.name):
        place = at / entry.name
        if str(place) in _NOT_ITS_OWN or place in places:
            continue
        is_on_the_way = any(place in one.parents for one in places)
        if is_on_the_way:
            if entry.is_dir(follow_symlinks=False):
                yield from ("--dir", str(place))
                yield from _image(root, place, places)
        elif entry.is_symlink():
            yield from ("--symlink", str(Path(entry.path).readlink()), str(place))
        else:
            yield from ("--ro-bind", entry.path, str(place))


def _in(root: Path, at: Path) -> Path:
    return root / at.relative_to("/")


def _work_places(folder: Path, environ: Mapping[str, str]) -> list[str]:
    """Return scratch, and the home where it lies elsewhere."""
    own, whole = folder.parents[2], folder.parents[3]
    scratch = own if whole == Path("/") else whole
    home = Path(environ.get("HOME") or "/")
    is_apart = home.is_absolute() and home != Path("/") and home.is_dir()
    if is_apart and scratch not in (home, *home.parents):
        return [str(scratch), str(home)]
    return [str(scratch)]


def _passwd(root: Path) -> str:
    """Return the image's people, and the person as the node knows them."""
    try:
        known = pwd.getpwuid(os.getuid())
    except KeyError:
        return _text(root, "passwd")
    own = (known.pw_name, "x", known.pw_uid, known.pw_gid, "", known.pw_dir, BASH)
    return _with_own(_text(root, "passwd"), [":".join(map(str, own))])


def _group(root: Path) -> str:
    own = []
    for number in sorted({os.getgid(), *os.getgroups()}):
        try:
            own.append(f"{grp.getgrgid(number).gr_name}:x:{number}:")
        except KeyError:
            continue
    return _with_own(_text(root, "group"), own)


def _with_own(text: str, own: list[str]) -> str:
    """Put one's own lines first, where they count before others of that number."""
    return "\n".join([*own, text])


def _text(root: Path, name: str) -> str:
    return (root / "etc" / name).read_text(encoding="utf-8", errors="replace")


def _written(folder: Path, name: str, text: str) -> Path:
    place = folder / ".image"
    place.mkdir(mode=0o700, exist_ok=True)
    file = place / name
    file.write_text(text, encoding="utf-8", errors="replace")
    return file
