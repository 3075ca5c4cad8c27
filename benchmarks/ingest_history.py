"""Make a year of finished jobs in slurmdbd's own tables; runs inside the cluster.

A few real jobs are run first: every made one is a copy of such a row, with another
number, name and time.
"""

import json
import subprocess
import sys
import time
from typing import Final

CLUSTER: Final = "demo"
DAY_S: Final = 86_400
DAYS: Final = 365
# Who submits what: owner, account, queue, further options.
PATTERNS: Final = (
    ("alice", "vision", "cpu", ("--mem=4000", "-n4")),
    ("alice", "vision", "a100", ("--mem=64000", "-n8", "--gres=gpu:a100:2")),
    ("bob", "nlp", "cpu", ("--mem=1000", "-n1")),
    ("bob", "nlp", "v100", ("--mem=32000", "-n8", "--gres=gpu:v100:1")),
)
_OWN: Final = frozenset({"job_db_inx"})


def sql(statement: str) -> str:
    """Run a statement in slurmdbd's database."""
    ran = subprocess.run(
        ["mysql", "-BN", "slurm_acct", "-e", statement],
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


def run_patterns() -> list[int]:
    """Run one real job of each pattern and return their numbers once they are over."""
    jobs = []
    for owner, account, queue, options in PATTERNS:
        ran = subprocess.run(
            ["runuser", "-u", owner, "--", "sbatch", "--parsable", "--chdir=/tmp",
             "--output=/dev/null", "-A", account, "-p", queue, *options,
             "--wrap=sleep 1"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        jobs.append(int(ran.stdout.split(";")[0]))
    those = ",".join(map(str, jobs))
    # The end of a short job may be there before its queue is.
    whole = "time_end > 0 and `partition` <> '' and tres_alloc <> ''"
    query = f"select count(*) from {CLUSTER}_job_table where {whole}"  # noqa: S608  our own words
    while int(sql(f"{query} and id_job in ({those})")) < len(jobs):
        time.sleep(1)
    return jobs


def columns() -> list[str]:
    told = sql(f"show columns from {CLUSTER}_job_table").splitlines()
    names = [line.split("\t")[0] for line in told]
    return [name for name in names if name not in _OWN]


def copy(job: int, count: int, first: int, every_s: float, now: int) -> None:
    """Add copies of a job that ended in the last year, one every so many seconds."""
    begun = f"{now} - {DAY_S} - floor(s.seq * {every_s})"
    lasts = "60 + (s.seq * 7919) % 20000"
    waits = "(s.seq * 31) % 900"
    other = {
        "id_job": f"{first} + s.seq",
        "job_name": "concat('train-resnet50-seed', s.seq)",
        "time_submit": f"{begun} - {waits}",
        "time_eligible": f"{begun} - {waits}",
        "time_start": begun,
        "time_end": f"{begun} + {lasts}",
        "state": "if(s.seq % 20 = 0, 5, 3)",
        "submit_line": "'sbatch train.sh'",
    }
    names = columns()
    values = ", ".join(other.get(name, f"j.`{name}`") for name in names)
    sql(
        f"insert into {CLUSTER}_job_table (`{'`, `'.join(names)}`) select {values}"  # noqa: S608  columns of Slurm's own
        f" from {CLUSTER}_job_table j join seq_1_to_{count} s where j.id_job = {job}"
        f" and j.job_db_inx = (select max(job_db_inx) from {CLUSTER}_job_table"
        f" where id_job = {job})"
    )


def main(jobs: str) -> None:
    """Make so many jobs and print how long it took."""
    each = int(jobs) // len(PATTERNS)
    began, now = time.monotonic(), int(time.time())
    for number, pattern in enumerate(run_patterns()):
        first = 1_000_000 + number * 10_000_000
        copy(pattern, each, first, (DAYS - 2) * DAY_S / each, now)
    sql(f"analyze table {CLUSTER}_job_table")
    print(json.dumps(round(time.monotonic() - began, 1)))


if __name__ == "__main__":
    main(*sys.argv[1:])
