"""Start programs as pid 1, and collect the end of every child, orphans included."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kqi_hub.devstack import layout
from kqi_hub.devstack.accounts import Account, group_ids, read_accounts, read_groups


class CommandFailed(Exception):
    """A program that had to succeed did not; the message carries its last words."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program, who runs it, and what it finds in its environment."""

    argv: tuple[str, ...]
    user: str = "root"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def program(self) -> str:
        """Return its name for a message."""
        return Path(self.argv[0]).name


@dataclass(slots=True)
class Running:
    """A child: its pid here, and its exit status once it has one."""

    pid: int
    ended: asyncio.Future[int]
    # Held so that Popen's own bookkeeping does not wait for a child of ours.
    popen: subprocess.Popen[bytes]

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if not self.ended.done():
            os.kill(self.pid, number)


class Processes:
    """The children of this process; one instance, since only one can reap."""

    def __init__(self) -> None:
        self._children: dict[int, Running] = {}
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def start(self, command: Command, output: int, stdin: int | None = None) -> Running:
        """Start a program in a session of its own, writing to the file `output`.

        Raises CommandFailed when there is no such program or user.
        """
        account, groups = _identity(command.user)
        environment = {
            "PATH": layout.PATH,
            "LANG": "C.UTF-8",
            "TMPDIR": str(layout.TMP),
            "HOME": account.home,
            "USER": account.name,
            "LOGNAME": account.name,
        }
        try:
            popen = subprocess.Popen(
                command.argv,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=output,
                stderr=output,
                cwd="/",
                env=environment | dict(command.environment),
                user=account.uid,
                group=account.gid,
                extra_groups=groups,
                start_new_session=True,
                umask=0o022,
            )
        except OSError as error:
            raise CommandFailed(f"{command.argv[0]}: {error.strerror}") from error
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        running = Running(popen.pid, ended, popen)
        self._children[popen.pid] = running
        return running

    async def run(self, command: Command, log: Path, given: str = "") -> None:
        """Run a program to its end; raise CommandFailed unless it succeeds."""
        with log.open("ab") as output:
            status = await self._to_end(command, output.fileno(), given)
        if status != 0:
            raise CommandFailed(f"{command.program} ended with status {status}")

    async def output(self, command: Command) -> tuple[int, str]:
        """Return a program's exit status and what it printed, complaints included."""
        with os.fdopen(_file_with(""), "r+b") as output:
            status = await self._to_end(command, output.fileno())
            output.seek(0)
            return status, output.read().decode(errors="replace").strip()

    async def _to_end(self, command: Command, output: int, given: str = "") -> int:
        stdin = _file_with(given) if given else None
        try:
            running = self.start(command, output, stdin)
        finally:
            if stdin is not None:
                os.close(stdin)
        try:
            return await asyncio.shield(running.ended)
        except asyncio.CancelledError:
            running.signal(signal.SIGKILL)
            raise

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            running = self._children.pop(pid, None)
            if running is not None:
                code = os.waitstatus_to_exitcode(status)
                running.popen.returncode = code
                running.ended.set_result(code)


def _identity(user: str) -> tuple[Account, list[int]]:
    for account in read_accounts(Path("/etc")):
        if account.name == user:
            groups = read_groups(Path("/etc"))
            return account, group_ids(user, account.gid, groups)
    raise CommandFailed(f"there is no user {user}: is its Debian package installed?")


def _file_with(text: str) -> int:
    """Return an unnamed file that holds `text`, for a child to read."""
    handle = os.memfd_create("stdin")
    os.write(handle, text.encode())
    os.lseek(handle, 0, os.SEEK_SET)
    return handle
