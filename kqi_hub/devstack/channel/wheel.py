"""Turn a wheel into a conda package without unpacking it to the disk."""

import base64
import configparser
import csv
import hashlib
import io
import posixpath
import re
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from kqi_hub.devstack.channel.package import PLACEHOLDER, Entry, Package
from kqi_hub.devstack.channel.requirements import (
    conda_name,
    match_specs,
    python_spec,
    required,
)

PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE_PACKAGES: Final = f"lib/python{PYTHON}/site-packages"
_SHEBANG: Final = f"#!{PLACEHOLDER}/bin/python"
_SCRIPT: Final = """\
{shebang}
import sys
from {module} import {top}
if __name__ == "__main__":
    sys.exit({function}())
"""


class BadWheel(Exception):
    """A wheel that is none, or whose files would go elsewhere; the message says so."""


class Wheel:
    """An opened wheel."""

    def __init__(self, path: Path) -> None:
        name, version, _, tags = parse_wheel_filename(path.name)
        self.path = path
        self.name = conda_name(name)
        self.version = str(version)
        self.pure = all(tag.platform == "any" for tag in tags)
        self.archive = zipfile.ZipFile(path)
        self.dist_info = self._dist_info()

    def __enter__(self) -> "Wheel":
        return self

    def __exit__(self, *_: object) -> None:
        self.archive.close()

    def _dist_info(self) -> str:
        for name in self.archive.namelist():
            folder, _, file = name.partition("/")
            if folder.endswith(".dist-info") and file == "METADATA":
                return folder
        raise BadWheel(f"{self.path} has no METADATA.")

    def text(self, name: str) -> str | None:
        """Return a file of the wheel's .dist-info, None if it has none."""
        path = f"{self.dist_info}/{name}"
        if path not in self.archive.namelist():
            return None
        return self.archive.read(path).decode(errors="replace")

    def metadata(self) -> Message:
        """Return what the wheel says of itself."""
        return Parser().parsestr(self.text("METADATA") or "", headersonly=True)

    @property
    def made_at(self) -> int:
        """Return when its newest file was made; zip knows nothing before 1980."""
        newest = max(one.date_time for one in self.archive.infolist())
        return int(time.mktime((*newest, 0, 0, 0)))


def asked_extras(paths: Iterable[Path]) -> Mapping[str, frozenset[str]]:
    """Return by package the extras that wheels ask of each other.

    conda has no extras: a package brings what any other here asks of it.
    """
    asked: dict[str, set[str]] = {}
    requirements: list[Requirement] = []
    metadata: dict[str, Message] = {}
    for path in paths:
        with Wheel(path) as wheel:
            metadata[wheel.name] = wheel.metadata()
            requirements += required(metadata[wheel.name])
    while requirements:
        one = requirements.pop()
        name = conda_name(one.name)
        new = one.extras - asked.setdefault(name, set())
        asked[name] |= new
        if new and name in metadata:
            requirements += required(metadata[name], new)
    return {name: frozenset(extras) for name, extras in asked.items() if extras}


def package_of_wheel(wheel: Wheel, extras: Iterable[str], mark: str) -> Package:
    """Return a wheel as a package; `mark` becomes part of its build string."""
    metadata = wheel.metadata()
    python = python_spec(metadata["Requires-Python"])
    depends = match_specs(required(metadata, extras))
    points = _entry_points(wheel)
    entries = list(_entries(wheel))
    if not wheel.pure:
        python = f"python {PYTHON}.*"
        entries += [_script(point) for point in points]
    entries = _with_record(wheel, entries, points)
    flavour = "pyh" if wheel.pure else f"py{PYTHON.replace('.', '')}h"
    return Package(
        name=wheel.name,
        version=wheel.version,
        build=f"{flavour}{mark}_0",
        depends=(python, *depends),
        entries=tuple(sorted(entries, key=lambda entry: entry.path)),
        noarch=wheel.pure,
        entry_points=tuple(points),
        summary=str(metadata["Summary"] or ""),
        made_at=wheel.made_at,
    )


def _home(wheel: Wheel) -> str:
    return "site-packages" if wheel.pure else SITE_PACKAGES


def _entries(wheel: Wheel) -> Iterator[Entry]:
    """Return the wheel's files at their places of a conda package."""
    for member in wheel.archive.infolist():
        if member.is_dir() or member.filename == f"{wheel.dist_info}/RECORD":
            continue
        data = wheel.archive.read(member)
        executable = bool(member.external_attr >> 16 & 0o111)
        place = _place(wheel, member.filename)
        if place.startswith(("bin/", "python-scripts/")):
            executable = True
            data = re.sub(rb"\A#!python\S*", _SHEBANG.encode(), data)
        yield Entry(place, data, executable)
    yield Entry(f"{_home(wheel)}/{wheel.dist_info}/INSTALLER", b"conda\n")


def _place(wheel: Wheel, name: str) -> str:
    if name.startswith("/") or ".." in name.split("/"):
        raise BadWheel(f"{wheel.path} has a file {name!r}, outside of its folder.")
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return f"{_home(wheel)}/{name}"
    scheme, _, rest = rest.partition("/")
    places = {
        "purelib": _home(wheel),
        "platlib": _home(wheel),
        "scripts": "python-scripts" if wheel.pure else "bin",
        "headers": f"include/python{PYTHON}/{wheel.name}",
        "data": "",
    }
    if scheme not in places:
        raise BadWheel(f"{wheel.path} has a file {name!r} of an unknown kind.")
    return f"{places[scheme]}/{rest}".removeprefix("/")


def _entry_points(wheel: Wheel) -> list[str]:
    """Return the commands of a wheel: `name = module:function`."""
    text = wheel.text("entry_points.txt")
    if text is None:
        return []
    parser = configparser.ConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment]  # names keep their capitals
    parser.read_string(text)
    sections = [one for one in ("console_scripts", "gui_scripts") if one in parser]
    return [
        f"{name} = {target.partition('[')[0].strip()}"
        for section in sections
        for name, target in parser.items(section)
    ]


def _script(point: str) -> Entry:
    name, _, target = (part.strip() for part in point.partition("="))
    module, _, function = (part.strip() for part in target.partition(":"))
    top = function.partition(".")[0]
    text = _SCRIPT.format(shebang=_SHEBANG, module=module, top=top, function=function)
    return Entry(f"bin/{name}", text.encode(), executable=True)


def _with_record(wheel: Wheel, entries: list[Entry], points: list[str]) -> list[Entry]:
    """Add the list of files that pip needs to take the package away again."""
    home = f"lib/python{PYTHON}/site-packages"
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    for entry in entries:
        path = _installed(entry.path)
        digest = base64.urlsafe_b64encode(hashlib.sha256(entry.data).digest())
        known = [f"sha256={digest.rstrip(b'=').decode()}", len(entry.data)]
        # The installer changes files that hold the placeholder.
        changed = PLACEHOLDER.encode() in entry.data
        rows.writerow(
            [posixpath.relpath(path, home), *(["", ""] if changed else known)]
        )
    for point in points if wheel.pure else ():
        rows.writerow([posixpath.relpath(f"bin/{point.split()[0]}", home), "", ""])
    record = f"{_home(wheel)}/{wheel.dist_info}/RECORD"
    rows.writerow([posixpath.relpath(_installed(record), home), "", ""])
    return [*entries, Entry(record, out.getvalue().encode())]


def _installed(path: str) -> str:
    """Return where an installer puts a file of a package."""
    top, _, rest = path.partition("/")
    moved = {"site-packages": SITE_PACKAGES, "python-scripts": "bin"}
    return f"{moved[top]}/{rest}" if top in moved else path
