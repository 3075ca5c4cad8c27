"""Lists of what was installed, kept so that packages can be brought back."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conda_bootstrap.json_files import read_object, write_json
from conda_bootstrap.marker import now, read_marker
from conda_bootstrap.packages import distributions, record_stems, spec_name
from conda_bootstrap.places import Places

_KEPT: Final = 5


@dataclass(frozen=True, slots=True)
class Saved:
    """What was installed at some time: stems of conda packages, specs of pip."""

    saved_at: str
    conda: tuple[str, ...]
    pip: tuple[str, ...]

    def missing_in(self, prefix: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what an environment lacks: specs for conda, specs for pip."""
        there = {_name(stem) for stem in record_stems(prefix)}
        conda = [one for one in self.conda if _name(one) not in there]
        have = {one.name.lower() for one in distributions(prefix)} | there
        pip = [one for one in self.pip if spec_name(one) not in have]
        return tuple(_spec(one) for one in conda), tuple(pip)


def save(places: Places, name: str) -> Saved:
    """Write down what is installed; the newest few lists are kept."""
    path = places.environment(name)
    told = Saved(
        now(),
        record_stems(path),
        tuple(one.spec for one in distributions(path)),
    )
    folder = places.saved(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker = read_marker(path)
    note = {
        "version": 1,
        "saved_at": told.saved_at,
        "base": marker.base if marker else None,
        "conda": list(told.conda),
        "pip": list(told.pip),
    }
    write_json(folder / f"{time.time_ns():020d}.json", note)
    for outdated in _lists(folder)[:-_KEPT]:
        outdated.unlink(missing_ok=True)
    return told


def newest_with_more(places: Places, name: str) -> Saved | None:
    """Return the newest list that names what the environment now lacks.

    The newest of all may have been saved when it was bare already.
    """
    path = places.environment(name)
    for file in reversed(_lists(places.saved(name))):
        value = read_object(file)
        saved = Saved(
            str(value.get("saved_at") or ""),
            _texts(value.get("conda")),
            _texts(value.get("pip")),
        )
        if any(saved.missing_in(path)):
            return saved
    return None


def _lists(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.json"))


def _name(stem: str) -> str:
    return stem.rsplit("-", 2)[0].lower()


def _spec(stem: str) -> str:
    name, version, _ = [*stem.rsplit("-", 2), "", ""][:3]
    return f"{name} =={version}"


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(one for one in value if isinstance(one, str))
