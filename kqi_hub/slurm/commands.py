"""The argument lists by which Slurm's programs are asked; nothing is run here."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.slurm.rows import Shape, Tokens

Argv = tuple[str, ...]

JOBS: Final = Shape(
    plain=(
        *("JobID", "ArrayJobID", "ArrayTaskID", "State", "SubmitTime", "StartTime"),
        *("EndTime", "TimeLimit", "PriorityLong", "NumNodes", "NumCPUs"),
    ),
    free=(
        *("Name", "UserName", "Account", "Partition", "QOS", "Reason", "tres-alloc"),
        *("tres-per-job", "tres-per-node", "NodeList", "Dependency", "Comment"),
    ),
)
JOBS_FOUND: Final = Shape(plain=("JobID", "SubmitTime"), free=("UserName", "Name"))
ASSOCIATION_FIELDS: Final = (
    *("Cluster", "Account", "User", "Partition", "ParentName", "QOS", "DefaultQOS"),
    *("GrpTRES", "MaxTRES", "GrpTRESMins", "MaxJobs", "MaxSubmit", "MaxWall"),
)
QOS_FIELDS: Final = (
    *("Name", "Flags", "GrpTRES", "MaxTRES", "MaxTRESPerNode", "MaxTRESPU"),
    *("MaxTRESPA", "MaxJobsPU", "MaxSubmitPU", "MaxWall"),
)
ENDED_FIELDS: Final = (
    *("JobIDRaw", "Submit", "State", "Start", "End", "ExitCode", "JobName"),
)
TASK_FIELDS: Final = ("JobID", *ENDED_FIELDS[1:])
FOUND_FIELDS: Final = ("JobIDRaw", "Submit", "User", "State", "JobName")
HISTORY_FIELDS: Final = (
    *("JobIDRaw", "JobID", "JobName", "User", "Account", "Partition", "QOS", "State"),
    *("Submit", "Start", "End", "TimelimitRaw", "NNodes", "NCPUS", "AllocTRES"),
    *("NodeList", "ExitCode"),
)
USAGE_FIELDS: Final = (
    *("JobIDRaw", "Submit", "DBIndex", "JobID", "JobName", "User", "Account"),
    *("Partition", "QOS", "State", "ExitCode", "Eligible", "Start", "End"),
    *("Suspended", "TimelimitRaw", "NNodes", "NCPUS", "AllocTRES", "NodeList"),
)
SUSPENDED_FIELDS: Final = ("JobIDRaw", "Submit", "Suspended")

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
# --array-unique: one row for each job id. With --array every waiting task of an array
# has a row of its own, a thousand rows with the same id.
_SQUEUE: Final = (
    *("squeue", "--noheader", "--all", "--array-unique", "--states=all"),
    *("--noconvert", "--sort=i"),
)


def environment(slurm_conf: Path | None) -> dict[str, str]:
    """Return all that Slurm's programs may know: times in epoch seconds, no colours."""
    variables = {
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "SLURM_TIME_FORMAT": "%s",
        "TZ": "UTC",
        # Waiting tasks of an array, such as 1-4,7; the default cuts them at 64 bytes.
        "SLURM_BITSTR_LEN": "4096",
    }
    return variables | ({"SLURM_CONF": str(slurm_conf)} if slurm_conf else {})


def version() -> Argv:
    """Ask which release the programs are of; no controller is asked."""
    return ("sinfo", "--version")


def list_jobs(tokens: Tokens) -> Argv:
    """Ask for every job that the controller remembers."""
    return (*_SQUEUE, f"--Format={JOBS.squeue_format(tokens)}")


def show_job(job_id: int) -> Argv:
    """Ask the controller for one job."""
    # --local: no second question, about federations.
    return ("scontrol", "--oneliner", "--local", "show", "job", str(int(job_id)))


def list_nodes() -> Argv:
    """Ask for every node, with what is in use of its GPUs."""
    return ("scontrol", "--oneliner", "--all", "--details", "show", "node")


def list_partitions() -> Argv:
    """Ask for every queue, hidden ones too."""
    return ("scontrol", "--oneliner", "--all", "show", "partition")


def list_associations(cluster: str) -> Argv:
    """Ask who may use which account of this cluster, with the limits set there."""
    return (
        *("sacctmgr", "--readonly", "--noheader", "--parsable2", "show", "association"),
        f"cluster={cluster}",
        f"format={','.join(ASSOCIATION_FIELDS)}",
    )


def list_qos() -> Argv:
    """Ask for every QOS with its limits; a QOS belongs to all clusters."""
    return (
        *("sacctmgr", "--readonly", "--noheader", "--parsable2", "show", "qos"),
        f"format={','.join(QOS_FIELDS)}",
    )


def ended_jobs(job_ids: Sequence[int], tokens: Tokens) -> Argv:
    """Ask accounting about jobs by their ids, every run of each."""
    numbers = ",".join(str(int(job_id)) for job_id in job_ids)
    return (*_sacct(ENDED_FIELDS, tokens), f"--jobs={numbers}")


def ended_tasks(array_ids: Sequence[int], tokens: Tokens) -> Argv:
    """Ask accounting about every task of arrays, as 12_3 and as 12_[4-9%2]."""
    numbers = ",".join(str(int(array_id)) for array_id in array_ids)
    return (*_sacct(TASK_FIELDS, tokens), f"--jobs={numbers}")


def find_live(user: str, name: str, tokens: Tokens) -> Argv:
    """Ask the controller for a person's jobs of one name."""
    return (
        *_SQUEUE,
        f"--user={_checked('user', user)}",
        f"--name={_checked('name', name)}",
        f"--Format={JOBS_FOUND.squeue_format(tokens)}",
    )


def find_recorded(user: str, name: str, since: float, tokens: Tokens) -> Argv:
    """Ask accounting for a person's jobs of one name, alive at a time or later."""
    return (
        *_sacct(FOUND_FIELDS, tokens),
        f"--user={_checked('user', user)}",
        f"--name={_checked('name', name)}",
        f"--starttime={moment_text(since)}",
    )


def recorded_between(since: float, until: float, tokens: Tokens) -> Argv:
    """Ask accounting for everybody's jobs that were alive at some time in between."""
    window = (f"--starttime={moment_text(since)}", f"--endtime={moment_text(until)}")
    return (*_sacct(HISTORY_FIELDS, tokens), *window)


def usage_between(since: float, until: float, tokens: Tokens) -> Argv:
    """Ask accounting for every run that existed at some time in between, whole."""
    window = (f"--starttime={moment_text(since)}", f"--endtime={moment_text(until)}")
    return (*_sacct(USAGE_FIELDS, tokens), *window)


def suspended_between(
    job_ids: Sequence[int], since: float, until: float, tokens: Tokens
) -> Argv:
    """Ask accounting how long jobs were suspended within a time, and not outside."""
    numbers = ",".join(str(int(job_id)) for job_id in job_ids)
    window = (f"--starttime={moment_text(since)}", f"--endtime={moment_text(until)}")
    fields = _sacct(SUSPENDED_FIELDS, tokens)
    return (*fields, f"--jobs={numbers}", *window, "--truncate")


def moment_text(epoch: float) -> str:
    """Return a moment as Slurm's programs read it, in UTC as the environment says."""
    moment = datetime.fromtimestamp(max(0, int(epoch)), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _sacct(fields: Sequence[str], tokens: Tokens) -> Argv:
    return (
        *("sacct", "--allocations", "--duplicates", "--allusers", "--noheader"),
        *("--parsable", f"--delimiter={tokens.field}", "--noconvert"),
        f"--format={','.join(fields)}",
    )


def _checked(field: str, text: str) -> str:
    """Refuse names that Slurm would split, fold or rewrite before it compares them."""
    if _NAME.fullmatch(text) is None:
        raise InvalidInput(
            "{field}: {text} cannot be looked up in Slurm.",
            "Expected 1 to 128 letters, digits, `_`, `.` and `-`.",
            field=field,
            text=repr(text[:80]),
        )
    return text
