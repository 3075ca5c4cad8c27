"""200 live sessions and 50 people who load pages: ours, then the peer's hub.

    python -m benchmarks.hub_inside PEER_PYTHON

Runs inside the cluster, as root. First with nobody looking, then with everybody.
"""

import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.batchspawner_peer import peer_hub
from benchmarks.live_sessions import (
    cancel_all,
    one_server_for_all,
    sleeping_jobs,
    write_servers,
)
from benchmarks.login_inside import pid_of
from benchmarks.our_portal import PORTS, our_portal
from benchmarks.page_load import PEOPLE, load_pages, told
from kqi_hub.devstack.control import ask
from kqi_hub.devstack.portal import STATE

SESSIONS = 200
QUIET_S = 70.0
BUSY_S = 60.0
_SETTLE_S = 20.0
ALICE, BOB = "alice", "bob"
PORTAL = "/services/portal"


class ServiceFailed(Exception):
    """A service of the cluster did not do what it was told."""


def main(python: str) -> None:
    ports = json.loads(PORTS.read_text())
    figures: dict[str, Mapping[str, Any]] = {}
    with one_server_for_all() as page:
        ours(ports, page, figures)
        cancel_all(ALICE)
        peers(Path(python), page, figures)
        cancel_all(BOB)
    print(json.dumps(figures))


def ours(
    ports: Mapping[str, int], page: int, figures: dict[str, Mapping[str, Any]]
) -> None:
    portal = our_portal(ALICE)  # from here on the hub knows alice
    names = [f"live-{number}" for number in range(SESSIONS)]
    jobs = sleeping_jobs(ALICE, "vision", names)
    made = as_portal("benchmarks.our_sessions", ALICE, "vision", str(page), *jobs)
    states = {
        f"nb-{notebook}": {
            "profile": "notebook",
            "child_state": {"session": session, "is_placed": True},
            "token": "",
        }
        for notebook, session in made.items()
    }
    service("hub", "stop")
    database = STATE / "hub.sqlite"
    write_servers(database, ALICE, page, states, {"profile": "notebook"})
    service("hub", "start")
    time.sleep(_SETTLE_S)
    pids = {
        "hub": pid_of("-m", "jupyterhub"),
        "portal": pid_of("-m", "hub_config.portal"),
        "worker": pid_of("-m", "kqi_hub.worker"),
    }
    probes = {
        "hub_lag": f"http://127.0.0.1:{ports['hub']}/hub/health",
        "portal_lag": f"http://127.0.0.1:{ports['portal']}{PORTAL}/healthz",
    }
    pages = [f"{PORTAL}/", f"{PORTAL}/notebooks"]
    figures["ours, nobody looks"] = told(load_pages([], pages, probes, pids, QUIET_S))
    figures[f"ours, {PEOPLE} look"] = told(
        load_pages([portal.another] * PEOPLE, pages, probes, pids, BUSY_S)
    )
    figures["ours, sessions"] = {"live": portal.live_count()}


def peers(python: Path, page: int, figures: dict[str, Mapping[str, Any]]) -> None:
    with peer_hub(python, "cpu", "nlp") as peer:
        peer.add_person(BOB)
        database = peer.folder / "jupyterhub.sqlite"
    names = [f"live-{number}" for number in range(SESSIONS)]
    jobs = sleeping_jobs(BOB, "nlp", names)
    states = {
        name: {"job_id": str(job), "job_status": "RUNNING cpu01"}
        for name, job in zip(names, jobs, strict=True)
    }
    write_servers(database, BOB, page, states, {})
    with peer_hub(python, "cpu", "nlp") as peer:
        time.sleep(_SETTLE_S)
        probes = {"hub_lag": f"{peer.hub_url}/hub/health"}
        pids = {"hub": peer.pid}
        figures["peer, nobody looks"] = told(load_pages([], [], probes, pids, QUIET_S))
        browsers: list[Callable[[], httpx2.Client]] = [
            lambda: peer.logged_in(BOB)
        ] * PEOPLE
        figures[f"peer, {PEOPLE} look"] = told(
            load_pages(browsers, ["/hub/home"], probes, pids, BUSY_S)
        )
        figures["peer, sessions"] = {"live": peer.live_count(BOB)}


def as_portal(module: str, *words: object) -> Any:
    """Run a module of ours as the portal's user and return the JSON it prints."""
    account = pwd.getpwnam("kqi")
    ran = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=os.getgrouplist("kqi", account.pw_gid),
        env={"PATH": "/usr/bin:/bin", "KQI_CONFIG": "/etc/kqi/kqi.toml"},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(ran.stdout)


def service(name: str, action: str) -> None:
    """Start or stop a service of the cluster, and wait until that is done."""
    control = Path(os.environ["KQI_STACK"]) / "control.sock"
    for answer in ask(control, verb="service", service=name, action=action):
        if "error" in answer:
            raise ServiceFailed(f"{action} {name}: {answer['error']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
