"""FakeSlurm: sbatch, squeue and scancel, for what real ones seldom do.

Time-outs, lost answers and refusals cannot be had of a real controller on demand; jobs
themselves are tested with the real one (tests/cluster/test_environments.py).
"""

import stat
from pathlib import Path

_SBATCH = """\
#!/bin/sh
echo "$@" >> {folder}/sbatch.args
cat > {folder}/script.$$
mode=$(cat {folder}/mode)
name=$(sed -n 's/^#SBATCH --job-name=//p' {folder}/script.$$)
case $mode in
  refuses) echo "sbatch: error: Batch job submission failed: $(cat {folder}/why)" >&2
           exit 1;;
  silent)  echo "sbatch: error: Unable to contact slurm controller" >&2; exit 1;;
  hangs)   exec sleep 60;;
  nonsense) echo "Submitted batch job x"; exit 0;;
esac
echo "$name 101" >> {folder}/jobs
[ "$mode" = lost ] && exec sleep 60
env > {folder}/environment
echo "101;gpu1"
"""
_SQUEUE = """\
#!/bin/sh
echo "$@" >> {folder}/squeue.args
[ "$(cat {folder}/mode)" = silent ] && {{ echo "Socket timed out" >&2; exit 1; }}
case "$*" in
  *--name=*) for word in "$@"; do case $word in --name=*) name=${{word#--name=}};; esac
             done
             sed -n "s/^$name //p" {folder}/jobs;;
  *) cat {folder}/state;;
esac
"""
_SCANCEL = """\
#!/bin/sh
echo "$@" >> {folder}/scancel.args
[ "$(cat {folder}/mode)" = silent ] && {{ echo "Socket timed out" >&2; exit 1; }}
exit 0
"""
# In place of the Python that has conda_bootstrap: it notes how it was started.
_PYTHON = """\
#!/bin/sh
echo "$@" > {folder}/python.args
for task; do :; done
echo "begun in $(pwd)"
echo '{{"version":1,"state":"running","phase":"link","done":3,"total":9}}' \\
  > "$task/state.json"
trap 'echo told to end; exit 1' TERM
n=0
while [ ! -e {folder}/finish ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done
echo "finished"
echo '{{"version":1,"state":"done","text":"All done"}}' > "$task/state.json"
"""


class FakeSlurm:
    """A folder of programs, told what to do by a file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.python = folder / "python3"
        for name, text in (
            ("sbatch", _SBATCH), ("squeue", _SQUEUE), ("scancel", _SCANCEL),
            ("python3", _PYTHON),
        ):  # fmt: skip
            program = folder / name
            program.write_text(text.format(folder=folder))
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        (folder / "jobs").touch()
        self.does("well")
        self.says("PENDING")

    def does(self, mode: str, why: str = "") -> None:
        """Change what sbatch does: well, refuses, silent, hangs, lost, nonsense."""
        (self.folder / "mode").write_text(mode)
        (self.folder / "why").write_text(why)

    def says(self, state: str) -> None:
        """Change what squeue says of every job."""
        (self.folder / "state").write_text(f"{state}\n" if state else "")

    def calls(self, program: str) -> list[str]:
        """Return the arguments of every call of a program."""
        try:
            return (self.folder / f"{program}.args").read_text().splitlines()
        except FileNotFoundError:
            return []

    def script(self) -> str:
        """Return the script that was submitted last."""
        newest = max(self.folder.glob("script.*"), key=lambda one: one.stat().st_mtime)
        return newest.read_text()
