"""Rows of slurmdbd's own table of jobs, for what no test can wait for."""

from collections.abc import Mapping
from typing import Final

from tests.cluster.stack import run_as

JOBS: Final = "demo_job_table"


def job_rows(job: int) -> int:
    """Return how many rows a job has whose end and queue have come.

    One comes before the other.
    """
    return int(_sql(f"select count(*) from {_whole(job)}"))  # noqa: S608  a number of ours


def put_copy(job: int, other: Mapping[str, int]) -> None:
    """Copy a job that has ended, with other values in some columns."""
    told = _sql(f"show columns from {JOBS}").splitlines()
    names = [name for line in told if (name := line.split("\t")[0]) != "job_db_inx"]
    values = ", ".join(str(other.get(name, f"`{name}`")) for name in names)
    into = f"{JOBS} (`{'`, `'.join(names)}`)"
    _sql(f"insert into {into} select {values} from {_whole(job)} limit 1")  # noqa: S608  columns of Slurm's own


def _whole(job: int) -> str:
    told = "time_end > 0 and tres_alloc <> '' and `partition` <> ''"
    return f"{JOBS} where id_job = {job} and {told}"


def _sql(statement: str) -> str:
    ran = run_as("root", "mysql", "-BN", "slurm_acct", "-e", statement)
    assert ran.returncode == 0, ran.stderr
    return str(ran.stdout.strip())
