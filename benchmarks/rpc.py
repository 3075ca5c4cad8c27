"""What notebooks cost slurmctld, ours beside batchspawner as it is shipped."""

from collections.abc import Mapping
from typing import Final

from benchmarks.batchspawner_peer import PEER, REQUIREMENTS
from benchmarks.cluster import Say, bench_cluster
from benchmarks.peer_venv import peer_python
from benchmarks.result import Figure, Goal, Result, machine
from benchmarks.rpc_inside import SESSIONS, WINDOW_S

ABOUT: Final = "slurmctld's calls for 0, 1, 5, 20 notebooks, a start, a stop, a page"
MOST: Final = max(SESSIONS)
# Extrapolated, not measured: ours does not grow, the peer's grows by the session.
IMAGINED: Final = 500

Figures = Mapping[str, Mapping[str, float]]


def run(say: Say) -> Result:
    """Measure both at the same time on one cluster."""
    python = peer_python(PEER, REQUIREMENTS, say)
    with bench_cluster("", say) as cluster:
        cluster.demo("service", "worker", "start")
        say("Starting, watching and stopping notebooks, for about ten minutes")
        figures = cluster.run("benchmarks.rpc_inside", str(python))
    conditions = {
        **machine(),
        "window_s": WINDOW_S,
        "ours": "portal, hub and worker; the worker looks every 5 s (usual: 10 s)",
        "peer": f"{REQUIREMENTS[0]}, poll_interval 30 s, as it is shipped",
    }
    return judge(figures, conditions)


def judge(figures: Figures, conditions: dict[str, object]) -> Result:
    idle, busy = _minute(figures, 0), _minute(figures, MOST)
    each_ours = (busy["ours"] - idle["ours"]) / MOST
    each_peer = (busy["peer"] - idle["peer"]) / MOST
    told = {
        **figures,
        f"extrapolated to {IMAGINED} sessions, calls a minute": {
            "ours": round(idle["ours"] + each_ours * IMAGINED, 1),
            "peer": round(each_peer * IMAGINED, 1),
        },
    }
    start, stop, view = (
        figures[f"a {what}"] for what in ("start", "stop", "page view")
    )
    return Result(
        bench="rpc",
        ours=Figure(f"calls a minute, {MOST} sessions", busy["ours"], "calls"),
        peer=Figure(f"{PEER}, {MOST} sessions", busy["peer"], "calls"),
        floor=Figure("ours, no session: the worker's looks", idle["ours"], "calls"),
        goals=(
            # Two looks of the worker more or less may fall into a window.
            Goal.below("calls a minute for each further session", 0.5, each_ours),
            Goal.below("calls for a start", 3.5, start["ours"]),
            Goal.below("calls for a stop", 2.5, stop["ours"]),
            Goal.below("calls for a page view", 0.01, view["ours"]),
        ),
        conditions=conditions,
        details=told,
    )


def _minute(figures: Figures, sessions: int) -> Mapping[str, float]:
    return figures[f"{sessions} sessions, calls a minute"]
