"""Ways to break what notebooks stand on, other than the services of the cluster."""

import os
import pwd
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.notebook_lab import output, wait_for
from tests.cluster.stack import run_as

_SAVED = Path("/var/lib/slurm/ctld/job_state")


@dataclass(frozen=True)
class SmallDisk:
    """A disk of 2 MB that lies over a folder."""

    path: Path

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def make_room(self) -> None:
        self._ballast.unlink()

    def close(self) -> None:
        """Let nobody write any more, neither to it nor to its folders."""
        mounted = run_as("root", "mount", "-o", "remount,ro", str(self.path))
        assert mounted.returncode == 0, mounted.stderr


@contextmanager
def small_disk(folder: str, owner: str) -> Iterator[SmallDisk]:
    """Lay a small disk over somebody's folder, for so long."""
    account, path = pwd.getpwnam(owner), Path(folder)
    path.mkdir(exist_ok=True)
    os.chown(path, account.pw_uid, account.pw_gid)
    own = f"size=2m,mode=0700,uid={account.pw_uid},gid={account.pw_gid}"
    mounted = run_as("root", "mount", "-t", "tmpfs", "-o", own, "small", folder)
    assert mounted.returncode == 0, mounted.stderr
    try:
        yield SmallDisk(path)
    finally:
        # What still has a file open there keeps the disk, unseen, until it ends.
        output("umount", "--lazy", folder)


def processes_of(job: int, having: str = "") -> list[int]:
    """Return the processes of a job, Slurm's own that watches over them included."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line, surroundings = (
                (path / name).read_bytes() for name in ("cmdline", "environ")
            )
        except OSError:
            continue  # it has ended meanwhile
        is_within = f"SLURM_JOB_ID={job}\0".encode() in surroundings
        is_above = line.startswith(f"slurmstepd: [{job}.".encode())
        if (is_within or is_above) and having.encode() in line:
            found.append(int(path.name))
    return found


def wait_saved() -> None:
    """Return when slurmctld has saved its jobs: kill -9 makes it forget the others."""
    changed = time.time()
    for job in output("squeue", "-h", "-t", "running", "-o", "%i").split():
        output("scontrol", "update", f"JobId={job}", f"Comment=at {changed}")
    wait_for(lambda: _SAVED.stat().st_mtime > changed, 30, "jobs are not saved")
