"""The folders of a person's notebooks, all of them on scratch and none in the home."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """Where work is kept, and where Jupyter keeps its own things."""

    workspace: Path
    jupyter: Path

    @property
    def data(self) -> Path:
        """Return where kernels and extensions of the person's are looked for."""
        return self.jupyter / "data"

    @property
    def ipython(self) -> Path:
        """Return IPython's folder, with the profile for engines in Slurm."""
        return self.jupyter / "ipython"

    @property
    def conda(self) -> Path:
        """Return the lines by which terminals find environments by their names."""
        return self.jupyter / "conda.sh"

    def variables(self) -> dict[str, str]:
        """Return what tells Jupyter and IPython of them."""
        places = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "lab/settings",
            "JUPYTERLAB_WORKSPACES_DIR": "lab/workspaces",
            "IPYTHONDIR": self.ipython.name,
            "XDG_CACHE_HOME": "cache",
        }
        return {name: str(self.jupyter / place) for name, place in places.items()}


def make_folders(top: Path, say: Callable[[str], None]) -> Folders:
    """Make what is missing; where scratch takes nothing, say so and work in /tmp."""
    workspace, jupyter = top / "workspace", top / "kqi" / "jupyter"
    try:
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        say(f"The folder {workspace} cannot be made: {_why(error)}.")
    if not workspace.is_dir():
        workspace = Path(tempfile.mkdtemp(prefix="kqi-workspace-"))
        say(f"Work is in {workspace} on this node and GOES AWAY with this job.")
    if problem := _problem_of_writing(jupyter):
        jupyter = Path(tempfile.mkdtemp(prefix="kqi-jupyter-"))
        say(
            f"Nothing can be written on scratch ({problem}): Jupyter keeps its "
            f"settings in {jupyter} for this session. Free some space and start again."
        )
    (jupyter / "runtime").mkdir(mode=0o700, exist_ok=True)
    return Folders(workspace, jupyter)


def _problem_of_writing(folder: Path) -> str:
    """Return why files cannot be written there; empty when they can."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A full file system often still makes empty files.
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return _why(error)
    return ""


def _why(error: OSError) -> str:
    return error.strerror or str(error)
