"""The profile `slurm` of IPython Parallel: all engines in one Slurm job of your own.

    import ipyparallel as ipp
    engines = ipp.Cluster(profile="slurm", n=4).start_and_connect_sync()

What is not said is as in the notebook that starts them. Say it before, in the
environment, for example with `%env KQI_ENGINES_NODES=2`:

    KQI_ENGINES_QUEUE       where they run (Slurm's partition)
    KQI_ENGINES_TENANT      who pays (Slurm's account)
    KQI_ENGINES_NODES       on how many nodes they are spread; 1
    KQI_ENGINES_CPUS        cores for each engine; 1
    KQI_ENGINES_MEMORY_MB   memory for each engine; 1024
    KQI_ENGINES_GPUS        GPUs on each node; 0
    KQI_ENGINES_MINUTES     for how long at most; as long as the notebook's job

This file may be changed: from then on KQI Hub leaves it alone.
"""

import atexit
import json
import os
import re
import secrets
import time
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # IPython gives it
_profile = Path(__file__).parent
_facts = json.loads((_profile / "kqi.json").read_text(encoding="utf-8"))


def _refuse(why: str) -> None:
    # IPython goes on after any other error, with engines on the notebook's own node.
    raise SystemExit(why)


def _word(name: str, otherwise: str) -> str:
    """Return a queue or a tenant: what Slurm itself allows, and nothing else."""
    value = os.environ.get(name) or otherwise
    if value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value, re.ASCII):
        _refuse(f"{name} is {value!r}: letters, digits, dots and dashes only.")
    return value


def _number(name: str, otherwise: int, least: int, most: int) -> int:
    value = os.environ.get(name) or str(otherwise)
    if not re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        _refuse(f"{name} is {value!r}: give a whole number.")
    if not least <= int(value) <= most:
        _refuse(f"{name} is {value}: give a number from {least} to {most}.")
    return int(value)


def _minutes_left() -> int:
    """Return how long the notebook's job goes on: engines do not outlive it."""
    ends_at = os.environ.get("SLURM_JOB_END_TIME", "")
    if not re.fullmatch(r"[0-9]{1,12}", ends_at, re.ASCII):
        return 60
    return min(max(1, round((int(ends_at) - time.time()) / 60)), 525600)


_queue = _word("KQI_ENGINES_QUEUE", os.environ.get("SLURM_JOB_PARTITION", ""))
_tenant = _word("KQI_ENGINES_TENANT", os.environ.get("SLURM_JOB_ACCOUNT", ""))
_nodes = _number("KQI_ENGINES_NODES", 1, 1, 4096)
_cpus = _number("KQI_ENGINES_CPUS", 1, 1, 4096)
_memory_mb = _number("KQI_ENGINES_MEMORY_MB", 1024, 16, 1 << 24)
_gpus = _number("KQI_ENGINES_GPUS", 0, 0, 64)
_minutes = _number("KQI_ENGINES_MINUTES", _minutes_left(), 1, 525600)
# All engines of a notebook bear its job's number: they are ended with it, by this name.
_job = re.sub(r"[^0-9]", "", os.environ.get("SLURM_JOB_ID", "")) or "0"

_lines = [
    "#!/bin/bash",
    "# Engines of IPython Parallel; they end when their controller does.",
    f"#SBATCH --job-name=kqi-engines-{_job}",
    f"#SBATCH --partition={_queue}" if _queue else "",
    f"#SBATCH --account={_tenant}" if _tenant else "",
    # IPython fills in {n}, and works out what is in braces.
    f"#SBATCH --nodes={{min(n, {_nodes})}}",
    "#SBATCH --ntasks={n}",
    f"#SBATCH --ntasks-per-node={{-(-n // min(n, {_nodes}))}}",
    f"#SBATCH --cpus-per-task={_cpus}",
    f"#SBATCH --mem-per-cpu={-(-_memory_mb // _cpus)}M",
    f"#SBATCH --gres=gpu:{_gpus}" if _gpus else "",
    f"#SBATCH --time={_minutes}",
    "#SBATCH --no-requeue",
    "# How they find their controller, and its key, is in the environment alone.",
    "#SBATCH --export=ALL",
    "umask 077",
    "exec srun {program_and_args}",
]
# Slurm takes the notebook's own numbers for wishes, and the engines need no hub.
_NOT_THEIRS = ("SLURM_", "SBATCH_", "SRUN_", "PMI", "JUPYTERHUB_", "JPY_")
_left_out = [
    word
    for name in os.environ
    if name.startswith(_NOT_THEIRS) and name != "SLURM_CONF"
    for word in ("-u", name)
]
# A percent sign is Slurm's own; two of them are one.
_log = _facts["logs"].replace("%", "%%") + "/%j.log"
_script = _profile / "pid" / f"engines-{secrets.token_hex(4)}.sbatch"
Path(_facts["logs"]).mkdir(parents=True, exist_ok=True)
_script.parent.mkdir(mode=0o700, exist_ok=True)
atexit.register(_script.unlink, missing_ok=True)

c.Cluster.engine_launcher_class = "slurm"
# A queue may have to be waited in.
c.Cluster.engine_timeout = 600
c.SlurmEngineSetLauncher.batch_template = "\n".join(filter(None, _lines)) + "\n"
c.SlurmEngineSetLauncher.batch_file_name = str(_script)
c.SlurmEngineSetLauncher.submit_command = [
    *("env", *_left_out),
    *("sbatch", "--parsable", f"--output={_log}"),
]
# A job that has ended by itself is no reason to complain.
c.SlurmEngineSetLauncher.delete_command = ["scancel", "--quiet"]
