"""FakeSrun: squeue and srun where there is no cluster.

`srun` here runs its command on this machine, at once, for the jobs of a list; what a
real one does with terminals, steps and other people's jobs is tested in tests/cluster.
"""

import json
import os
import stat
import sys
from pathlib import Path

_SQUEUE = """\
#!/bin/sh
echo "$@" >> {folder}/squeue.args
[ -e {folder}/silent ] && {{ echo "Socket timed out" >&2; exit 1; }}
for word in "$@"; do
  case $word in
    --jobs=*) job=${{word#--jobs=}}
      if [ -e "{folder}/job-$job" ]; then cat "{folder}/job-$job"; exit 0; fi
      echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1;;
    --name=*) cat {folder}/named 2>/dev/null; exit 0;;
  esac
done
"""
_SRUN = """\
#!{python} -I
import os, signal, sys
# The real one is no Python, and ignores no signal.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
open({folder!r} + "/srun.args", "a").write(repr(sys.argv[1:]) + "\\n")
words = sys.argv[1:]
job = next(w for w in words if w.startswith("--jobid=")).partition("=")[2]
if os.path.exists({folder!r} + "/foreign-" + job):
    sys.stderr.write("srun: error: Unable to create step for job " + job
                     + ": Access/permission denied\\n")
    sys.exit(1)
folder = next((w for w in words if w.startswith("--chdir=")), "--chdir=/")
os.chdir(folder.partition("=")[2])
while words and words[0].startswith("-"):
    words.pop(0)
print("a prolog says hello", flush=True)
os.environ["PYTHONPATH"] = {root!r}
if "-I" in words:
    words.remove("-I")  # the code of this folder is installed nowhere for it
os.environ["SLURM_JOB_ID"] = job
os.execvp(words[0], words)
"""
ROOT = Path(__file__).parents[3]
KEY = "abcdefghijklmnopqrstuvwxyz"[:26]


class FakeSrun:
    """Jobs that run here, in the folder of FakeSlurm's programs."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder, self.scratch = folder, scratch
        self._program("squeue", _SQUEUE.format(folder=folder))
        self._program(
            "srun",
            _SRUN.format(python=sys.executable, folder=str(folder), root=str(ROOT)),
        )
        # In place of the session's Python: ours.
        self._program("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')

    def _program(self, name: str, text: str) -> None:
        program = self.folder / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def runs(
        self, job: str, name: str = "sleep", state: str = "RUNNING", left: str = "1:00"
    ) -> None:
        """Let a job be known."""
        number = job.partition("_")[0]
        line = f"{number}|{state}|node1|{left}|{name}\n"
        (self.folder / f"job-{job}").write_text(line)

    def is_foreign(self, job: str) -> None:
        """Let a job be somebody else's, whatever squeue says."""
        (self.folder / f"foreign-{job}").touch()

    def ends(self, job: str) -> None:
        """Let Slurm know nothing of it any more."""
        (self.folder / f"job-{job}").unlink(missing_ok=True)

    def calls(self, program: str) -> list[str]:
        """Return how often and with what a program was called."""
        file = self.folder / f"{program}.args"
        return file.read_text().splitlines() if file.exists() else []

    def training(self, number: int, job: str, ports: tuple[object, ...] = ()) -> Path:
        """Let a training run in a job; return its folder."""
        name = f"training-{number}-{KEY}"
        self.runs(job, name)
        folder = self.scratch / "kqi/training" / str(number)
        (folder / "output").mkdir(parents=True)
        order = {"version": 1, "run": {"job_name": name, "ports": list(ports)}}
        (folder / "order.json").write_text(json.dumps(order))
        return folder


def is_alive(pid: int) -> bool:
    """Tell whether a process is more than an entry."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state not in "ZX"
