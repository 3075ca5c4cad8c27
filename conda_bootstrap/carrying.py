"""Take along what pip had installed when an environment is built anew.

Its files are copied as they are, so no network is needed: the new environment gets the
same path, which is all that they refer to.
"""

import csv
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from conda_bootstrap.packages import added_distributions, site_packages


def carry_over(old: Path, stage: Path) -> tuple[list[str], list[str]]:
    """Copy what pip had added; return what was taken and what could not be.

    What another Python version had is left: it would not be found, or not work.
    """
    source, target = site_packages(old), site_packages(stage)
    taken: list[str] = []
    left: list[str] = []
    for one, folder in added_distributions(old):
        fits = source and target and source.parent.name == target.parent.name
        if fits and _copy(folder, old, stage):
            taken.append(one.spec)
        else:
            left.append(one.spec)
    return taken, left


def _copy(dist_info: Path, old: Path, stage: Path) -> bool:
    try:
        paths = [*_recorded(dist_info, old)]
        for path in paths:
            target = stage / path.relative_to(old)
            if not os.path.lexists(target) and path.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target, follow_symlinks=False)
    except (OSError, ValueError, csv.Error):
        return False
    return bool(paths)


def _recorded(dist_info: Path, old: Path) -> Iterator[Path]:
    """Yield the files that belong to a distribution, those inside the prefix only."""
    with (dist_info / "RECORD").open(encoding="utf-8", newline="") as stream:
        for row in csv.reader(stream):
            if not row or row[0].endswith(".pyc"):
                continue
            path = Path(os.path.normpath(dist_info.parent / row[0]))
            if path.is_relative_to(old):
                yield path
