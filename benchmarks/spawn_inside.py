"""Start notebooks of ours and the peer's, and what both are made of, in turn.

    python -m benchmarks.spawn_inside PEER_PYTHON

Runs inside the cluster, as root.
"""

import json
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles

import httpx2

from benchmarks.batchspawner_peer import PeerHub, peer_hub
from benchmarks.login_peer import free_port
from benchmarks.our_portal import OurPortal, our_portal

ROUNDS = 10
QUEUE = "cpu"
ALICE, BOB = "alice", "bob"
_LONGEST_S = 120.0


class TookTooLong(Exception):
    """Something that was measured did not happen."""


def main(python: str) -> None:
    ours = our_portal(ALICE)
    ours.add("bench", QUEUE, "vision")
    found: dict[str, list[float]] = {}
    phases: list[Mapping[str, float]] = []
    with peer_hub(Path(python), QUEUE, "nlp") as peer:
        peer.add_person(BOB)
        for _ in range(ROUNDS):
            found.setdefault("ours", []).append(start_ours(ours, phases))
            found.setdefault("peer", []).append(start_peer(peer))
            found.setdefault("bare sbatch", []).append(bare_sbatch())
            found.setdefault("bare server", []).append(bare_server())
    figures = {name: told(times) for name, times in found.items()}
    figures["ours, median seconds to each phase"] = typical(phases)
    print(json.dumps(figures))


def start_ours(ours: OurPortal, phases: list[Mapping[str, float]]) -> float:
    clicked, began = time.time(), time.monotonic()
    ours.start("bench")
    ours.wait_ready("bench")
    took = time.monotonic() - began
    reached = ours.phases("bench")
    phases.append({name: at - clicked for name, at in reached.items()})
    ours.stop("bench")
    return took


def start_peer(peer: PeerHub) -> float:
    began = time.monotonic()
    peer.start(BOB, "bench")
    peer.wait_ready(BOB, "bench")
    took = time.monotonic() - began
    peer.stop(BOB, "bench")
    return took


def bare_sbatch() -> float:
    """Return the time from sbatch to the first line of the script."""
    with tempfile.TemporaryDirectory() as folder:
        open_to_all(folder)
        mark = Path(folder) / "began"
        began = time.monotonic()
        script = f"date > {mark}.new; mv {mark}.new {mark}"
        as_person(
            ["sbatch", "-p", QUEUE, "-A", "nlp", "-o", "/dev/null", "--wrap", script]
        )
        wait_until(mark.exists, "the bare job did not start")
        return time.monotonic() - began


def bare_server() -> float:
    """Return the time from a bare JupyterLab's start to its page, without a hub."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        open_to_all(folder)
        began = time.monotonic()
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser"),
                *(f"--port={port}", "--IdentityProvider.token=", "--ip=127.0.0.1"),
                f"--ServerApp.root_dir={folder}",
            ],
            env={"PATH": "/usr/bin:/bin", "HOME": folder},
            cwd=folder,
            user=BOB,
            group=pwd.getpwnam(BOB).pw_gid,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            page = f"http://127.0.0.1:{port}/lab"
            wait_until(lambda: answers(page), "the bare server did not answer")
            return time.monotonic() - began
        finally:
            server.terminate()
            server.wait()


def open_to_all(folder: str) -> None:
    """Let a person work in a folder of ours, which nobody else looks at."""
    Path(folder).chmod(0o777)


def as_person(argv: Sequence[str]) -> None:
    subprocess.run(
        ["runuser", "-u", BOB, "--", *argv],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
    )


def answers(page: str) -> bool:
    try:
        return httpx2.get(page, timeout=5).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def wait_until(what: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while not what():
        if time.monotonic() > deadline:
            raise TookTooLong(why)
        time.sleep(0.01)


def told(times: Sequence[float]) -> dict[str, float]:
    """Return the cold first one apart, and what the warm ones took."""
    cold, warm = times[0], times[1:]
    return {
        "median_s": round(median(warm), 2),
        "p90_s": round(quantiles(warm, n=10, method="inclusive")[8], 2),
        "cold_s": round(cold, 2),
    }


def typical(phases: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = phases[0].keys()
    return {
        name: round(median(one[name] for one in phases if name in one), 2)
        for name in names
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
