"""The files of an image being unpacked: whatever an image says, nothing gets out.

An image is a stranger's. Links in it are its own business once it runs, for there its
root is `/`; here they are followed by hand and never out of the tree.
"""

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from kqi_hub.oci.errors import BadImage

_MOST_LINKS: Final = 40
_LONGEST_NAME: Final = 4096


class Tree:
    """A folder that becomes the root of an image; nobody else writes there."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def place(self, name: str) -> Path | None:
        """Return where a name of an archive lies, its folders made; None: the top.

        BadImage for a name that would lead out, or through a file.
        """
        parts = parts_of(name)
        if not parts:
            return None
        return self._folder(parts[:-1]) / parts[-1]

    def found(self, name: str) -> Path:
        """Return where a name leads, the last link of it followed as well.

        Nothing is made; what is not there comes back as it is called.
        """
        return self._walked(parts_of(name), makes=False)

    def folder(self, place: Path, mode: int) -> None:
        """Make a folder, or keep the one that is there."""
        if not _is_folder(place):
            remove(place)
            place.mkdir(mode=0o700)
        # Its owner is whoever fetches the image: without these nothing more goes in.
        place.chmod(mode & 0o777 | 0o700)

    def file(self, place: Path, source: IO[bytes], mode: int, at: float) -> None:
        """Write a file in place of what is there."""
        remove(place)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(place, flags, 0o600), "wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
            os.fchmod(stream.fileno(), _own(mode))
        # Python compares it with what its compiled files say.
        os.utime(place, (at, at))

    def symlink(self, place: Path, target: str) -> None:
        """Make a link; where it leads is seen from inside."""
        if not target or "\0" in target or len(target) > _LONGEST_NAME:
            raise BadImage("The image has a link to nowhere.")
        remove(place)
        place.symlink_to(target)

    def hard_link(self, place: Path, target: str) -> None:
        """Give a file of the image another name."""
        source = self.place(target)
        if source is None or not _is_linkable(source):
            raise BadImage(f"The image links {shown(target)}, which is no file of it.")
        if source != place:
            remove(place)
            os.link(source, place, follow_symlinks=False)

    def _folder(self, parts: Sequence[str]) -> Path:
        place = self._walked(parts, makes=True)
        if not _is_folder(place):
            raise _no_folder("/".join(parts))
        return place

    def _walked(self, parts: Sequence[str], makes: bool) -> Path:
        """Follow a way from the top; `..` of a link ends at the top, as in a root."""
        found: list[str] = []
        left, links = list(reversed(parts)), 0
        while left:
            part = left.pop()
            if part == "..":
                del found[-1:]
                continue
            place = self.top.joinpath(*found, part)
            if not place.is_symlink():
                if makes and not os.path.lexists(place):
                    _make(place, "/".join(parts))
                found.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise BadImage("The image has links that lead in a circle.")
            target = str(place.readlink())
            if target.startswith("/"):
                found.clear()
            left += reversed([one for one in target.split("/") if one not in ("", ".")])
        return self.top.joinpath(*found)


def _make(place: Path, name: str) -> None:
    try:
        place.mkdir(mode=0o755)
    except NotADirectoryError as error:
        raise _no_folder(name) from error


def _no_folder(name: str) -> BadImage:
    told = f"The image has files below {shown(name)}, which is no folder."
    return BadImage(told)


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of an archive's name; BadImage for one that leads out."""
    parts = tuple(one for one in name.split("/") if one not in ("", "."))
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise BadImage(f"The image has a file {shown(name)}, which would be elsewhere.")
    if len(name) > _LONGEST_NAME:
        raise BadImage("The image has a file with a name that is too long.")
    return parts


def remove(place: Path) -> None:
    """Remove what is there, whatever it is; nothing is fine."""
    if _is_folder(place):
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def shown(name: str) -> str:
    """Return a stranger's name so that it can be told."""
    return ascii(name[:200])


def _is_folder(place: Path) -> bool:
    return not place.is_symlink() and place.is_dir()


def _is_linkable(place: Path) -> bool:
    try:
        mode = place.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _own(mode: int) -> int:
    """Return a file's mode without setuid bits, for an owner who is not root.

    What anybody may run, the person may run, too.
    """
    runs = 0o100 if mode & 0o111 else 0
    return mode & 0o777 | 0o400 | runs
