"""One poll of the cluster: nodes, queues and jobs, at 0, 1,000 and 10,000 jobs."""

from typing import Any, Final

from benchmarks.cluster import BenchCluster, Say, bench_cluster
from benchmarks.result import Figure, Goal, Result, machine

ABOUT: Final = "CPU, wall time and memory of one look at nodes, queues and jobs"
NODES: Final = 2000
SIZES: Final = (0, 1000, 10_000)
LARGEST: Final = SIZES[-1]
PICTURES: Final = 5
POLLS: Final = {"ours": 9, "json": 3, "rest": 3, "floor": 9}
SLURM_CONF: Final = f"""\
MaxJobCount=20000
NodeName=bench[0001-{NODES}] NodeAddr=127.0.0.1 Port=9 CPUs=64 RealMemory=512000 \
Gres=gpu:a100:8 State=DOWN Reason="no such machine"
PartitionName=bench Nodes=bench[0001-{NODES}] MaxTime=7-00:00:00
"""

Figures = dict[str, Any]


def run(say: Say) -> Result:
    """Measure ours, `--json`, slurmrestd and the floor, one after the other."""
    figures: dict[int, dict[str, Figures]] = {}
    with bench_cluster(SLURM_CONF, say) as cluster:
        version = cluster.demo("run", "sinfo", "--version").split()[-1]
        present = 0
        for size in SIZES:
            if size > present:
                say(f"Submitting {size - present} jobs")
                cluster.run("benchmarks.slurm_load", str(present), str(size))
                present = size
            figures[size] = measure(cluster, size, say)
        worker = watch_worker(cluster, say)
    conditions = {
        **machine(),
        "slurm": version,
        "configured_nodes": NODES,
        "jobs": LARGEST,
        "changed_between_polls": "1 job in 100",
        "polls": POLLS,
    }
    return judge(figures, worker, conditions)


def watch_worker(cluster: BenchCluster, say: Say) -> Figures:
    """Measure the real worker, which also stores what it reads."""
    say(f"{LARGEST:6} jobs: the worker itself")
    cluster.demo("service", "worker", "start")
    figures: Figures = cluster.run("benchmarks.worker_inside", str(PICTURES))
    return figures


def measure(cluster: BenchCluster, size: int, say: Say) -> dict[str, Figures]:
    """Measure every way at one size, each in a process of its own."""
    measured = {}
    for way, polls in POLLS.items():
        say(f"{size:6} jobs: {way}")
        measured[way] = cluster.run("benchmarks.snapshot_inside", way, str(polls))
    return measured


def judge(
    figures: dict[int, dict[str, Figures]],
    worker: Figures,
    conditions: dict[str, object],
) -> Result:
    """Compare the ways at the largest size with the goals."""
    at = figures[LARGEST]
    ours, json_way, floor = at["ours"], at["json"], at["floor"]
    cpu = ours["steady"]["cpu_ms"]
    times_less = json_way["steady"]["cpu_ms"] / cpu
    return Result(
        bench="snapshot",
        ours=Figure(f"CPU of one poll, {LARGEST} jobs, programs included", cpu, "ms"),
        peer=Figure("the same with --json", json_way["steady"]["cpu_ms"], "ms"),
        floor=Figure(
            "the cheapest squeue and sinfo, nothing read",
            floor["steady"]["cpu_ms"],
            "ms",
        ),
        goals=(
            Goal.at_least("times less client CPU than --json", 10, times_less),
            Goal.below("worker CPU of a steady poll, ms", 150, cpu),
            Goal.below(
                "worker CPU of the first poll, ms", 150, ours["first"]["cpu_ms"]
            ),
            Goal.below(
                "memory of the reading process, MB", 120, ours["memory_peak_mb"]
            ),
            Goal.below(
                "CPU of the worker, storing included, ms", 150, worker["cpu_ms"]
            ),
            Goal.below("memory of the worker, MB", 120, worker["memory_peak_mb"]),
        ),
        conditions=conditions,
        details={**details(figures), f"{LARGEST} jobs, worker": worker},
    )


def details(figures: dict[int, dict[str, Figures]]) -> dict[str, dict[str, float]]:
    """Return every figure by size and way, flat."""
    told: dict[str, dict[str, float]] = {}
    for size, ways in figures.items():
        for way, found in ways.items():
            label = f"{size} jobs, {way}"
            told[label] = {**found["steady"], "memory_peak_mb": found["memory_peak_mb"]}
            told[label]["slurmctld_cpu_ms"] = found["slurmctld_cpu_ms"]
            if way == "ours":
                told[f"{label}, first poll"] = found["first"]
            if way == "rest":
                told[label]["slurmrestd_cpu_ms"] = found["slurmrestd_cpu_ms"]
                told[label]["slurmrestd_memory_mb"] = found["slurmrestd_memory_mb"]
    return told
