"""Slurm for ./bench submit: nodes that are taken, a person's jobs; for root."""

import os
import pwd
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from kqi_hub.devstack import layout

QUEUE: Final = "cpu"
NODES: Final = ("cpu01", "cpu02")
_LONGEST_S: Final = 120.0


class Failed(Exception):
    """What was submitted did not come to be."""


def as_person(person: str, words: Sequence[str], given: str = "") -> str:
    """Run a program as somebody at a terminal does; return what it says.

    Without `runuser`, which takes as long as sbatch itself.
    """
    account = pwd.getpwnam(person)
    ran = subprocess.run(
        words,
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=os.getgrouplist(person, account.pw_gid),
        env={"PATH": layout.PATH, "HOME": account.pw_dir, "USER": person},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    require(ran.returncode == 0, f"{words[0]}: {ran.stderr.strip()}")
    return ran.stdout


@contextmanager
def taken_nodes(person: str, tenant: str) -> Iterator[None]:
    """Let jobs of somebody have the nodes of the queue: no further one starts."""
    for node in NODES:
        take = ["--exclusive", f"--nodelist={node}", "--time=240", "--output=/dev/null"]
        place = ["--partition", QUEUE, "--account", tenant]
        words = ["/usr/bin/sbatch", *place, *take, "--wrap", "sleep 14400"]
        as_person(person, words)
    wait_until(
        lambda: len(_squeue(person, "--states=RUNNING")) == len(NODES),
        _LONGEST_S,
        "the nodes cannot be taken",
    )
    try:
        yield
    finally:
        cancel(person)


def cancel(person: str) -> None:
    """Cancel all jobs of somebody, and wait until they are gone."""
    _as_root("scancel", f"--user={person}")
    wait_until(lambda: not _squeue(person), _LONGEST_S, f"jobs of {person} stay")


def jobs_of(person: str, name: str) -> int:
    """Return how many jobs of this name wait, each task of an array counted."""
    return len(_squeue(person, "--array", "--states=PENDING", f"--name={name}"))


def _squeue(person: str, *words: str) -> list[str]:
    return _as_root("squeue", "-h", "-o", "%i", f"--user={person}", *words).split()


def _as_root(*words: str) -> str:
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    return ran.stdout


def require(is_so: bool, why: str) -> None:
    """Raise Failed with `why` unless it is so."""
    if not is_so:
        raise Failed(why)


def wait_until(what: Callable[[], bool], limit_s: float, why: str) -> None:
    """Look twice a second until it is so; Failed with `why` after a time."""
    until = time.monotonic() + limit_s
    while not what():
        require(time.monotonic() < until, why)
        time.sleep(0.5)
