"""Steps in the person's own running jobs: how `srun` is asked for one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kqi_hub.agent.environment_rules import EnvironmentRules

# It shares what the job has, on its first node. The limits that the agent lives under
# are not the step's.
_ONE: Final = (
    "--overlap", "--nodes=1", "--ntasks=1", "--relative=0", "--quiet",
    "--propagate=NONE", "--mpi=none",
)  # fmt: skip


def step(
    rules: EnvironmentRules, job_id: int, options: Sequence[str], *command: str
) -> list[str]:
    """Return the command that runs another one inside a job."""
    srun = str(rules.slurm_bin / "srun")
    return [srun, f"--jobid={job_id}", *_ONE, *options, *command]


def bridge_step(rules: EnvironmentRules, job_id: int, word: str) -> list[str]:
    """Return the command that runs the agent's end of a bridge; see bridge.py."""
    module = ("-I", "-m", "kqi_hub.agent.inside.bridge", word)
    return step(rules, job_id, ("--unbuffered", "--chdir=/"), rules.python, *module)


def run_shell_step(rules: EnvironmentRules, job_id: int, folder: Path) -> list[str]:
    """Return the command that runs a shell where a run's own command is: see /kqi."""
    module = ("-I", "-X", "utf8", "-m", "kqi_hub.runner.inside", str(folder))
    return step(rules, job_id, ("--pty", "--chdir=/"), rules.python, *module)


def shell_step(rules: EnvironmentRules, job_id: int, folder: Path) -> list[str]:
    """Return the command that runs a shell on a terminal."""
    options = ("--pty", f"--chdir={folder}")
    return step(rules, job_id, options, "/bin/bash", "-l")
