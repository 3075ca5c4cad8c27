"""A store alone, as a process of a user of its own, with one tenant."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.cluster import BenchFailed
from kqi_hub.domain.tickets import Ticket, signed

TENANT: Final = "bench"
_STORE, _GROUP = 64801, 64811
_KEY: Final = b"k" * 40
_CODE: Final = Path(__file__).parents[1]
_PACK_FILES: Final = 2000


@dataclass(frozen=True)
class StoreProcess:
    """A store that runs."""

    base: Path
    port: int
    pid: int

    @property
    def place(self) -> Path:
        return self.base / "store" / TENANT

    def ask(self, verb: str, **fields: Any) -> Any:
        """Ask as the portal."""
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(self.base / "run/s"))
            asked = {"verb": verb, "tenant": TENANT, **fields}
            one.sendall(json.dumps(asked).encode() + b"\n")
            with one.makefile("rb") as lines:
                for raw in lines:
                    said = json.loads(raw)
                    if "ok" in said:
                        return said["ok"]
                    if "error" in said:
                        raise BenchFailed(f"{verb}: {said}")
        raise BenchFailed(f"{verb}: no answer")

    def send(self, key: str, files: Sequence[tuple[str, bytes]]) -> None:
        """Send small files in packs over one connection after the other."""
        for first in range(0, len(files), _PACK_FILES):
            self._put(key, "pack", _packed(files[first : first + _PACK_FILES]))

    def publish(self, key: str, data: int, files: int, size: int) -> None:
        self.ask("publish", upload=key, data=data, files=files, bytes=size)

    def wait_until_removed(self) -> None:
        while any(self.place.joinpath("removing").iterdir()):
            time.sleep(0.1)

    def _put(self, key: str, path: str, body: bytes) -> None:
        until = time.time() + 3600
        ticket = Ticket(key, TENANT, "alice", 10**9, 10**15, until)
        word = {"Authorization": f"Bearer {signed(ticket, _KEY)}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, 600)
        address = f"/services/store/uploads/{key}/{path}"
        connection.request("PUT", address, body, word)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status != 200:
            raise BenchFailed(f"{path}: {said.decode()}")


@contextmanager
def store_process() -> Iterator[StoreProcess]:
    """Run a store in a folder of its own, which is gone at the end."""
    base = Path(tempfile.mkdtemp(prefix="kqi-bench-store-"))
    _furnish(base)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        f"--root={base}/store", f"--socket={base}/run/s", f"--key-file={base}/key",
        "--portal-user=root", f"--port={port}",
    ]  # fmt: skip
    with (base / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "kqi_hub.store", *words], cwd=_CODE, stderr=log,
            user=_STORE, group=_GROUP, extra_groups=[], start_new_session=True,
        )  # fmt: skip
    try:
        _wait(base / "run/s", process)
        yield StoreProcess(base, port, process.pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        shutil.rmtree(base)


def _furnish(base: Path) -> None:
    base.chmod(0o755)
    for folder, mode in (
        (base / "store", 0o711),
        (base / "store" / TENANT, 0o2750),
        (base / "run", 0o755),
    ):
        folder.mkdir()
        os.chown(folder, _STORE, _GROUP)
        folder.chmod(mode)
    key = base / "key"
    key.write_bytes(_KEY)
    os.chown(key, 0, _GROUP)
    key.chmod(0o640)


def _wait(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise BenchFailed(f"the store ended with status {process.returncode}")
        with socket.socket(socket.AF_UNIX) as one:
            if one.connect_ex(str(path)) == 0:
                return
        time.sleep(0.1)
    raise BenchFailed("the store does not begin to listen")


def _packed(files: Sequence[tuple[str, bytes]]) -> bytes:
    parts = []
    for path, data in files:
        head = json.dumps({"path": path, "size": len(data)}).encode()
        parts += [len(head).to_bytes(4, "big"), head, data]
    return b"".join(parts)
