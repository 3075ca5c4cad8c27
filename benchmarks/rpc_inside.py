"""Count slurmctld's calls with 0, 1, 5, 20 sessions; runs inside the cluster.

    python -m benchmarks.rpc_inside PEER_PYTHON

Both systems run at the same time, each for a person of its own, and sdiag counts by
user: alice's and the portal's own calls are ours, bob's are the peer's, which becomes
bob for each question. Of the portal's own calls only those for one job belong to a
start or a stop: the others are the worker's looks, which go on whatever happens.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.batchspawner_peer import PeerHub, peer_hub
from benchmarks.our_portal import OurPortal, our_portal
from benchmarks.slurm_rpcs import Counts, counts

SESSIONS = (0, 1, 5, 20)
WINDOW_S = 90.0
VIEWS = 20
ROUNDS = 3
QUEUE = "cpu"
ALICE, PORTAL, BOB = "alice", "kqi", "bob"
ABOUT_ONE_JOB = "REQUEST_JOB_INFO_SINGLE"
_SETTLE_S = 12.0


class Sides:
    """Ours and the peer's, doing the same."""

    def __init__(self, ours: OurPortal, peer: PeerHub) -> None:
        self.ours, self.peer = ours, peer

    def start_ours(self, name: str) -> None:
        self.ours.start(name)
        self.ours.wait_ready(name)

    def start_peer(self, name: str) -> None:
        self.peer.start(BOB, name)
        self.peer.wait_ready(BOB, name)

    def stop_peer(self, name: str) -> None:
        self.peer.stop(BOB, name)

    def one_after_the_other(self) -> dict[str, dict[str, float]]:
        """Start and stop with nothing else running, a few times."""
        found: dict[str, list[int]] = {}
        self.ours.add("alone", QUEUE, "vision")
        for _ in range(ROUNDS):
            for what, act, cost in (
                ("start, ours", self.start_ours, _ours),
                ("stop, ours", self.ours.stop, _ours),
                ("start, peer", self.start_peer, _peers),
                ("stop, peer", self.stop_peer, _peers),
            ):
                found.setdefault(what, []).append(_cost(act, "alone", cost))
        middle = {what: median(costs) for what, costs in found.items()}
        return {
            "a start": {
                "ours": middle["start, ours"],
                "peer": middle["start, peer"],
            },
            "a stop": {"ours": middle["stop, ours"], "peer": middle["stop, peer"]},
        }

    def add(self, number: int) -> None:
        name = f"bench-{number}"
        self.ours.add(name, QUEUE, "vision")
        self.start_ours(name)
        self.start_peer(name)

    def remove(self, number: int) -> None:
        self.ours.stop(f"bench-{number}")
        self.stop_peer(f"bench-{number}")

    def views(self) -> dict[str, float]:
        """Look at the pages that list what runs; one session of each runs."""
        before = counts()
        for _ in range(VIEWS):
            self.ours.view_home()
        middle = counts()
        for _ in range(VIEWS):
            self.peer.view_home(BOB)
        after = counts()
        return {
            "ours": _ours(before, middle) / VIEWS,
            "peer": _peers(middle, after) / VIEWS,
        }


def _cost(
    act: Callable[[str], None], name: str, cost: Callable[[Counts, Counts], int]
) -> int:
    before = counts()
    act(name)
    return cost(before, counts())


def _ours(before: Counts, after: Counts) -> int:
    """Return what was asked as alice, and by the portal for one job."""
    of_one_job = after.kind(ABOUT_ONE_JOB) - before.kind(ABOUT_ONE_JOB)
    return after.of([ALICE]) - before.of([ALICE]) + of_one_job


def _peers(before: Counts, after: Counts) -> int:
    return after.of([BOB]) - before.of([BOB])


def window() -> dict[str, float]:
    """Return the calls a minute of a while in which nothing is done."""
    before = counts()
    time.sleep(WINDOW_S)
    after = counts()
    minutes = WINDOW_S / 60
    everything = after.of([ALICE, PORTAL]) - before.of([ALICE, PORTAL])
    return {
        "ours": round(everything / minutes, 1),
        "as the person": round((after.of([ALICE]) - before.of([ALICE])) / minutes, 1),
        "peer": round(_peers(before, after) / minutes, 1),
    }


def main(python: str) -> None:
    figures: dict[str, dict[str, float]] = {}
    with peer_hub(Path(python), QUEUE, "nlp") as peer:
        peer.add_person(BOB)
        sides = Sides(our_portal(ALICE), peer)
        figures |= sides.one_after_the_other()
        running = 0
        for wanted in SESSIONS:
            for number in range(running, wanted):
                sides.add(number)
            running = wanted
            if running == 1:
                figures["a page view"] = sides.views()
            time.sleep(_SETTLE_S)
            figures[f"{wanted} sessions, calls a minute"] = window()
        for number in range(running):
            sides.remove(number)
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
