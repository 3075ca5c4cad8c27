"""What `./demo status` tells: one document, the same from outside and inside."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kqi_hub.devstack.layout import Folder
from kqi_hub.devstack.people import CODE_PERIOD_S, PEOPLE, one_time_code


def read_status(
    folder: Folder, answer: Mapping[str, Any] | None, supervisor: int | None
) -> dict[str, Any]:
    """Return the state of everything.

    `answer` is the supervisor's own, `supervisor` its pid for one outside: pids are
    then the host's.
    """
    state = _state_without_answer(folder, supervisor)
    known = answer or {"state": state, "started_at": None, "ports": {}, "services": []}
    pids = _host_pids(supervisor) if supervisor is not None else {}
    return {
        "state": known["state"],
        "url": _url(known["ports"]),
        "folder": str(folder.path),
        "supervisor_pid": supervisor,
        "started_at": known["started_at"],
        "ports": known["ports"],
        "services": [
            one
            | {
                "log": str(folder.logs / one["log"]),
                "pid": pids.get(one["pid"], one["pid"]),
            }
            for one in known["services"]
        ],
        "people": _people(folder),
    }


def _state_without_answer(folder: Folder, supervisor: int | None) -> str:
    if supervisor is None:
        return "stopped"
    return "silent" if folder.control.exists() else "starting"


def _url(ports: Mapping[str, int]) -> str | None:
    return f"http://127.0.0.1:{ports['proxy']}/" if "proxy" in ports else None


def _host_pids(supervisor: int) -> dict[int, int]:
    """Return the host's pid for each pid of the supervisor's namespace."""
    ours = Path(f"/proc/{supervisor}/ns/pid").readlink()
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "ns/pid").readlink() == ours:
                found[_inner_pid(process)] = int(process.name)
        except (OSError, ValueError):  # ended meanwhile
            continue
    return found


def _inner_pid(process: Path) -> int:
    for line in (process / "status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    raise ValueError(f"{process}/status has no NSpid")


def _people(folder: Folder) -> list[dict[str, Any]]:
    stored: Mapping[str, Any] = {}
    if folder.people.exists():
        stored = json.loads(folder.people.read_text())
    return [
        {
            "name": person.name,
            "about": person.about,
            "tenants": list(person.tenants),
            "password": stored[person.name]["password"],
            **_code(stored[person.name]["code_secret"]),
        }
        for person in PEOPLE
        if person.name in stored
    ]


def _code(code_secret: str | None) -> dict[str, Any]:
    if code_secret is None:
        return {"code": None, "code_valid_s": None, "next_code": None}
    now = time.time()
    code, valid_s = one_time_code(code_secret, now)
    next_code, _ = one_time_code(code_secret, now + CODE_PERIOD_S)
    return {"code": code, "code_valid_s": valid_s, "next_code": next_code}
