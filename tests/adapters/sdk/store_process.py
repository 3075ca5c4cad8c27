"""The real store in a process of its own, to be sent to, killed and started again."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from kqi_hub.domain.tickets import Ticket, signed

TENANT = "vision"
KEY = b"k" * 48
ROOT = Path(__file__).resolve().parents[3]


@dataclass
class StoreProcess:
    """A store below a folder of the test's; it is no root, so neither is this one."""

    folder: Path
    port: int = field(default_factory=lambda: _free_port())
    process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> Path:
        return self.folder / "store"

    @property
    def door(self) -> Path:
        return self.folder / "store/s.sock"

    def prepare(self) -> None:
        (self.root / TENANT).mkdir(parents=True)
        key = self.folder / "key"
        key.write_bytes(KEY)
        key.chmod(0o640)
        if os.geteuid() == 0:
            # The store refuses to be root; tmp_path is its owner's alone.
            for place in (key, self.root, self.root / TENANT):
                shutil.chown(place, "nobody", "nogroup")
            for place in (self.folder, *self.folder.parents):
                if place.stat().st_uid == 0 and place.stat().st_mode & 0o005 != 0o005:
                    place.chmod(place.stat().st_mode | 0o005)
        (self.root / TENANT).chmod(0o2750)

    def start(self) -> None:
        words = [sys.executable, "-m", "kqi_hub.store"]
        for name, value in (
            ("root", self.root),
            ("socket", self.door),
            ("key-file", self.folder / "key"),
            ("portal-user", pwd.getpwuid(os.geteuid()).pw_name),
            ("port", self.port),
        ):
            words += [f"--{name}", str(value)]
        is_root = os.geteuid() == 0
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                words,
                cwd="/",
                env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
                user="nobody" if is_root else None,
                group="nogroup" if is_root else None,
                extra_groups=[] if is_root else None,
                stderr=log,
            )
        until = time.monotonic() + 20
        while not self.answers():
            if time.monotonic() > until or self.process.poll() is not None:
                raise TimeoutError((self.folder / "log").read_text())
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            return httpx2.get(f"{self.address}healthz", timeout=1).is_success
        except httpx2.HTTPError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/store/"

    def ticket(self, key: str, files: int, size: int) -> str:
        until = time.time() + 3600
        return signed(Ticket(key, TENANT, "mia", files, size, until), KEY)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
