"""Start the runner of a run as a job's script does, with an order of one's own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "training-12-" + "a" * 26
# The runner as it is here, isolated as in a job.
REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True)
class Done:
    """What a job has left behind."""

    code: int
    log: str
    folder: Path

    @property
    def result(self) -> dict[str, Any]:
        """Return result.json."""
        return read(self.folder / "result.json")

    @property
    def state(self) -> dict[str, Any]:
        """Return state.json."""
        return read(self.folder / "state.json")

    def output(self, name: str) -> str:
        """Return the text of a result."""
        return (self.folder / "output" / name).read_text()


def read(file: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(file.read_text())
    return told


def order(command: str, **changes: Any) -> dict[str, Any]:
    """Return an order; names that a run has go there, all others to the top."""
    run: dict[str, Any] = {
        "id": 12,
        "kind": "training",
        "name": "first",
        "job_name": NAME,
        "tenant": "vision",
        "command": command,
        "environment": "",
        "zip": False,
        "staging": "link",
        "ports": [],
        "variables": {},
        "lifetime_s": 3600,
    }
    run |= {name: changes.pop(name) for name in list(changes) if name in run}
    plain = {
        "version": 1,
        "run": run,
        "source": None,
        "git": None,
        "dataset": None,
        "parents": [],
        "control": {"TRAINING_ID": "12"},
        "defaults": {},
        "tasks": [],
        "server": "http://hub/",
    }
    return plain | changes


def write_secret(top: Path, told: object, name: str = NAME) -> Path:
    """Write an order to where the privileged door does."""
    file = top / "kqi" / "secrets" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(told if isinstance(told, str) else json.dumps(told))
    file.chmod(0o600)
    return file


def start(
    secret: Path, folder: Path, **environ: str
) -> subprocess.Popen[str]:  # the log is in stdout
    """Start a job."""
    plain = {"PATH": os.environ["PATH"], "HOME": str(folder.parents[2])}
    return subprocess.Popen(
        [
            sys.executable,
            "-X",
            "utf8",
            "-m",
            "kqi_hub.runner.run",
            str(secret),
            str(folder),
        ],
        cwd=REPOSITORY,
        env=plain | {"SLURM_JOB_ID": "77", "SLURMD_NODENAME": "n1"} | environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="surrogateescape",
    )


def run_job(top: Path, told: object, **environ: str) -> Done:
    """Run a job to its end."""
    folder = top / "kqi" / "training" / "12"
    process = start(write_secret(top, told), folder, **environ)
    log = process.communicate(timeout=60)[0]
    return Done(process.returncode, log, folder)


def without_bwrap(tmp_path: Path) -> dict[str, str]:
    """Return a PATH on which there is everything but bubblewrap."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for program in Path(folder).iterdir():
            link = tools / program.name
            if program.name != "bwrap" and not link.is_symlink():
                link.symlink_to(program)
    return {"PATH": str(tools)}
