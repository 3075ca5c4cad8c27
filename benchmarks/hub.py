"""The hub with 200 live sessions and 50 people, ours beside batchspawner's."""

from collections.abc import Mapping
from typing import Final

from benchmarks.batchspawner_peer import PEER, REQUIREMENTS
from benchmarks.cluster import Say, bench_cluster
from benchmarks.hub_inside import BUSY_S, QUIET_S, SESSIONS
from benchmarks.page_load import LOOKS_S, PEOPLE
from benchmarks.peer_venv import peer_python
from benchmarks.result import Figure, Goal, Result, machine

ABOUT: Final = f"{SESSIONS} live sessions, {PEOPLE} people: lag of the loops, and CPU"
MOST_LAG_MS: Final = 20.0
MOST_CPU_PERCENT: Final = 10.0

Figures = Mapping[str, Mapping[str, float]]


def run(say: Say) -> Result:
    """Measure one after the other on one cluster."""
    python = peer_python(PEER, REQUIREMENTS, say)
    with bench_cluster("", say) as cluster:
        cluster.demo("service", "worker", "start")
        say("Loading pages, for about six minutes")
        figures = cluster.run("benchmarks.hub_inside", str(python))
    conditions = {
        **machine(),
        "sessions": f"{SESSIONS} servers of one person, jobs that only sleep",
        "people": f"{PEOPLE}, a page each {LOOKS_S:g} s; they share the two CPUs",
        "quiet_s": QUIET_S,
        "busy_s": BUSY_S,
        "lag": "how long /hub/health and /healthz take, asked every 20 ms",
        "peer": f"{REQUIREMENTS[0]}, poll_interval 30 s, as it is shipped",
    }
    return judge(figures, conditions)


def judge(figures: Figures, conditions: dict[str, object]) -> Result:
    quiet, busy = figures["ours, nobody looks"], figures[f"ours, {PEOPLE} look"]
    peer_busy = figures[f"peer, {PEOPLE} look"]
    slower = max(busy["hub_lag_p99_ms"], busy["portal_lag_p99_ms"])
    cpu = quiet["hub_cpu_percent"] + quiet["worker_cpu_percent"]
    return Result(
        bench="hub",
        ours=Figure("p99 lag of hub or portal, people look", slower, "ms"),
        peer=Figure(f"{PEER}, its hub", peer_busy["hub_lag_p99_ms"], "ms"),
        floor=Figure(
            "our hub's median, nobody looks", quiet["hub_lag_median_ms"], "ms"
        ),
        goals=(
            Goal.below(
                "p99 lag of the hub, people look, ms",
                MOST_LAG_MS,
                busy["hub_lag_p99_ms"],
            ),
            Goal.below(
                "p99 lag of the portal, people look, ms",
                MOST_LAG_MS,
                busy["portal_lag_p99_ms"],
            ),
            Goal.below("CPU of hub and worker, percent", MOST_CPU_PERCENT, cpu),
        ),
        conditions=conditions,
        details=figures,
    )
