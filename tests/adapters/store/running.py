"""A real store process of a user of its own, and ways to talk to both of its faces."""

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from kqi_hub.domain.tickets import Ticket, signed

CODE = Path(__file__).parents[3]
KEY = b"k" * 40
STORE = 64801
# Members of a tenant, by the number of its group; the store is a member of none.
VISION, NLP = 64811, 64812
ALICE, BOB, CAROL = 64821, 64822, 64823
# A user whom every Debian has, for what asks names of the system.
SOMEBODY = ("daemon", 1)


def why_not() -> str:
    """Say why this machine cannot run these tests, or nothing."""
    return "" if os.geteuid() == 0 else "becoming somebody else needs root"


@dataclass
class Store:
    """A folder that everybody may enter, with the store's root and socket."""

    base: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    tenants: dict[str, int] = field(default_factory=lambda: {"vision": VISION})

    @property
    def root(self) -> Path:
        return self.base / "store"

    @property
    def socket(self) -> Path:
        return self.base / "run/store.sock"

    def furnish(self) -> None:
        self.base.chmod(0o755)
        for folder, mode in ((self.root, 0o711), (self.base / "run", 0o755)):
            folder.mkdir(exist_ok=True)
            os.chown(folder, STORE, STORE)
            folder.chmod(mode)
        for tenant, group in self.tenants.items():
            folder = self.root / tenant
            folder.mkdir(exist_ok=True)
            os.chown(folder, STORE, group)
            folder.chmod(0o2750)
        key = self.base / "key"
        key.write_bytes(KEY + b"\n")
        os.chown(key, 0, STORE)
        key.chmod(0o640)

    def start(self) -> None:
        words = {
            "root": self.root, "socket": self.socket, "key-file": self.base / "key",
            "portal-user": "root", "port": self.port,
        }  # fmt: skip
        with (self.base / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kqi_hub.store"]
                + [f"--{name}={value}" for name, value in words.items()],
                user=STORE, group=STORE, extra_groups=[], cwd=CODE,
                env={"PATH": os.environ["PATH"]}, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None, (self.base / "log").read_text()
            assert time.monotonic() < deadline, "the store does not begin to listen"
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def restart_by_force(self) -> None:
        self.stop(signal.SIGKILL)
        self.start()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
            with socket.socket(socket.AF_UNIX) as one:
                one.connect(str(self.socket))
        except OSError:
            return False
        return True

    def log(self) -> str:
        return (self.base / "log").read_text()

    def sender(self, key: str = "upload-1", **changes: Any) -> "Sender":
        said: dict[str, Any] = {
            "upload": key, "tenant": "vision", "person": "alice", "files": 10**6,
            "bytes": 10**13, "until": time.time() + 3600,
        }  # fmt: skip
        return Sender(self, key, signed(Ticket(**{**said, **changes}), KEY))

    def ask(self, verb: str, **fields: Any) -> Any:
        """Ask as the portal; the answer's `ok`, or the whole of a refusal."""
        with Talk(self.socket) as talk:
            said = talk.say({"verb": verb, **fields})
        return said.get("ok", said)

    def publish(self, key: str, data: int, files: int, size: int) -> Any:
        return self.ask(
            "publish", tenant="vision", upload=key, data=data, files=files, bytes=size
        )

    def wait_until_empty(self, folder: Path) -> None:
        deadline = time.monotonic() + 20
        while any(below or files for _, below, files in os.walk(folder)):
            assert time.monotonic() < deadline, f"{folder} does not become empty"
            time.sleep(0.05)


class Talk:
    """One connection to the socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(120)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def say(self, fields: object, descriptors: Sequence[int] = ()) -> dict[str, Any]:
        return self.say_raw(json.dumps(fields).encode() + b"\n", descriptors)

    def say_raw(self, line: bytes, descriptors: Sequence[int] = ()) -> dict[str, Any]:
        if descriptors:
            sent = socket.send_fds(self._socket, [line], list(descriptors))
            self._socket.sendall(line[sent:])
        else:
            self._socket.sendall(line)
        while True:
            raw = self._lines.readline()
            if not raw:
                return {"error": "closed"}
            said: dict[str, Any] = json.loads(raw)
            if "progress" not in said:
                return said


@dataclass
class Sender:
    """Somebody with a ticket."""

    store: Store
    key: str
    ticket: str

    def call(
        self, method: str, path: str = "", body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.store.port, 120)
        try:
            connection.request(
                method,
                f"/services/store/uploads/{self.key}{path}",
                body,
                {"Authorization": f"Bearer {self.ticket}", **headers},
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def put(
        self, path: str, body: bytes, size: int | None = None, offset: int = 0
    ) -> tuple[int, dict[str, Any]]:
        said = {
            "path": path,
            "size": len(body) if size is None else size,
            "offset": offset,
        }
        asked = urlencode(said, quote_via=quote, errors="surrogateescape")
        return self.call("PUT", f"/file?{asked}", body)

    def pack(self, files: Sequence[tuple[str, bytes]]) -> tuple[int, dict[str, Any]]:
        return self.call("PUT", "/pack", packed(files))

    def known(self, files: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
        asked = [{"path": path, "size": size} for path, size in files]
        status, said = self.call("POST", "/known", json.dumps({"files": asked}))
        assert status == 200, said
        found: list[dict[str, Any]] = said["known"]
        return found


def packed(files: Sequence[tuple[str, bytes]]) -> bytes:
    """Return files as the body of a pack."""
    parts = []
    for path, data in files:
        head = json.dumps({"path": path, "size": len(data)}).encode()
        parts += [len(head).to_bytes(4, "big"), head, data]
    return b"".join(parts)


@contextmanager
def a_store(base: Path | None = None) -> Iterator[Store]:
    """Give a furnished store that does not run yet; it is gone at the end."""
    made = base is None
    base = base or Path(tempfile.mkdtemp(prefix="kqi-store-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        store = Store(base, free.getsockname()[1])
    store.furnish()
    try:
        yield store
    finally:
        if store.process is not None and store.process.poll() is None:
            store.stop(signal.SIGKILL)
        if made:
            shutil.rmtree(base)
