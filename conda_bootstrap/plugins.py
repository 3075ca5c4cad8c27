"""Put ipyparallel with its Slurm profile, and TensorBoard, into an environment."""

import os
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.errors import Refused
from conda_bootstrap.ipython_profile import Facts, install_profile
from conda_bootstrap.making import Workshop
from conda_bootstrap.marker import read_marker
from conda_bootstrap.packages import record_stems
from conda_bootstrap.places import Places
from conda_bootstrap.resetting import add_packages

PACKAGES: Final = ("ipyparallel", "tensorboard")


def active_environment(places: Places) -> str:
    """Return the environment that is activated in the shell; refuse when none is."""
    prefix = os.environ.get("CONDA_PREFIX", "")
    place = Path(os.path.realpath(prefix)) if prefix else None
    if place is None or place.parent != Path(os.path.realpath(places.envs)):
        told = f"{prefix} is not one of yours" if prefix else "none is activated"
        raise Refused(
            "outside",
            f"This has to be run inside of a conda environment, and {told}. "
            "Nothing was done.",
            "Activate it first: conda activate notebook",
        )
    return place.name


def install(shop: Workshop, name: str, folders: list[Path]) -> dict[str, Any]:
    """Add the packages that are missing, and the profile to IPython's folders."""
    path = shop.places.environment(name)
    if not path.is_dir():
        raise Refused(
            "no_environment", f"There is no environment {name}.", f"create {name}"
        )
    there = {stem.rsplit("-", 2)[0] for stem in record_stems(path)}
    missing = [one for one in PACKAGES if one not in there]
    lacking: list[str] = []
    if missing and read_marker(path) is None:
        shop.report.note(
            f"{name} was made by hand and is left as it is. Add what it lacks: "
            f"conda install -p {path} {' '.join(missing)}"
        )
        lacking = missing
    elif missing:
        lacking = add_packages(shop, name, missing)
    written = add_profile(shop, folders)
    return {"name": name, "not_had": lacking, "profile_files": written}


def add_profile(shop: Workshop, folders: list[Path]) -> list[str]:
    """Write the profile slurm; a file that was changed by hand is kept."""
    written: list[str] = []
    for folder in folders:
        try:
            files = install_profile(folder, Facts(shop.places.log), shop.report.note)
        except OSError as error:
            shop.report.note(
                f"The profile slurm could not be written in {folder}: {error.strerror}."
            )
            continue
        written += [str(one) for one in files]
        shop.report.note(f"The profile slurm of IPython Parallel is in {folder}.")
    return written


def profile_folders(places: Places, from_shell: bool) -> list[Path]:
    """Return IPython's folders: that of sessions, and in a shell that of the home."""
    folders = [places.scratch / "kqi" / "jupyter" / "ipython"]
    if from_shell:
        own = os.environ.get("IPYTHONDIR")
        folders.append(Path(own) if own else Path.home() / ".ipython")
    return folders
