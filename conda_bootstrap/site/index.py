"""The index of the site's channel: exactly the packages that its locks name."""

import json
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.site.folder import SiteFolder, write_whole
from conda_bootstrap.site.lock import read_lock

_SUBDIRS: Final = ("noarch", "linux-64")
# Where a package is, not what it is.
_NOT_INDEXED: Final = ("fn", "url", "channel")


def write_index(site: SiteFolder) -> frozenset[str]:
    """Write both subdirs' repodata.json; return the packages as subdir/file.

    It is made of the locks, not of the packages: channels correct the dependencies of
    published packages in their index only, and the locks have them as corrected.
    """
    known: dict[str, dict[str, Any]] = {subdir: {} for subdir in _SUBDIRS}
    for lock in locks(site):
        for record in read_lock(lock):
            value = json.loads(record.to_json())
            entry = {key: one for key, one in value.items() if key not in _NOT_INDEXED}
            subdir = "noarch" if record.subdir == "noarch" else "linux-64"
            known[subdir][record.file_name] = entry
    for subdir, packages in known.items():
        text = _repodata(subdir, packages)
        path = site.channel / subdir / "repodata.json"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
    return frozenset(f"{subdir}/{name}" for subdir in known for name in known[subdir])


def locks(site: SiteFolder) -> list[Path]:
    """Return all locks of all bases, published or not."""
    return [
        version / "lock"
        for base in site.base_names()
        for version in site.versions(base)
        if (version / "lock").is_file()
    ]


def _repodata(subdir: str, packages: dict[str, Any]) -> str:
    new = {name: packages[name] for name in sorted(packages) if name.endswith(".conda")}
    old = {name: packages[name] for name in sorted(packages) if name not in new}
    value = {
        "info": {"subdir": subdir},
        "packages": old,
        "packages.conda": new,
        "removed": [],
        "repodata_version": 1,
    }
    return json.dumps(value, indent=1) + "\n"
