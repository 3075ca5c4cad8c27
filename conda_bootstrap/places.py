"""Where everything of a person's environments is kept: one folder on scratch."""

import os
import pwd
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conda_bootstrap.errors import Refused, WrongUse

_OURS: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)
_LISTED: Final = re.compile(r"[^\x00-\x1f\x7f/]{1,200}")
FIRST: Final = "notebook"


def check_name(name: object) -> str:
    """Return the name of an environment to be made, or say which names there may be."""
    if not isinstance(name, str) or not _OURS.fullmatch(name):
        raise WrongUse(
            "name",
            f"{ascii(name)[:60]} cannot be the name of an environment.",
            "Use 1 to 40 of the characters a-z 0-9 . _ - and begin with a letter or "
            "a digit, for example torch-2.5.",
        )
    return name


def is_listed(name: str) -> bool:
    """Tell whether an environment of this name can be worked with, whoever made it."""
    return bool(_LISTED.fullmatch(name)) and name[0] not in ".-" and _is_text(name)


def _is_text(name: str) -> bool:
    """Tell whether it can be written into JSON: file names need not be text."""
    return not any(0xD800 <= ord(letter) <= 0xDFFF for letter in name)


def check_listed_name(name: object) -> str:
    """Return the name of an environment that may have been made by hand."""
    if not isinstance(name, str) or not is_listed(name):
        raise WrongUse("name", f"{ascii(name)[:60]} is not the name of an environment.")
    return name


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one person, below the person's folder on scratch."""

    scratch: Path

    @property
    def conda(self) -> Path:
        """Return the folder that conda's own commands know as well."""
        return self.scratch / ".conda"

    @property
    def envs(self) -> Path:
        """Return where environments are."""
        return self.conda / "envs"

    @property
    def pkgs(self) -> Path:
        """Return the package cache: same file system, so that files are linked."""
        return self.conda / "pkgs"

    @property
    def own(self) -> Path:
        """Return where this program keeps what it needs itself."""
        return self.conda / "kqi"

    @property
    def stage(self) -> Path:
        """Return where environments are built before they get their name."""
        return self.own / "stage"

    @property
    def old(self) -> Path:
        """Return where environments wait that have been replaced or removed."""
        return self.own / "old"

    @property
    def tasks(self) -> Path:
        """Return where orders are kept, with their state and log."""
        return self.scratch / "kqi" / "environments"

    @property
    def workspace(self) -> Path:
        """Return the person's work: made when it is missing and never touched."""
        return self.scratch / "workspace"

    @property
    def log(self) -> Path:
        """Return where logs of notebooks are: made when missing and never touched."""
        return self.scratch / "log"

    @property
    def default(self) -> Path:
        """Return the file that names the environment notebooks begin with."""
        return self.own / "default"

    def environment(self, name: str) -> Path:
        """Return an environment's folder."""
        return self.envs / check_listed_name(name)

    def saved(self, name: str) -> Path:
        """Return where the package lists of an environment are kept."""
        return self.own / "saved" / check_listed_name(name)

    def used(self, name: str) -> Path:
        """Return the file whose time says when the environment was last used."""
        return self.own / "used" / check_listed_name(name)

    def note(self, kind: str, name: str) -> Path:
        """Return the file of what was found out of an environment: sizes, verified."""
        return self.own / kind / f"{check_listed_name(name)}.json"

    def make(self) -> None:
        """Make the folders; those that hold other than conda's things are private."""
        for folder in (self.envs, self.pkgs):
            folder.mkdir(parents=True, exist_ok=True)
        for name in ("stage", "old", "lock", "saved", "used", "verified", "sizes"):
            (self.own / name).mkdir(mode=0o700, parents=True, exist_ok=True)


def find_scratch(given: str | None) -> Path:
    """Return the person's folder on scratch, absolute, or say how to name it."""
    wanted = given or os.environ.get("KQI_SCRATCH")
    if not wanted:
        person = pwd.getpwuid(os.geteuid()).pw_name
        wanted = f"/scratch/{person}"
    place = Path(os.path.abspath(Path(wanted).expanduser()))  # noqa: PTH100 - links stay as they are typed
    if any(ord(letter) < 32 or letter in ":\x7f" for letter in str(place)):
        raise Refused("scratch", f"{str(place)!a} cannot be used as a path.")
    if not place.is_dir():
        raise Refused(
            "scratch",
            f"There is no folder {place}.",
            "Name your folder on scratch: --scratch DIR, or the variable KQI_SCRATCH.",
        )
    return place


def check_own(places: Places) -> None:
    """Refuse somebody else's folder, and one in which nothing can be written."""
    for folder in (places.scratch, places.conda, places.envs, places.pkgs, places.own):
        if folder.is_symlink() and not folder.exists():
            raise Refused(
                "dangling",
                f"{folder} is a link to {folder.readlink()}, which does not exist.",
                "Make that folder or remove the link, and try again.",
            )
        if not folder.exists():
            continue
        if folder.stat().st_uid != os.geteuid():
            raise Refused(
                "not_yours",
                f"{folder} does not belong to you.",
                "Environments are made only in a folder of your own.",
            )
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Refused(
                "not_writable",
                f"Nothing can be written in {folder}.",
                f"Give yourself the right to write there: chmod u+rwx {folder}",
            )
