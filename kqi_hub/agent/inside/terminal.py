"""A program on a terminal of its own, and what is kept of what it has written.

While somebody looks, it writes no faster than they take it: a flood must not fill the
agent's memory. While nobody does, it goes on, and the newest part is kept for them.
"""

import asyncio
import errno
import fcntl
import os
import pty
import signal
import struct
import termios
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_PIECE: Final = 64 * 1024
KEPT_BYTES: Final = 256 * 1024
_HANGUP_S: Final = 3.0
_LOST: Final = 255
_RESETTABLE: Final = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


@dataclass(frozen=True, slots=True)
class Size:
    """How many columns and rows somebody sees."""

    columns: int
    rows: int


Viewer = Callable[[bytes], Awaitable[None]]


class Terminal:
    """One terminal, its program, and whoever looks at it."""

    def __init__(
        self, command: Sequence[str], surroundings: Mapping[str, str], size: Size
    ) -> None:
        """Start the program. Takes about a millisecond."""
        self._master, name = _open_terminal(size)
        try:
            self.pid = os.posix_spawn(
                command[0], tuple(command), dict(surroundings),
                # A session's first terminal that is opened becomes its own.
                file_actions=(
                    (os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2),
                ),
                setsid=True,
                # Python ignores SIGPIPE, and who started us may have ignored ctrl-c:
                # programs would inherit it, and a shell keeps it for all it starts.
                setsigdef=_RESETTABLE,
                setsigmask=(),
            )  # fmt: skip
        except OSError:
            os.close(self._master)
            raise
        self.exit_code: int | None = None
        self.ended = asyncio.Event()
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._viewer: Viewer | None = None
        self._unsent: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._typed = bytearray()
        self._loop = asyncio.get_running_loop()
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self._has_ended)
        self._loop.add_reader(self._master, self._read)
        self._is_open = True
        self._showing: asyncio.Task[None] | None = None

    @property
    def is_watched(self) -> bool:
        """Tell whether somebody looks."""
        return self._viewer is not None

    async def show(self, viewer: Viewer) -> None:
        """Send what is kept and what comes to one viewer, until it leaves or ends.

        Whoever looked before is pushed aside.
        """
        if self._showing is not None:
            self._showing.cancel()
        self._showing = asyncio.current_task()
        self._viewer = viewer
        news = asyncio.Event()
        self._news = news
        self._unsent.clear()
        self._unsent_bytes = 0
        try:
            await viewer(b"".join(self._kept))
            while not (self.ended.is_set() and not self._unsent):
                while self._unsent:
                    piece = self._unsent.popleft()
                    await viewer(piece)
                    self._unsent_bytes -= len(piece)
                    self._listen()
                if not self.ended.is_set():
                    await news.wait()
                    news.clear()
        finally:
            if self._viewer is viewer:
                self._viewer, self._showing = None, None
                self._unsent.clear()
                self._unsent_bytes = 0
                self._listen()

    _news: asyncio.Event | None = None

    def type(self, data: bytes) -> None:
        """Give the program what somebody types; what it does not take waits."""
        if not self._is_open or len(self._typed) + len(data) > _PIECE * 16:
            return
        self._typed += data
        self._write()

    def resize(self, size: Size) -> None:
        """Tell the program how much is seen."""
        if self._is_open:
            _set_size(self._master, size)

    def hang_up(self) -> None:
        """End the program as a closed window does, and for sure a little later."""
        self._signal(signal.SIGHUP)
        self._loop.call_later(_HANGUP_S, self._signal, signal.SIGKILL)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGHUP)
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _listen(self) -> None:
        """Read on, unless the viewer has enough to take."""
        if self._is_open and self._unsent_bytes < _PIECE:
            self._loop.add_reader(self._master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._master, _PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            # EIO: the last program that had the terminal has let go of it.
            data = b"" if error.errno == errno.EIO else self._give_up()
        if not data:
            self._close()
            return
        self._keep(data)
        if self._viewer is not None:
            self._unsent.append(data)
            self._unsent_bytes += len(data)
            self._tell()
            if self._unsent_bytes >= _PIECE:
                self._loop.remove_reader(self._master)

    def _give_up(self) -> bytes:
        self.kill()
        return b""

    def _keep(self, data: bytes) -> None:
        self._kept.append(data)
        self._kept_bytes += len(data)
        while self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft())

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()

    def _write(self) -> None:
        with suppress(BlockingIOError, OSError):
            count = os.write(self._master, self._typed)
            del self._typed[:count]
        if self._typed:
            self._loop.add_writer(self._master, self._write)
        else:
            self._loop.remove_writer(self._master)

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._master)
            self._loop.remove_writer(self._master)
            os.close(self._master)

    def _has_ended(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        try:
            _, status = os.waitpid(self.pid, 0)
            self.exit_code = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            self.exit_code = _LOST
        if self._is_open:
            self._drain()
        self.ended.set()
        self._tell()

    def _drain(self) -> None:
        """Take its last words, and no more: what it left behind may write for ever."""
        for _ in range(4):
            if self._is_open:
                self._read()
        self._close()


def _open_terminal(size: Size) -> tuple[int, str]:
    master, slave = pty.openpty()
    try:
        name = os.ttyname(slave)
        os.set_blocking(master, False)
        _set_size(master, size)
    finally:
        os.close(slave)
    return master, name


def _set_size(terminal: int, size: Size) -> None:
    with suppress(OSError):
        said = struct.pack("HHHH", size.rows, size.columns, 0, 0)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, said)
