"""A year of 1,000,000 finished jobs from slurmdbd into the book, beside sacct alone."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.cluster import ROOT, BenchCluster, Say, bench_cluster
from benchmarks.peer_venv import peer_python
from benchmarks.result import Figure, Goal, Result, machine

ABOUT: Final = "taking in 1,000,000 finished jobs, and a tick of five minutes"
JOBS: Final = int(os.environ.get("KQI_BENCH_JOBS", "1000000"))
PANDAS: Final = ("pandas==2.2.3",)
SLURM_CONF: Final = "# as it is\n"

Figures = dict[str, Any]


def run(say: Say) -> Result:
    """Measure the floor, the peer and ours, one after the other."""
    python = peer_python("pandas", PANDAS, say)
    with bench_cluster(SLURM_CONF, say) as cluster:
        version = cluster.demo("run", "sinfo", "--version").split()[-1]
        say(f"Making {JOBS} finished jobs in slurmdbd's tables")
        cluster.run("benchmarks.ingest_history", str(JOBS))
        found = measure(cluster, python, say)
    conditions = {
        **machine(),
        "slurm": version,
        "jobs": JOBS,
        "database": "SQLite",
        "days": 365,
        "answers": "sacct in steps of 30 days; ours in steps of about 100,000 rows",
    }
    return judge(found, conditions)


def measure(cluster: BenchCluster, python: Path, say: Say) -> dict[str, Figures]:
    """Measure every way, each in a process of its own."""
    inside = "benchmarks.ingest_inside"
    folder = tempfile.mkdtemp(prefix="kqi-ingest-", dir=cluster.folder.path)
    found: dict[str, Figures] = {}
    try:
        # The first reading warms MariaDB for all of them.
        for way in ("warm", "floor"):
            say("sacct alone")
            found[way] = cluster.run(inside, "floor", folder)
        say("pandas")
        script = ROOT / "benchmarks/ingest_pandas.py"
        found["peer"] = cluster.run(inside, "peer", f"{python}:{script}")
        for way in ("ours", "tick"):
            say(f"ours: {way}")
            found[way] = cluster.run(inside, way, folder)
    finally:
        shutil.rmtree(folder)
    return found


def judge(found: dict[str, Figures], conditions: dict[str, object]) -> Result:
    """Compare with sacct alone, and with the goals."""
    ours, floor, tick = found["ours"], found["floor"], found["tick"]
    return Result(
        bench="ingest",
        ours=Figure(f"{JOBS} jobs read, kept, charged, summed", ours["wall_s"], "s"),
        peer=Figure("pandas over sacct, only summed", found["peer"]["wall_s"], "s"),
        floor=Figure("sacct alone, nothing read", floor["wall_s"], "s"),
        goals=(
            Goal.below("times sacct alone", 2.0, ours["wall_s"] / floor["wall_s"]),
            Goal.below("a tick of five minutes, s", 1.0, tick["wall_s"]),
            Goal.below("memory of the worker's part, MB", 300, ours["memory_peak_mb"]),
            Goal.at_least("jobs that are records", JOBS, ours["records"]),
            Goal.at_least(
                "records a second of own CPU",
                30_000,
                ours["records"] / max(0.01, ours["own_cpu_s"]),
            ),
        ),
        conditions=conditions,
        details=found,
    )
