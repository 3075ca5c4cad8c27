"""From the click to a usable page, ours beside batchspawner and beside both floors."""

from collections.abc import Mapping
from typing import Final

from benchmarks.batchspawner_peer import PEER, REQUIREMENTS
from benchmarks.cluster import Say, bench_cluster
from benchmarks.peer_venv import peer_python
from benchmarks.result import Figure, Goal, Result, machine
from benchmarks.spawn_inside import ROUNDS

ABOUT: Final = "from the click to a usable notebook, and where the time goes"
MOST_ABOVE_FLOORS_S: Final = 0.5
LEAST_RATIO: Final = 1.5

Figures = Mapping[str, Mapping[str, float]]


def run(say: Say) -> Result:
    """Measure all in turn on one cluster."""
    python = peer_python(PEER, REQUIREMENTS, say)
    with bench_cluster("", say) as cluster:
        cluster.demo("service", "worker", "start")
        say("Starting notebooks, for about five minutes")
        figures = cluster.run("benchmarks.spawn_inside", str(python))
    conditions = {
        **machine(),
        "rounds": f"{ROUNDS}, all four in turn; the first of each is the cold one",
        "usable": "the page /lab answers 200 through the proxy",
        "ours": "over the portal's REST interface, click = POST …/start",
        "peer": f"{REQUIREMENTS[0]} as it is shipped, click = POST …/servers/NAME",
        "server": "JupyterLab of the same release, 1 CPU, loopback nodes",
    }
    return judge(figures, conditions)


def judge(figures: Figures, conditions: dict[str, object]) -> Result:
    ours, peer = figures["ours"], figures["peer"]
    floor = figures["bare sbatch"]["median_s"] + figures["bare server"]["median_s"]
    return Result(
        bench="spawn",
        ours=Figure("click to page, median", ours["median_s"], "s"),
        peer=Figure(f"{PEER}, median", peer["median_s"], "s"),
        floor=Figure("bare sbatch start + bare server boot", round(floor, 2), "s"),
        goals=(
            Goal.below(
                "seconds above the floors, median",
                MOST_ABOVE_FLOORS_S,
                ours["median_s"] - floor,
            ),
            Goal.at_least(
                "times faster than the peer, median",
                LEAST_RATIO,
                peer["median_s"] / ours["median_s"],
            ),
        ),
        conditions=conditions,
        details=figures,
    )
