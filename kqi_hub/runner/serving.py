"""The server's process: started early, told late what to serve, ended with care."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

# Slurm insists some time (KillWait, 30 s unless changed) after it has asked.
_GRACE_S: Final = 15.0


class Server:
    """A server that imports, then waits to be told what to serve."""

    def __init__(
        self, listener: socket.socket, environment: Mapping[str, str], folder: Path
    ) -> None:
        self._listener = listener
        reader, writer = os.pipe()
        self._orders = os.fdopen(writer, "wb")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "kqi_hub.session.server"],
            cwd=folder,
            env=dict(environment),
            stdin=reader,
            pass_fds=[listener.fileno()],
        )
        os.close(reader)

    def serve(self, order: Mapping[str, object]) -> None:
        """Tell it what to serve."""
        whole = {**order, "listen_fd": self._listener.fileno()}
        try:
            with self._orders as stream:
                stream.write(json.dumps(whole).encode() + b"\n")
        except BrokenPipeError:
            return  # it has ended; `wait` tells how
        self._listener.close()

    def wait(self) -> int:
        """Return its exit code, as a shell would: 128 and more after a signal."""
        while self._process.returncode is None:
            # What others have left behind and this process was given is buried as well.
            pid, status = os.waitpid(-1, 0)
            if pid == self._process.pid:
                self._process.returncode = os.waitstatus_to_exitcode(status)
        code = int(self._process.returncode)
        return code if code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        """Pass a signal on, if it still runs."""
        if self._process.poll() is None:
            os.kill(self._process.pid, number)

    def end(self, say: Callable[[str], None]) -> None:
        """Ask it to end, and insist when it does not."""
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            say(f"The server did not end within {_GRACE_S:.0f} s and is killed.")
            self._process.kill()
