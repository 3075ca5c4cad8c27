"""What must be true of the portal's own parts: directory, door, database, worker."""

import json
import stat
from collections.abc import Sequence
from typing import Final

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import DoorRefused, DoorUnreachable
from kqi_hub.domain.health import Certificate, FileFacts, Sandbox
from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import Door
from kqi_hub.services.checks.finding import Finding, fail, ok, warn
from kqi_hub.services.freshness import Trust, judge

DOOR: Final = "door"
DOOR_FILE: Final = "door files"
WORKER: Final = "worker"
STRAYS: Final = "notebooks"
SANDBOX: Final = "namespaces here"

DAY_S: Final = 86400
RENEW_DAYS: Final = 21
SHOWN: Final = 5
START_DOOR: Final = "Start the helper: systemctl start kqi-runas"
_START_WORKER: Final = "Start it: systemctl start kqi-worker"
# Each kernel switch that can forbid namespaces: the value that forbids, the remedy.
_SWITCHES: Final = {
    "user.max_user_namespaces": ("0", "sysctl user.max_user_namespaces=15000"),
    "kernel.unprivileged_userns_clone": (
        "0",
        "sysctl kernel.unprivileged_userns_clone=1",
    ),
    "kernel.apparmor_restrict_unprivileged_userns": (
        "1",
        "install an AppArmor profile that allows bwrap user namespaces",
    ),
}


def judge_certificate(name: str, certificate: Certificate, now: float) -> Finding:
    """Warn before a directory server's certificate runs out."""
    days = int((certificate.expires_at - now) // DAY_S)
    seen = f"certificate verified, days left: {days}; bind and search work"
    if days < RENEW_DAYS:
        todo = f"Renew the certificate of {certificate.subject or 'the server'}."
        return warn(name, seen, todo)
    return ok(name, seen)


def judge_door_socket(facts: FileFacts, folder: FileFacts) -> Finding:
    """See that only root can have put the socket where it is."""
    path = facts.path
    if facts.kind != "socket":
        return fail(DOOR_FILE, f"{path} {facts.is_what}", START_DOOR)
    for one in (facts, folder):
        if one.uid != 0:
            seen = f"{one.path} belongs to {one.owner}, who could answer as the helper"
            return fail(DOOR_FILE, seen, f"Stop kqi-runas; chown root {folder.path}")
    if folder.mode & (stat.S_IWGRP | stat.S_IWOTH):
        seen = f"{folder.path} has mode {folder.mode:04o}: the socket can be swapped"
        return fail(DOOR_FILE, seen, f"Run: chmod 0755 {folder.path}")
    if facts.mode & stat.S_IWOTH:
        seen = f"{path} has mode {facts.mode:04o}: anybody may knock"
        todo = "Let the service user's group alone connect (mode 0660)."
        return warn(DOOR_FILE, seen, todo)
    return ok(DOOR_FILE, f"{path}: root's, mode {facts.mode:04o}, {facts.group}")


def judge_door_program(facts: FileFacts) -> Finding:
    """See that only root can have written what runs with root's rights."""
    if facts.kind != "file":
        todo = "Install the helper, or correct door.sudo_command."
        return fail(DOOR_FILE, f"{facts.path} {facts.is_what}", todo)
    if facts.uid != 0 or facts.mode & (stat.S_IWGRP | stat.S_IWOTH):
        seen = f"{facts.path} belongs to {facts.owner}, mode {facts.mode:04o}"
        todo = f"Run: chown root:root {facts.path}; chmod go-w {facts.path}"
        return fail(DOOR_FILE, f"{seen}: others may change what root runs", todo)
    return ok(DOOR_FILE, f"{facts.path}: root's, mode {facts.mode:04o}")


async def try_door(door: Door) -> Finding:
    """Hear that the helper answers this caller, and that it refuses to be root.

    Making root's scratch folder would do no harm, should it not be refused.
    """
    try:
        ping = await door.run("ping", "", {})
    except DoorUnreachable as unreachable:
        return fail(DOOR, unreachable.message, START_DOOR)
    except DoorRefused as refused:
        todo = "Run the doctor as the service user, one of the helper's `callers`."
        return fail(DOOR, refused.message, todo)
    version = _version_in(ping.stdout)
    try:
        answer = await door.run("make-scratch", "root", {})
    except DoorRefused as refused:
        said = refused.message.rpartition(": ")[2]
        return ok(DOOR, f"version {version} answers and refuses root: {said}")
    seen = f"becomes root for whoever may call it (exit code {answer.exit_code})"
    return fail(DOOR, seen, "Stop kqi-runas at once and check its installation.")


def judge_worker(
    holder: int | None, freshness: Freshness, now: float, stale_after_s: float
) -> Finding:
    """See that a worker runs and that its picture is young."""
    standing = judge(freshness, now, stale_after_s)
    if holder is None:
        return fail(WORKER, f"none runs. {standing.sentence}", _START_WORKER)
    who = f"runs as process {holder}" if holder else "runs"
    seen = f"{who}. {standing.sentence}"
    if standing.trust is Trust.FRESH:
        return ok(WORKER, seen)
    if standing.trust is Trust.PARTIAL:
        return warn(WORKER, seen, "See the line about accounting.")
    return fail(WORKER, seen, "See the lines about Slurm, and journalctl -u kqi-worker")


def judge_strays(strays: Sequence[Job]) -> Finding:
    """Tell of jobs of notebooks that no session has: they run, and nobody sees them."""
    if not strays:
        return ok(STRAYS, "every job of a notebook has its session")
    shown = ", ".join(f"{job.job_id} of {job.user}" for job in strays[:SHOWN])
    more = f" and {len(strays) - SHOWN} more" if len(strays) > SHOWN else ""
    seen = f"no session has these jobs of notebooks: {shown}{more}"
    return warn(STRAYS, seen, "Ask their owners; see kqi-hub repair.")


def judge_sandbox(sandbox: Sandbox) -> Finding:
    """Say whether jobs could get folders of their own, as far as this machine shows."""
    if sandbox.worked:
        seen = "bubblewrap works for plain users on this machine; only looked here"
        return ok(SANDBOX, seen)
    if not sandbox.bwrap:
        todo = "Install bubblewrap on the nodes; without it jobs use $KQI_HOME."
        return warn(SANDBOX, "no bwrap on this machine; only looked here", todo)
    for name, (forbids, remedy) in _SWITCHES.items():
        if sandbox.sysctls.get(name) == forbids:
            seen = f"{name}={forbids} forbids them here; only looked here"
            return warn(SANDBOX, seen, f"On the nodes: {remedy}")
    seen = f"bwrap fails here: {sandbox.said or 'without a word'}; only looked here"
    return warn(SANDBOX, seen, "Try on a node: kqi-hub doctor --person NAME")


def _version_in(text: str) -> str:
    try:
        told = json.loads(text)
        return str(told["version"])
    except (ValueError, KeyError, TypeError):
        return "unknown"
