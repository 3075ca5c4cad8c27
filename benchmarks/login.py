"""Logins, ours with the second factor beside jupyterhub-ldapauthenticator without."""

from collections.abc import Mapping
from typing import Final

from benchmarks.cluster import Say, bench_cluster
from benchmarks.login_inside import CLIENTS, ROUND_S, ROUNDS
from benchmarks.login_peer import PEER, REQUIREMENTS
from benchmarks.peer_venv import peer_python
from benchmarks.result import Figure, Goal, Result, machine

ABOUT: Final = "logins a second and how long each takes, password and code"
PEOPLE: Final = 320
MOST: Final = max(CLIENTS)
# The peer's quicker way is the one that ours is held to.
AGAINST: Final = "peer, template"

Figures = Mapping[str, Mapping[str, float]]


def run(say: Say) -> Result:
    """Measure all on one cluster, round about."""
    python = peer_python(PEER, REQUIREMENTS, say)
    with bench_cluster("", say) as cluster:
        say(f"Making {PEOPLE} people with code devices")
        cluster.run("benchmarks.login_people", str(PEOPLE))
        say("Logging in, for about two minutes")
        figures = cluster.run("benchmarks.login_inside", str(python))
    conditions = {
        **machine(),
        "people": PEOPLE,
        "rounds": f"{ROUNDS} of {ROUND_S:g} s each way, in turn",
        "ours": "name, password (search, groups, bind) and one-time code",
        "peer": f"{REQUIREMENTS[0]}: name and password, the quicker of two ways",
        "passwords": "SSHA in OpenLDAP, the same for all",
    }
    return judge(figures, conditions)


def judge(figures: Figures, conditions: dict[str, object]) -> Result:
    """Compare with the peer's quicker way; less is better, so time for each login."""
    ours, peer = at(figures, "ours", MOST), at(figures, AGAINST, MOST)
    floor = at(figures, "bare bind", MOST)
    return Result(
        bench="login",
        ours=_time_each(f"one login, {MOST} at once, code included", ours),
        peer=_time_each(f"{PEER}, without a code", peer),
        floor=_time_each("a bare bind over the same kind of connection", floor),
        goals=(*_goals(figures),),
        conditions=conditions,
        details=figures,
    )


def at(figures: Figures, way: str, clients: int) -> Mapping[str, float]:
    return figures[f"{way}, {clients} at once"]


def _time_each(name: str, figures: Mapping[str, float]) -> Figure:
    return Figure(name, round(1000 / figures["per_s"], 2), "ms")


def _goals(figures: Figures) -> list[Goal]:
    goals = []
    for clients in CLIENTS:
        ours, peer = at(figures, "ours", clients), at(figures, AGAINST, clients)
        goals += [
            Goal.at_least(
                f"logins a second, times the peer's, {clients} at once",
                1,
                ours["per_s"] / peer["per_s"],
            ),
            Goal.at_least(
                f"p99, the peer's over ours, {clients} at once",
                1,
                peer["p99_ms"] / ours["p99_ms"],
            ),
        ]
    return goals
