"""How environments are made at this site, as the agent is told at its start."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RUN_ON: Final = ("job", "hub")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRules:
    """The site's decisions, and the programs that carry them out."""

    # The folder with bases and channel; read-only for people.
    site: Path
    # Has `conda_bootstrap`, on compute nodes and, for `hub`, on this machine.
    python: str
    run_on: str
    queue: str
    cpus: int
    memory_mb: int
    minutes: int
    slurm_bin: Path
    slurm_conf: str


def environment_rules(said: dict[str, Any] | None) -> EnvironmentRules | None:
    """Read them; an older spawner says nothing of environments."""
    if said is None:
        return None
    if said["run_on"] not in RUN_ON:
        raise ValueError
    return EnvironmentRules(
        site=Path(said["site"]),
        python=str(said["python"]),
        run_on=said["run_on"],
        queue=str(said["queue"]),
        cpus=int(said["cpus"]),
        memory_mb=int(said["memory_mb"]),
        minutes=int(said["minutes"]),
        slurm_bin=Path(said["slurm_bin"]),
        slurm_conf=str(said["slurm_conf"]),
    )
