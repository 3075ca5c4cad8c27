"""Replace the path in which an environment was built by the one that it will have."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from conda_bootstrap.json_files import write_text
from conda_bootstrap.packages import site_packages

_LONGEST_SCRIPT: Final = 1 << 20


def replace_in_scripts(folder: Path, built: Path, final: Path) -> None:
    """Replace it in the text files of one folder, such as pip's commands in bin."""
    old, new = os.fsencode(built), os.fsencode(final)
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_symlink() or not path.is_file():
            continue
        if path.stat().st_size > _LONGEST_SCRIPT:
            continue
        data = path.read_bytes()
        if data.startswith(b"#!") and old in data:
            _rewrite(path, data.replace(old, new))


def replace_everywhere(folder: Path, built: Path, final: Path) -> int:
    """Replace it in all files, programs too; both paths must be equally long.

    Files that are linked to the package cache hold no path and must not be touched:
    they belong to other environments as well.
    """
    old, new = os.fsencode(built), os.fsencode(final)
    if len(old) != len(new):
        raise ValueError("a path in a program can only be replaced by one as long")
    changed: dict[str, str] = {}
    for path in _own_files(folder):
        data = path.read_bytes()
        if old in data:
            data = data.replace(old, new)
            _rewrite(path, data)
            changed[str(path.relative_to(folder))] = hashlib.sha256(data).hexdigest()
    _correct_records(folder, changed)
    for path in _links(folder):
        target = os.fsencode(path.readlink())
        if target.startswith(old + b"/"):
            path.unlink()
            path.symlink_to(os.fsdecode(target.replace(old, new, 1)))
    return len(changed)


def _rewrite(path: Path, data: bytes) -> None:
    """Write a file anew, with its rights and its time: bytecode is told by the time."""
    facts = path.stat()
    beside = path.with_name(f".{path.name[:80]}.kqi")
    beside.write_bytes(data)
    beside.chmod(facts.st_mode & 0o7777)
    os.utime(beside, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    beside.replace(path)


def _correct_records(folder: Path, changed: dict[str, str]) -> None:
    """Write the new checksums down where conda compares them."""
    for path in (folder / "conda-meta").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        hits = 0
        for one in record.get("paths_data", {}).get("paths", []):
            known = changed.get(path_in_prefix(folder, str(one.get("_path"))))
            if "sha256_in_prefix" in one and known:
                one["sha256_in_prefix"] = known
                hits += 1
        if hits:
            write_text(path, json.dumps(record, indent=2))


def path_in_prefix(prefix: Path, recorded: str) -> str:
    """Return where a recorded file is: those of noarch packages have moved."""
    place = site_packages(prefix)
    if place and recorded.startswith("site-packages/"):
        return f"{place.parent.relative_to(prefix)}/{recorded}"
    if recorded.startswith("python-scripts/"):
        return f"bin/{recorded.removeprefix('python-scripts/')}"
    return recorded


def _own_files(folder: Path) -> Iterator[Path]:
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            if not path.is_symlink() and path.is_file() and path.stat().st_nlink == 1:
                yield path


def _links(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if (path := Path(here, name)).is_symlink():
                yield path
