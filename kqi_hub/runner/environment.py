"""Which variables the server sees, and which its kernels and terminals."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kqi_hub.runner.folders import Folders

# What a person's login files set for their own Python, and what would break another.
_OTHER_PYTHONS: Final = (
    "PYTHON",
    "CONDA",
    "_CONDA",
    "_CE_",
    "MAMBA_",
    "VIRTUAL_ENV",
    "JUPYTER",
    "IPYTHON",
)
# What would go into every program that the server itself is made of.
_LOADER: Final = ("LD_", "BASH_ENV", "MALLOC_")


def server_environment(
    environ: Mapping[str, str], hub: Mapping[str, str], folders: Folders
) -> dict[str, str]:
    """Return what the server process starts with: nothing that could break it."""
    plain = _without(environ, _OTHER_PYTHONS + _LOADER)
    return plain | folders.variables() | _always() | dict(hub)


def children_environment(
    environ: Mapping[str, str],
    variables: Mapping[str, str],
    hub: Mapping[str, str],
    folders: Folders,
) -> dict[str, str]:
    """Return what kernels, terminals and the start command get.

    A person's variables outrank what the job had. Jupyter's folders and what comes from
    the hub outrank theirs: with others the server would not be found.
    """
    plain = without_other_pythons(environ)
    tools = str(Path(sys.executable).parent)
    # Last, so that `jupyter nbconvert` is found and nothing of the person's is hidden.
    path = ":".join(filter(None, (plain.get("PATH", ""), tools)))
    # A terminal reads /etc/profile, which sets the path anew: it adds them again.
    own = {"KQI_SESSION_TOOLS": tools, "KQI_SESSION_CONDA": str(folders.conda)}
    base = plain | _always() | own | {"PATH": path}
    return base | dict(variables) | folders.variables() | dict(hub)


def without_other_pythons(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a job began with, less what belongs to some other Python."""
    return _without(environ, _OTHER_PYTHONS)


def _without(environ: Mapping[str, str], starts: tuple[str, ...]) -> dict[str, str]:
    return {
        name: value for name, value in environ.items() if not name.startswith(starts)
    }


def _always() -> dict[str, str]:
    return {
        # Packages below ~/.local are of some other Python.
        "PYTHONNOUSERSITE": "1",
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
    }
