"""Where a tenant's things lie, and which names may lead there."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.store.errors import NotPrepared, WrongBody

TENANT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}", re.ASCII)
UPLOAD: Final = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
TREE: Final = re.compile(r"[0-9a-f]{40}", re.ASCII)
# Nobody but us may look into these: what is there is not published yet, or any more.
_CLOSED: Final = 0o700
# The tenant's group reads these; it comes from the folder above by its setgid bit.
_READABLE: Final = 0o750


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant's folder."""

    tenant: str
    path: Path

    @property
    def objects(self) -> Path:
        """Return the folder of contents, each once."""
        return self.path / "objects"

    @property
    def incoming(self) -> Path:
        """Return the folder of uploads."""
        return self.path / "incoming"

    @property
    def data(self) -> Path:
        """Return the folder of published items."""
        return self.path / "data"

    @property
    def trees(self) -> Path:
        """Return the folder of datasets' trees."""
        return self.path / "trees"

    @property
    def building(self) -> Path:
        """Return the folder of what is not whole yet."""
        return self.path / "building"

    @property
    def removing(self) -> Path:
        """Return the folder of what is on its way out."""
        return self.path / "removing"

    def upload(self, key: str) -> Path:
        """Return the folder of an upload."""
        return self.incoming / checked_name(key, UPLOAD, "an upload's key")

    def item(self, data_id: int) -> Path:
        """Return the folder of a data item."""
        if type(data_id) is not int or not 0 < data_id < 2**63:
            raise WrongBody("`data` must be a data item's number.")
        return self.data / str(data_id)

    def tree(self, key: str) -> Path:
        """Return the folder of a dataset's tree."""
        return self.trees / checked_name(key, TREE, "a tree's key")


class Root:
    """The folder below which everything lies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Place] = {}

    def place(self, tenant: str) -> Place:
        """Return a tenant's folder with its parts; NotPrepared when there is none."""
        known = self._known.get(tenant)
        if known is None:
            checked_name(tenant, TENANT, "a tenant's name")
            known = Place(tenant, self.path / tenant)
            _check_folder(known)
            _make_parts(known)
            self._known[tenant] = known
        return known

    def tenants(self) -> list[str]:
        """Return the tenants that have a folder of ours."""
        found = []
        with os.scandir(self.path) as entries:
            for entry in entries:
                seen = entry.stat(follow_symlinks=False)
                if _is_ours(seen) and TENANT.fullmatch(entry.name):
                    found.append(entry.name)
        return sorted(found)


def checked_name(text: object, form: re.Pattern[str], what: str) -> str:
    """Return a name that may become part of a path, or refuse it."""
    if not isinstance(text, str) or not form.fullmatch(text):
        raise WrongBody(f"This is not {what}.")
    return text


def _check_folder(place: Place) -> None:
    try:
        seen = place.path.lstat()
    except FileNotFoundError:
        seen = None
    if seen is None or not _is_ours(seen):
        raise NotPrepared(
            f"Tenant {place.tenant} has no place in the data store yet.",
            "An operator makes it, as root: kqi-hub store prepare",
        )


def _is_ours(seen: os.stat_result) -> bool:
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.geteuid()


def _make_parts(place: Place) -> None:
    for folder in (place.objects, place.incoming, place.building, place.removing):
        folder.mkdir(mode=_CLOSED, exist_ok=True)
    for folder in (place.data, place.trees):
        folder.mkdir(mode=_READABLE, exist_ok=True)
