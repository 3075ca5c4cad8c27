"""Slurm's own roll-up of three years of 400 people, and sreport over it; runs inside.

The roll-up's tables are filled directly: what sreport reads is by account, day and
resource, however many jobs there were.
"""

import json
import subprocess
import time
from statistics import median
from typing import Final

from benchmarks.ingest_history import CLUSTER, sql
from benchmarks.report_history import PEOPLE, YEARS, person, tenant

TIMES: Final = 10
_DAY_S: Final = 86_400


def add_people() -> None:
    """Make the accounts and their people in slurmdbd."""
    of: dict[str, list[str]] = {}
    for number in range(PEOPLE):
        of.setdefault(tenant(number), []).append(person(number))
    _run("sacctmgr", "-i", "add", "account", ",".join(of))
    for account, people in of.items():
        _run("sacctmgr", "-i", "add", "user", ",".join(people), f"account={account}")


def fill() -> None:
    """Give each of them some use of each day and month."""
    people = f"{CLUSTER}_assoc_table a where a.user regexp '^u[0-9]{{3}}$'"
    gpu = sql("select id from tres_table where type='gres' and name='gpu'") or "1"
    now = "unix_timestamp()"
    days = "unix_timestamp(date_sub(curdate(), interval s.seq day))"
    first = "date_format(date_sub(curdate(), interval s.seq month), '%Y-%m-01')"
    for table, at, count in (
        ("day", days, YEARS * 365),
        ("month", f"unix_timestamp({first})", YEARS * 12),
    ):
        for tres in dict.fromkeys(("1", gpu)):
            sql(
                f"insert ignore into {CLUSTER}_assoc_usage_{table}_table"  # noqa: S608  our own words
                " (creation_time, mod_time, deleted, id, id_tres, time_start,"
                " alloc_secs)"
                f" select {now}, {now}, 0, a.id_assoc, {tres}, {at},"
                " 3600 + (a.id_assoc * s.seq) % 80000"
                f" from seq_1_to_{count} s join {people}"
            )
            # Of a time of which it knows no machines, sreport tells nobody's use.
            sql(
                f"insert ignore into {CLUSTER}_usage_{table}_table"  # noqa: S608  our own words
                " (creation_time, mod_time, deleted, id_tres, time_start, count,"
                " alloc_secs)"
                f" select {now}, {now}, 0, {tres}, {at}, 1000, 0"
                f" from seq_1_to_{count} s"
            )


def ask() -> dict[str, float]:
    """Return how long sreport takes for what the portal is asked, in milliseconds."""
    begins = time.localtime(time.time() - 365 * _DAY_S)
    # Midnights: for any other moment sreport reads what is kept by hour.
    span = [f"start={time.strftime('%Y-%m-01', begins)}", time.strftime("end=%Y-%m-%d")]
    options = ["sreport", "--noheader", "--parsable2", "-t", "Seconds"]
    tres = "--tres=cpu,gres/gpu"
    found = {}
    for name, words in {
        "by account and person": ["cluster", "AccountUtilizationByUser"],
        "by person": ["user", "TopUsage", "TopCount=1000"],
    }.items():
        times = []
        for _ in range(TIMES):
            began = time.perf_counter()
            told = _run(*options, tres, *words, *span)
            times.append((time.perf_counter() - began) * 1000)
        found[f"{name}, ms"] = round(median(times), 1)
        if not told:
            raise SystemExit(f"sreport tells nothing {name}")
        found[f"{name}, lines"] = len(told.splitlines())
    return found


def _run(*words: str) -> str:
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    return ran.stdout


if __name__ == "__main__":
    add_people()
    fill()
    print(json.dumps(ask()))
