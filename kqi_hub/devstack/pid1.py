"""The supervisor's process: takes namespaces of its own, then runs the cluster."""

import argparse
import asyncio
import json
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from kqi_hub.devstack import catalogue, furnish, layout, mounts, portal, session_env
from kqi_hub.devstack.launch import write_pid
from kqi_hub.devstack.layout import Folder
from kqi_hub.devstack.people import PEOPLE
from kqi_hub.devstack.ports import keep_ports
from kqi_hub.devstack.processes import Processes
from kqi_hub.devstack.server import ControlServer
from kqi_hub.devstack.supervisor import StepFailed, Supervisor


class CannotStart(Exception):
    """Something about this machine or checkout stands in the way; the message helps."""


class Launcher:
    """The other end of the start: it hears of each step, and we notice its end."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def tell(self, event: str, **fields: object) -> None:
        """Send one line; a launcher that has gone hears nothing."""
        line = json.dumps({"event": event, **fields}) + "\n"
        try:
            self._connection.sendall(line.encode())
        except OSError:
            self._connection.close()

    async def gone(self) -> None:
        """Return once the launcher has ended."""
        reader, _writer = await asyncio.open_unix_connection(
            sock=self._connection.dup()
        )
        await reader.read()

    def leave(self) -> None:
        """Say goodbye."""
        self._connection.close()


async def _run(ports: Mapping[str, int], launcher: Launcher, *, stay: bool) -> None:
    """Run the cluster until it is stopped or, unless it may stay, the launcher ends."""
    began = time.monotonic()
    folder = Folder(layout.STACK)
    supervisor = Supervisor(catalogue.steps(ports), Processes(), folder.logs)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server = ControlServer(supervisor, ports, stopping)
    await server.listen(folder.control)

    def told(step: str, seconds: float) -> None:
        launcher.tell("step", name=step, seconds=round(seconds, 2))

    up = asyncio.create_task(
        supervisor.bring_up(told, first_start=not folder.furnished.exists())
    )
    stop = asyncio.create_task(stopping.wait())
    gone = asyncio.create_task(launcher.gone())
    await asyncio.wait({up, stop, gone}, return_when=asyncio.FIRST_COMPLETED)
    if up.done() and _came_up(up, launcher, supervisor):
        folder.furnished.touch()
        launcher.tell("ready", seconds=round(time.monotonic() - began, 2))
        trimming = asyncio.create_task(supervisor.trim_logs())
        if stay:
            launcher.leave()
        ends = {stop} if stay else {stop, gone}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        trimming.cancel()
    up.cancel()
    await supervisor.bring_down(server.told_of_stop)
    folder.control.unlink()


def _came_up(
    up: asyncio.Task[None], launcher: Launcher, supervisor: Supervisor
) -> bool:
    error = up.exception()
    if error is None:
        return True
    if not isinstance(error, StepFailed):
        raise error
    log = str(supervisor.log_of(error.step).name)
    launcher.tell("failed", name=error.step, reason=error.reason, log=log)
    return False


def main() -> None:
    """Take over: arguments are the folder and the sockets that the launcher opened."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--launcher-fd", type=int, required=True)
    parser.add_argument("--lock-fd", type=int, required=True)
    parser.add_argument("--stay", action="store_true")
    arguments = parser.parse_args()
    os.umask(0o022)
    # Ours alone: a service that held either would outlive us in the launcher's eyes.
    os.set_inheritable(arguments.lock_fd, False)
    os.set_inheritable(arguments.launcher_fd, False)
    launcher = Launcher(socket.socket(fileno=arguments.launcher_fd))
    with ExitStack() as reserved:
        try:
            ports = _prepare(Folder(arguments.folder), launcher, reserved)
        except (OSError, CannotStart) as error:
            launcher.tell("failed", name="private-root", reason=str(error), log=None)
            sys.exit(1)
        asyncio.run(_run(ports, launcher, stay=arguments.stay))


def _prepare(
    folder: Folder, launcher: Launcher, reserved: ExitStack
) -> Mapping[str, int]:
    """Furnish and enter the private root; return the ports."""
    began = time.monotonic()
    folder.control.unlink(missing_ok=True)
    write_pid(folder)
    _require_readable_code(layout.checkout())
    ports = keep_ports(folder.ports, catalogue.PORT_NAMES, reserved)
    furnish.make_folders(folder)
    furnish.write_etc(folder, ports)
    names = tuple(person.name for person in PEOPLE)
    mounts.enter_private_root(folder, layout.checkout(), names)
    portal.write_commands()
    session_env.write_session_environment()
    seconds = round(time.monotonic() - began, 2)
    launcher.tell("step", name="private-root", seconds=seconds)
    return ports


def _require_readable_code(checkout: Path) -> None:
    """Refuse a checkout whose files only their owner may read: services are others."""
    for name in (".venv/bin", ".venv/lib", "kqi_hub", "kqi_hub/__init__.py", "."):
        place = checkout / name
        if not place.stat().st_mode & stat.S_IROTH:
            raise CannotStart(
                f"{place} cannot be read by the service users (umask 077?)."
                f" Run: chmod -R go+rX {checkout}"
            )


if __name__ == "__main__":
    main()
