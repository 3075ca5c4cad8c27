"""The declarative table: every service and task, and what each waits for."""

import asyncio
import json
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path

from kqi_hub.devstack import database, directory, layout, portal, slurmconf
from kqi_hub.devstack.people import TENANTS, keep_secrets
from kqi_hub.devstack.ports import LOOPBACK
from kqi_hub.devstack.processes import Command, Processes
from kqi_hub.devstack.services import Check, Service, Step, Task, Work

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PORT_NAMES = (
    "slurmctld",
    "slurmdbd",
    "slurmrestd",
    "ldap",
    "ldaps",
    *portal.PORTS,
    *(slurmconf.slurmd(node) for node in slurmconf.NODE_NAMES),
)
_SLURMDS = tuple(slurmconf.slurmd(node) for node in slurmconf.NODE_NAMES)


def steps(ports: Mapping[str, int]) -> tuple[Step, ...]:
    """Return everything that a start goes through; the order is that of `needs`."""
    return (
        Service("munged", _MUNGED, succeeding(_MUNGE_CHECK)),
        *_directory(ports),
        *_accounting(ports),
        *_slurm(ports),
        *_portal(ports),
    )


_MUNGED = Command(("munged", "--foreground"), user="munge")
_MUNGE_CHECK = Command(("munge", "-n", "-o", "/dev/null"), user="slurm")


def _directory(ports: Mapping[str, int]) -> tuple[Step, ...]:
    return (
        Task("directory-entries", running(directory.load()), first_start_only=True),
        Service(
            "slapd",
            directory.server(ports["ldap"], ports["ldaps"]),
            succeeding(directory.check(ports["ldaps"])),
            ("directory-entries",),
            ports["ldaps"],
        ),
    )


def _accounting(ports: Mapping[str, int]) -> tuple[Step, ...]:
    return (
        Task("mariadb-files", running(database.install()), first_start_only=True),
        Service(
            "mariadb",
            database.server(),
            succeeding(database.check()),
            ("mariadb-files",),
        ),
        Service(
            "slurmdbd",
            Command(("slurmdbd", "-D"), user="slurm"),
            succeeding(Command(("sacctmgr", "-n", "show", "cluster"))),
            ("munged", "mariadb"),
            ports["slurmdbd"],
        ),
        Task(
            "accounting-cluster",
            sacctmgr(slurmconf.sacctmgr_before_controller()),
            ("slurmdbd",),
            first_start_only=True,
        ),
        Task(
            "accounting-people",
            sacctmgr(slurmconf.sacctmgr_after_controller()),
            ("slurmctld",),
            first_start_only=True,
        ),
    )


def _slurm(ports: Mapping[str, int]) -> tuple[Step, ...]:
    return (
        Service(
            "slurmctld",
            Command(("slurmctld", "-D"), user="slurm"),
            succeeding(Command(("scontrol", "ping"))),
            ("accounting-cluster",),
            ports["slurmctld"],
        ),
        *(
            Service(
                slurmconf.slurmd(node),
                Command(("slurmd", "-D", "-N", node)),
                listening(ports[slurmconf.slurmd(node)]),
                ("munged", "accounting-cluster"),
                ports[slurmconf.slurmd(node)],
            )
            for node in slurmconf.NODE_NAMES
        ),
        Service(
            "slurmrestd",
            Command(
                (
                    "slurmrestd",
                    "-a",
                    "rest_auth/jwt",
                    f"127.0.0.1:{ports['slurmrestd']}",
                ),
                user="slurmrestd",
                environment={"SLURM_JWT": "daemon"},
            ),
            listening(ports["slurmrestd"]),
            ("slurmctld",),
            ports["slurmrestd"],
        ),
        Task("nodes-idle", _wait_for_nodes, ("slurmctld", *_SLURMDS)),
    )


def _portal(ports: Mapping[str, int]) -> tuple[Step, ...]:
    return (
        Service("runas", portal.door(), accepting(portal.DOOR_SOCKET)),
        Task("database", running(portal.upgrade_database())),
        Service(
            "worker",
            portal.worker(),
            _looked_since(time.time()),
            ("database", "runas", "slapd", "slurmctld", "accounting-people"),
        ),
        Task("keys", running(portal.make_keys()), ("database",), first_start_only=True),
        Task("code-devices", _enrol_people, ("keys",), first_start_only=True),
        Task("store-folders", running(portal.prepare_store(TENANTS))),
        Service(
            "store",
            portal.store(ports["store"]),
            answering(ports["store"], "/services/store/healthz"),
            ("store-folders",),
            ports["store"],
        ),
        Service("proxy", portal.proxy(), listening(ports["proxy"]), (), ports["proxy"]),
        Service(
            "portal",
            portal.pages(),
            answering(ports["portal"], "/services/portal/healthz"),
            ("database",),
            ports["portal"],
        ),
        # The hub waits for its services, so the portal goes before it.
        Service(
            "hub",
            portal.hub(),
            answering(ports["hub"], "/hub/health"),
            ("proxy", "portal", "store", "keys", "slapd"),
            ports["hub"],
        ),
        # The hub tells the proxy the ways to both a little later.
        Task(
            "ways",
            _until(answering(ports["proxy"], "/services/portal/healthz")),
            ("hub",),
        ),
    )


async def _enrol_people(processes: Processes, log: Path) -> None:
    """Give the people their code devices; their keys are those of people.json."""
    for name, secret in keep_secrets(layout.STACK / "people.json").items():
        if secret.code_secret is not None:
            await processes.run(portal.enrol(name), log, f"{secret.code_secret}\n")


def _until(check: Check) -> Work:
    """Return a task's work: wait until a check holds."""

    async def work(processes: Processes, log: Path) -> None:
        while refusal := await check(processes):
            _note(log, refusal)
            await asyncio.sleep(_LOOK_EVERY_S)

    return work


def succeeding(command: Command) -> Check:
    """Return a check: this command ends well."""

    async def check(processes: Processes) -> str:
        status, output = await processes.output(command)
        return "" if status == 0 else output or f"status {status}"

    return check


def _looked_since(moment: float) -> Check:
    """Return a check: the worker's picture is fresh, and not of an earlier run."""

    async def check(processes: Processes) -> str:
        status, output = await processes.output(portal.picture())
        if status != 0 or not output.startswith("{"):
            return output
        picture = json.loads(output)["picture"]
        if picture["trust"] == "fresh" and picture["taken_at"] >= moment:
            return ""
        return f"it has not looked at the cluster: {picture}"

    return check


def accepting(path: Path) -> Check:
    """Return a check: something accepts connections on this Unix socket."""

    async def check(_: Processes) -> str:
        return await _refusal(asyncio.open_unix_connection(path))

    return check


def listening(port: int) -> Check:
    """Return a check: something accepts connections on this loopback port."""

    async def check(_: Processes) -> str:
        return await _refusal(asyncio.open_connection(LOOPBACK, port))

    return check


def answering(port: int, path: str) -> Check:
    """Return a check: 200 is the answer at this path, by the proxy of this port."""

    async def check(_: Processes) -> str:
        request = f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n"
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.write(request.encode())
            status = await reader.readline()
        except OSError as error:
            return str(error)
        writer.close()
        return "" if b" 200 " in status else f"{path}: {status.decode().strip()}"

    return check


async def _refusal(connecting: Coroutine[None, None, _Streams]) -> str:
    try:
        _reader, writer = await connecting
    except OSError as error:
        return str(error)
    writer.close()
    return ""


def running(command: Command) -> Work:
    """Return a task's work: run this command, which must succeed."""

    async def work(processes: Processes, log: Path) -> None:
        await processes.run(command, log)

    return work


def sacctmgr(lines: str) -> Work:
    """Return a task's work: give these lines to one sacctmgr."""

    async def work(processes: Processes, log: Path) -> None:
        await processes.run(Command(("sacctmgr", "-i")), log, lines)

    return work


async def _wait_for_nodes(processes: Processes, log: Path) -> None:
    """Wait until every node has reported to slurmctld, drained or not."""
    while True:
        _status, text = await processes.output(
            Command(("sinfo", "-h", "-N", "-o", "%N %T"))
        )
        states = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
        missing = [
            node
            for node in slurmconf.NODE_NAMES
            if states.get(node, "*").endswith("*") or states[node] in _ABSENT
        ]
        if not missing:
            return
        _note(log, f"not in service yet: {' '.join(missing)}\n{text}")
        await asyncio.sleep(_LOOK_EVERY_S)


def _note(log: Path, text: str) -> None:
    log.write_text(text)


_LOOK_EVERY_S = 0.2
_ABSENT = frozenset({"down", "unknown"})
