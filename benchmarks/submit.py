"""Submitting: 1,000 preprocessing runs and a single one, beside bare sbatch."""

from collections.abc import Mapping
from typing import Final

from benchmarks.cluster import Say, bench_cluster
from benchmarks.peer_venv import peer_python
from benchmarks.result import Figure, Goal, Result, machine
from benchmarks.submit_inside import MANY, ROUNDS, SINGLES

ABOUT: Final = "1,000 runs as one array and a single run, beside sbatch and submitit"
PEER: Final = "submitit"
REQUIREMENTS: Final = ("submitit==1.5.4",)
MOST_MANY_S: Final = 2.0
MOST_SINGLE_MS: Final = 60.0
# Slurm's own limit of arrays, 1001, is left as it is. Jobs that were cancelled are
# remembered for some minutes: three rounds of all ways are more than 10,000.
SLURM_CONF: Final = "MaxJobCount=30000\n"

Figures = Mapping[str, Mapping[str, float]]


def run(say: Say) -> Result:
    """Measure all in turn on one cluster."""
    python = peer_python(PEER, REQUIREMENTS, say)
    with bench_cluster(SLURM_CONF, say) as cluster:
        cluster.demo("service", "worker", "start")
        say("Submitting, for about ten minutes")
        figures = cluster.run("benchmarks.submit_inside", str(python))
    conditions = {
        **machine(),
        "rounds": f"{ROUNDS} of {MANY} jobs, {SINGLES} of a single one, in turn; no "
        "job starts: all nodes are taken",
        "ours": "POST …/preprocessing/ID/run through the proxy, until the portal shows "
        "the job of every run; single: POST …/training until it shows the job",
        "peer": f"{REQUIREMENTS[0]}: executor.map_array, after its import",
        "floor": "sbatch --array of the very script that the portal submitted",
        "calls": "sdiag: those as the person, and the portal's about one job",
    }
    return judge(figures, conditions)


def judge(figures: Figures, conditions: dict[str, object]) -> Result:
    """Compare with the goals; one bare submission is what a controller has to bear."""
    ours, single = figures["ours"], figures["single, ours"]
    above = 1000 * (single["median_s"] - figures["single, sbatch"]["median_s"])
    one_submission = figures["sbatch calls"]["calls"] / MANY
    return Result(
        bench="submit",
        ours=Figure(f"{MANY} runs, asked until at Slurm", ours["median_s"], "s"),
        peer=Figure(f"{PEER}'s array", figures[PEER]["median_s"], "s"),
        floor=Figure("sbatch --array", figures["sbatch --array"]["median_s"], "s"),
        goals=(
            Goal.below(f"seconds for {MANY} runs", MOST_MANY_S, ours["median_s"]),
            # A call more or less, and no more.
            Goal.below(
                f"calls for {MANY} runs beyond one sbatch's",
                1.5,
                ours["calls"] - one_submission,
            ),
            Goal.below("single run, ms above bare sbatch", MOST_SINGLE_MS, above),
        ),
        conditions=conditions,
        details=figures,
    )
