"""LocalSlurm: sbatch, srun and scancel as programs that run a job on this machine.

It knows nothing of queues and limits: it is for what a job's script and what is around
it look like. The real one is in tests/cluster.
"""

import os
import re
import signal
from pathlib import Path

_SBATCH = """#!/bin/bash
top=$(dirname "$0")/..
script="${@: -1}"
printf '%s\\n' "$@" > "$top/arguments"
env > "$top/environment"
cp "$script" "$top/script"
[ -e "$top/refuses" ] && { echo "sbatch: error: invalid partition" >&2; exit 1; }
export SLURM_JOB_ID=4711
SLURM_NTASKS=$(sed -n 's/^#SBATCH --ntasks=//p' "$script") \\
  setsid bash "$script" > "$top/log" 2>&1 < /dev/null &
echo $! > "$top/pid"
echo "4711;cluster"
"""
_SRUN = """#!/bin/bash
for ((i = 0; i < SLURM_NTASKS; i++)); do "$@" & done
wait
"""
_SCANCEL = """#!/bin/bash
top=$(dirname "$0")/..
printf '%s\\n' "$*" >> "$top/cancelled"
[ -e "$top/pid" ] && kill -TERM -- "-$(cat "$top/pid")" 2>/dev/null
exit 0
"""


class LocalSlurm:
    """Its programs are in `bin`; what was asked is in files beside it."""

    def __init__(self, top: Path) -> None:
        self.top, self.bin = top, top / "bin"
        self.bin.mkdir(parents=True)
        programs = {"sbatch": _SBATCH, "srun": _SRUN, "scancel": _SCANCEL}
        for name, text in programs.items():
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def options(self) -> dict[str, str]:
        """Return what the script asks of Slurm."""
        found = re.findall(r"^#SBATCH --([a-z-]+)=?(.*)$", self.said("script"), re.M)
        return dict(found)

    def said(self, name: str) -> str:
        """Return what was written down: arguments, environment, script or cancelled."""
        file = self.top / name
        return file.read_text() if file.exists() else ""

    def runs(self) -> bool:
        """Tell whether anything of the job is left."""
        try:
            os.killpg(int(self.said("pid")), 0)
        except (ValueError, ProcessLookupError):
            return False
        return True

    def end(self) -> None:
        """End what is left of the job."""
        if self.runs():
            os.killpg(int(self.said("pid")), signal.SIGKILL)
