"""A helper of its own, with people who exist inside its mount namespace only."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HELPER = Path(__file__).parents[3] / "kqi_hub/runas/helper.py"
PYTHON = "/usr/bin/python3"
KQI, STRANGER, ALICE, BOB, PEOPLE = 990, 991, 20001, 20002, 20100
VISION = 20101

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
kqi:x:990:990:the service user:/nonexistent:/usr/sbin/nologin
stranger:x:991:990:shares kqi's group and is no caller:/nonexistent:/bin/sh
alice:x:20001:20001:Alice:{base}/home/alice:/bin/bash
bob:x:20002:20100:Bob, whose primary group is people:{base}/home/bob:/usr/sbin/nologin
mallory:x:20003:20003:outside the group:/nonexistent:/bin/sh
wheel:x:20004:20004:in root's group:/nonexistent:/bin/sh
system:x:500:500:below min_uid:/nonexistent:/bin/sh
toor:x:0:20100:another root:/root:/bin/sh
Ann:x:20006:20100:a capital letter:/nonexistent:/bin/sh
"""
GROUP = """\
root:x:0:wheel
daemon:x:1:
kqi:x:990:
alice:x:20001:
mallory:x:20003:
wheel:x:20004:
system:x:500:
people:x:20100:alice,wheel,system,toor
vision:x:20101:alice
"""
# Shows the accounts above in place of the machine's own, then runs the helper.
ENTER = """\
mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group || exit 99
[ ! -e /etc/nsswitch.conf ] || mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
if [ -e "$1/log" ]; then  # a syslog of the test's own
    : >"$1/null" && mount --bind /dev/null "$1/null" && mount -t tmpfs tmpfs /dev &&
    : >/dev/null && mount --bind "$1/null" /dev/null &&
    : >/dev/log && mount --bind "$1/log" /dev/log || exit 99
fi
shift; exec "$@"
"""
CALL = """\
import socket, sys
door = socket.socket(socket.AF_UNIX)
door.connect(sys.argv[1])
door.sendall(sys.stdin.buffer.read())
while chunk := door.recv(65536):
    sys.stdout.buffer.write(chunk)
"""
PING = b'{"verb": "ping", "person": "", "arguments": {}}\n'
SCRIPT = "#!/bin/sh\ntrue\n"
SUBMIT: dict[str, object] = {"name": "kqi-1", "script": SCRIPT, "chdir": "/"}


def why_not() -> str:
    """Say why this machine cannot run these tests, or nothing."""
    if os.geteuid() != 0:
        return "becoming somebody else needs root"
    command = ["unshare", "--mount", "--propagation", "private", "true"]
    tried = subprocess.run(command, check=False, capture_output=True, text=True)
    return f"no private mounts here: {tried.stderr}" if tried.returncode else ""


@dataclass
class House:
    """A folder that everybody may enter, with the helper's files and fake programs."""

    base: Path
    environment: dict[str, str] = field(default_factory=dict)
    helper: subprocess.Popen[bytes] | None = None
    wrapped_in: tuple[str, ...] = ()

    @property
    def door(self) -> Path:
        return self.base / "run/runas.sock"

    @property
    def config(self) -> Path:
        return self.base / "etc/runas.toml"

    @property
    def log(self) -> Path:
        return self.base / "log/runas.log"

    @property
    def scratch(self) -> Path:
        return self.base / "scratch"

    def furnish(self) -> None:
        for name in ("etc", "run", "log", "bin", "scratch", "home", "accounts"):
            (self.base / name).mkdir(mode=0o755)
        for name, uid in (("alice", ALICE), ("bob", BOB)):
            (self.base / "home" / name).mkdir(mode=0o700)
            os.chown(self.base / "home" / name, uid, uid)
        accounts = self.base / "accounts"
        (accounts / "passwd").write_text(PASSWD.format(base=self.base))
        (accounts / "group").write_text(GROUP)
        (accounts / "nsswitch.conf").write_text("passwd: files\ngroup: files\n")
        for name in ("sbatch", "scancel", "scontrol"):
            shutil.copy(
                Path(__file__).with_name("fake_sbatch.py"), self.base / "bin" / name
            )
            (self.base / "bin" / name).chmod(0o755)
        self.configure()

    def configure(self, **changes: object) -> None:
        """Write the configuration; a change to None leaves the key out."""
        settings: dict[str, object] = {
            "callers": ["kqi", "root"],
            "people_group": "people",
            "min_uid": 1000,
            "scratch_root": str(self.scratch),
            "slurm_bin": str(self.base / "bin"),
            "socket": str(self.door),
            "log_file": str(self.log),
            "time_limit_s": 20,
        } | changes
        lines = [f"{k} = {json.dumps(v)}" for k, v in settings.items() if v is not None]
        self.config.write_text("\n".join(lines) + "\n")
        self.config.chmod(0o600)

    def inside(self, *command: str) -> list[str]:
        """Return the command line that runs a command among the house's accounts."""
        enter = ["unshare", "--mount", "--propagation", "private"]
        return [*enter, "sh", "-c", ENTER, "sh", str(self.base / "accounts"), *command]

    def command(self, mode: str) -> list[str]:
        helper = (PYTHON, "-I", str(HELPER), mode, "--config", str(self.config))
        return self.inside(*self.wrapped_in, *helper)

    def start(self) -> None:
        """Start the daemon and wait until it listens."""
        with (self.base / "stderr").open("wb") as complaints:
            self.helper = subprocess.Popen(
                self.command("serve"),
                env={"PATH": os.environ["PATH"], **self.environment},
                stderr=complaints,
            )
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        wait_until(lambda: self._answers() or self._has_ended())
        assert not self._has_ended(), (self.base / "stderr").read_text()
        wait_until(lambda: not self.children())  # the ping was one

    def _has_ended(self) -> bool:
        return self.helper is not None and self.helper.poll() is not None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(self.door)) != 0:
                return False
            probe.sendall(PING)
            return read_all(probe) != b""

    def stop(self) -> int:
        """Ask the daemon to end and return its exit code."""
        assert self.helper is not None
        if self.helper.poll() is None:
            self.helper.send_signal(signal.SIGTERM)
        return self.helper.wait(20)

    def children(self) -> list[int]:
        """Return the pids of the daemon's processes, one a call."""
        assert self.helper is not None
        return children_of(self.helper.pid)

    def connect(self) -> socket.socket:
        door = socket.socket(socket.AF_UNIX)
        door.settimeout(30)
        door.connect(str(self.door))
        return door

    def send(self, raw: bytes) -> dict[str, Any]:
        """Send raw bytes as root, an allowed caller, and return the answer."""
        with self.connect() as door:
            with contextlib.suppress(BrokenPipeError):
                door.sendall(raw)
            return answer_in(read_all(door))

    def ask(self, verb: object, person: object, arguments: object) -> dict[str, Any]:
        request = {"verb": verb, "person": person, "arguments": arguments}
        return self.send(line(request))

    def submit(self, person: str = "alice", /, **changes: object) -> dict[str, Any]:
        return self.ask("submit", person, SUBMIT | changes)

    def seen_by_program(
        self, person: str = "alice", **changes: object
    ) -> dict[str, Any]:
        """Submit and return what the fake sbatch saw of its surroundings."""
        answer = self.submit(person, **changes)
        assert answer["ok"], answer
        assert answer["exit_code"] == 0, answer
        seen: dict[str, Any] = json.loads(answer["stdout"])
        return seen

    def ask_as(
        self, uid: int, gid: int, raw: bytes
    ) -> subprocess.CompletedProcess[bytes]:
        """Send raw bytes as somebody else."""
        command = [PYTHON, "-I", "-c", CALL, str(self.door)]
        return subprocess.run(
            command, input=raw, user=uid, group=gid, extra_groups=[], check=False,
            capture_output=True, timeout=30,
        )  # fmt: skip

    def audit(self) -> list[dict[str, Any]]:
        """Return the log, each line read as what it claims to be."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(text) for text in lines]


def line(request: object) -> bytes:
    try:
        return json.dumps(request, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a character can only be sent as an escape
        return json.dumps(request).encode() + b"\n"


def read_all(door: socket.socket) -> bytes:
    """Read until the other side closes, having read all of ours or not."""
    kept = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := door.recv(65536):
            kept += chunk
    return kept


def answer_in(raw: bytes) -> dict[str, Any]:
    assert raw.endswith(b"\n"), raw[-200:]
    answer: dict[str, Any] = json.loads(raw)
    return answer


def children_of(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has ended meanwhile
    return [int(word) for word in text.split()]


def open_descriptors(pid: int | str = "self") -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def told(what: str) -> dict[str, object]:
    """Return a script that tells the fake sbatch what to do."""
    return {"script": f"#!/bin/sh\n# fake: {what}\n"}


def submission(**changes: object) -> bytes:
    """Return a request to submit as alice."""
    return line({"verb": "submit", "person": "alice", "arguments": SUBMIT | changes})


def wait_until(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.01)


@contextlib.contextmanager
def a_house() -> Iterator[House]:
    """Make a house, and take it down with everything that runs in it."""
    base = Path(tempfile.mkdtemp(prefix="kqi-runas-"))
    base.chmod(0o755)
    house = House(base)
    try:
        house.furnish()
        yield house
    finally:
        if house.helper is not None:
            house.helper.kill()
            house.helper.wait()
        shutil.rmtree(base)
