"""Where everything of one embedded cluster lies: outside on the host, and inside."""

import os
from dataclasses import dataclass
from pathlib import Path

HOSTNAME = "kqi-demo"
CLUSTER = "demo"

# Inside the namespace. The repository and the cluster's own folder are mounted at
# fixed places, so that no path depends on where the checkout lies or who may enter it.
CODE = Path("/opt/kqi-hub")
STACK = Path("/opt/kqi-demo")
BIN = Path("/opt/kqi-bin")
ENVIRONMENTS = Path("/opt/kqi-environments")
PYTHON = CODE / ".venv/bin/python"
RUN = Path("/run")
VAR = Path("/var")
SCRATCH = Path("/scratch")
HOMES = Path("/home")
TMP = VAR / "tmp"

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" + str(BIN)

_README = """\
The data of one KQI Hub demo cluster. ./demo up starts it, ./demo stop stops it,
./demo reset deletes this folder. docs/developers/embedded-cluster.md explains it.
"""
_FOLDERS = ("root", "etc", "run", "var", "home", "scratch", "log", "secrets", "local")


@dataclass(frozen=True, slots=True)
class Folder:
    """The one folder that an embedded cluster owns, seen from either side."""

    path: Path

    @property
    def new_root(self) -> Path:
        """Return the empty folder that the private root is mounted on."""
        return self.path / "root"

    @property
    def lock(self) -> Path:
        """Return the file whose lock the supervisor holds while it lives."""
        return self.path / "supervisor.lock"

    @property
    def start_lock(self) -> Path:
        """Return the file whose lock one launcher at a time holds."""
        return self.path / "start.lock"

    @property
    def pid_file(self) -> Path:
        """Return the file with the supervisor's pid as the host knows it."""
        return self.path / "supervisor.pid"

    @property
    def control(self) -> Path:
        """Return the control socket."""
        return self.path / "control.sock"

    @property
    def ports(self) -> Path:
        """Return the file with the chosen ports."""
        return self.path / "ports.json"

    @property
    def people(self) -> Path:
        """Return the file with people's passwords and one-time secrets."""
        return self.path / "people.json"

    @property
    def logs(self) -> Path:
        """Return the folder with one log a service."""
        return self.path / "log"

    @property
    def secrets(self) -> Path:
        """Return the folder with keys and certificates."""
        return self.path / "secrets"

    @property
    def local(self) -> Path:
        """Return the folder with additions to slurm.conf and kqi.toml."""
        return self.path / "local"

    @property
    def furnished(self) -> Path:
        """Return the mark that a first start went through."""
        return self.path / "furnished"

    @property
    def marker(self) -> Path:
        """Return the file that says whose folder this is."""
        return self.path / "README"

    def is_ours(self) -> bool:
        """Return whether the folder was made by `create`, or is yet to be made."""
        if self.marker.is_file():
            return self.marker.read_text() == _README
        return not self.path.exists() or not any(self.path.iterdir())

    def create(self) -> None:
        """Make the folder and its parts, closed to everybody but root."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self.marker.write_text(_README)
        for name in _FOLDERS:
            (self.path / name).mkdir(mode=0o755, exist_ok=True)
        self.secrets.chmod(0o700)


def checkout() -> Path:
    """Return the repository that this code runs from."""
    return Path(__file__).resolve().parents[2]


def demo_folder() -> Folder:
    """Return the folder to use: $KQI_DEMO_DIR, or .demo in the checkout."""
    chosen = os.environ.get("KQI_DEMO_DIR", "")
    return Folder(Path(chosen).absolute() if chosen else checkout() / ".demo")
