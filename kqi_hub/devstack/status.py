"""What `./demo status` tells: one document, the same from outside and inside."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kqi_hub.devstack.control import NobodyAnswers, ask
from kqi_hub.devstack.layout import Folder
from kqi_hub.devstack.people import PEOPLE, one_time_code


def read_status(folder: Folder, supervisor: int | None) -> dict[str, Any]:
    """Return the state of everything; `supervisor` is its pid for one outside."""
    try:
        answer = dict(next(iter(ask(folder.control, verb="status"))))
    except (NobodyAnswers, StopIteration):
        state = "stopped" if supervisor is None else "starting"
        answer = {"state": state, "started_at": None, "ports": {}, "services": []}
    pids = _host_pids(supervisor) if supervisor is not None else {}
    services = [
        one
        | {
            "log": str(folder.logs / one["log"]),
            "pid": pids.get(one["pid"], one["pid"]),
        }
        for one in answer["services"]
    ]
    return {
        "state": answer["state"],
        "url": None,
        "folder": str(folder.path),
        "supervisor_pid": supervisor,
        "started_at": answer["started_at"],
        "ports": answer["ports"],
        "services": services,
        "people": _people(folder),
    }


def _host_pids(supervisor: int) -> dict[int, int]:
    """Return the host's pid for each pid of the supervisor's namespace."""
    ours = os.readlink(f"/proc/{supervisor}/ns/pid")
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "ns/pid") == ours:
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
        return {"code": None, "code_valid_s": None}
    code, valid_s = one_time_code(code_secret)
    return {"code": code, "code_valid_s": valid_s}
