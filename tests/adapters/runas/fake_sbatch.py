#!/usr/bin/python3 -I
"""FakeSbatch: says what it sees of its surroundings, or misbehaves as it is told.

The real one cannot be made to flood, hang or leave children behind; what it is told
stands in the script on its standard input as `# fake: WHAT`.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path


def status(field: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(field + ":"))


def report(script: str) -> None:
    umask = os.umask(0)
    seen = {
        "argv": sys.argv,
        "environment": dict(os.environ),
        "uids": os.getresuid(),
        "gids": os.getresgid(),
        "groups": sorted(os.getgroups()),
        "cwd": str(Path.cwd()),
        "umask": umask,
        "fds": [fd for fd in range(1024) if is_open(fd)],
        "is_session_leader": os.getsid(0) == os.getpid(),
        "no_new_privileges": status("NoNewPrivs"),
        "capabilities": [status("CapPrm"), status("CapEff"), status("CapAmb")],
        "ignored_signals": int(status("SigIgn"), 16),
        "core_limit": resource.getrlimit(resource.RLIMIT_CORE),
        "script": script,
    }
    json.dump(seen, sys.stdout)


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def flood() -> None:
    block = b"x" * 1_000_000
    for _ in range(50):
        sys.stdout.buffer.write(block)


def linger() -> None:
    time.sleep(3600)


def ignore_term() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("ready")
    linger()


def leave_child_with_output() -> None:
    child = subprocess.Popen(["/bin/sleep", "3600"])
    say(str(child.pid))


def fail() -> None:
    sys.stderr.write("sbatch: error: Invalid partition name specified\n")
    sys.exit(1)


def say_bytes() -> None:
    sys.stdout.buffer.write(b"caf\xe9 \xff\x00 end")


def pause() -> None:
    time.sleep(1)


BEHAVIOURS = {
    "fail": fail,
    "flood": flood,
    "ignore-term": ignore_term,
    "leave-child": leave_child_with_output,
    "linger": linger,
    "pause": pause,
    "say-bytes": say_bytes,
}


def main() -> None:
    script = sys.stdin.read()
    for line in script.splitlines():
        if line.startswith("# fake: "):
            BEHAVIOURS[line.removeprefix("# fake: ")]()
            return
    report(script)


if __name__ == "__main__":
    main()
