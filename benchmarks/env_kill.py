"""Environments under kill -9: at random moments of create and of reset, then run again.

What counts is that nothing half made is ever found under the environment's name, and
that the next run completes. The peer installs the same packages straight to the place.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Final

from benchmarks.cluster import WORK, BenchFailed, Say
from benchmarks.result import Figure, Goal, Result, machine
from conda_bootstrap.marker import read_marker
from conda_bootstrap.places import Places
from kqi_hub.devstack.environments import prepared

ABOUT: Final = "kill -9 at random moments of create and reset: what is left, who reruns"
MOMENTS: Final = 20
BASE: Final = "minimal"
NAME: Final = "notebook"
_SEED: Final = 20261121
_TIMEOUT_S: Final = 600.0
_PEER: Final = """
import asyncio, os, sys
from pathlib import Path
from rattler import LockFile, install
lock = LockFile.from_path(Path(sys.argv[1]))
platform = next(one for one in lock.platforms() if one.name == "linux-64")
found = lock.default_environment().conda_repodata_records_for_platform(platform)
async def work():
    await install(found, sys.argv[2], cache_dir=Path(sys.argv[3]), show_progress=False)
asyncio.run(work())
os._exit(0)  # see conda_bootstrap/__main__.py
"""


@dataclass(frozen=True)
class Subject:
    """A command that is killed, and the environment that it makes."""

    argv: tuple[str, ...]
    prefix: Path
    variables: dict[str, str]

    def run(self) -> float:
        """Run it to the end; return the seconds."""
        began = time.monotonic()
        done = subprocess.run(
            self.argv,
            env=self.variables,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise BenchFailed(f"{self.argv}: {done.stdout[-500:]}{done.stderr[-500:]}")
        return time.monotonic() - began

    def kill_after(self, seconds: float) -> bool:
        """Start it and kill it with all its children; tell whether it still ran."""
        with subprocess.Popen(
            self.argv,
            env=self.variables,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return True
        return False


@dataclass(frozen=True)
class Trial:
    """What one kill did."""

    moment_s: float
    was_killed: bool
    is_half: bool
    rerun_s: float
    completed: bool


def ours(scratch: Path, site: Path, *command: str) -> Subject:
    """Return our command for a person whose home is empty."""
    home = scratch.with_name("home")
    home.mkdir(exist_ok=True)
    argv = (sys.executable, "-I", "-m", "conda_bootstrap", "--scratch", str(scratch))
    variables = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    prefix = Places(scratch).envs / NAME
    return Subject((*argv, "--site", str(site), *command), prefix, variables)


def create(scratch: Path, site: Path) -> Subject:
    """Return the command that makes it."""
    return ours(scratch, site, "create", NAME, "--base", BASE)


def reset(scratch: Path, site: Path) -> Subject:
    """Return the command that makes it anew."""
    return ours(scratch, site, "reset", NAME)


def straight(scratch: Path, site: Path) -> Subject:
    """Return the peer: the same packages, installed to where they shall be."""
    lock = site / "bases" / BASE / "current" / "lock"
    prefix = scratch / "straight"
    argv = (sys.executable, "-I", "-c", _PEER, str(lock), str(prefix))
    return Subject((*argv, str(scratch / "pkgs")), prefix, dict(os.environ))


def problem(prefix: Path, stems: Sequence[str]) -> str:
    """Return what is missing in an environment; empty when it is whole and runs."""
    there = {one.stem for one in prefix.glob("conda-meta/*.json")}
    if lacking := sorted({*stems} - there):
        return f"{len(lacking)} packages are missing, {lacking[0]} is the first"
    for stem in stems:
        record = json.loads((prefix / f"conda-meta/{stem}.json").read_text())
        for name in record["files"]:
            if not os.path.lexists(prefix / name):
                return f"{name} of {stem} is missing"
    argv = [str(prefix / "bin/python"), "-I", "-c", "import ipykernel.kernelapp"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stderr[-300:] if done.returncode else ""


def trial(subject: Subject, stems: Sequence[str], moment_s: float) -> Trial:
    """Kill once, look, and run again."""
    was_killed = subject.kill_after(moment_s)
    there = os.path.lexists(subject.prefix)
    is_half = there and bool(problem(subject.prefix, stems))
    is_create = "create" in subject.argv
    if is_create and there and not is_half:
        return Trial(moment_s, was_killed, is_half, 0.0, completed=True)
    rerun_s = subject.run()
    return Trial(
        moment_s, was_killed, is_half, rerun_s, not problem(subject.prefix, stems)
    )


def trials(subject: Subject, stems: Sequence[str], moments: int) -> Iterator[Trial]:
    """Kill at moments of the whole time that it takes, in an order that is repeated."""
    chance = random.Random(f"{_SEED}{subject.argv}")  # noqa: S311 - no secret
    is_reset = "reset" in subject.argv
    subject.run()  # fills the cache: the next one takes as long as those after it
    if not is_reset:
        _clear(subject.prefix)
    whole_s = subject.run()
    for _ in range(moments):
        if not is_reset:
            _clear(subject.prefix)
        yield trial(subject, stems, chance.uniform(0.05, whole_s))


def _clear(prefix: Path) -> None:
    """Free the name; a process that compiles in the background may be inside still."""
    if prefix.exists():
        away = prefix.parent.parent / f"away-{time.monotonic_ns()}"
        prefix.rename(away)
        shutil.rmtree(away, ignore_errors=True)


def stems_of(site: Path) -> tuple[str, ...]:
    """Return the packages of the base, as their records are called."""
    text = (site / "bases" / BASE / "current" / "explicit.txt").read_text()
    lines = [line.partition("#")[0] for line in text.splitlines() if "://" in line]
    return tuple(line.rpartition("/")[2].removesuffix(".conda") for line in lines)


def left_behind(places: Places) -> list[str]:
    """Return what runs that completed have not cleaned away."""
    return [one.name for place in (places.stage, places.old) for one in place.iterdir()]


def run(say: Say) -> Result:
    """Kill create, reset and the peer at as many moments each."""
    site = prepared().site
    stems = stems_of(site)
    with _folder() as place:
        found = {
            "create": _all(create(place, site), stems, say),
            "reset": _all(reset(place, site), stems, say),
            "peer": _all(straight(place, site), stems, say),
        }
        floor_s = reset(place, site).run()
        left = left_behind(Places(place))
        if read_marker(Places(place).envs / NAME) is None:
            raise BenchFailed("the environment has no mark in the end")
    return judge(found, floor_s, left, len(stems))


def judge(
    found: dict[str, list[Trial]], floor_s: float, left: list[str], packages: int
) -> Result:
    """Compare what is left behind and how long the next run takes."""
    details = {name: _figures(one) for name, one in found.items()}
    details["reset, not killed"] = {"seconds": round(floor_s, 2)}
    mine = [*found["create"], *found["reset"]]
    return Result(
        bench="env_kill",
        ours=_halves("half environments, and one", mine),
        peer=_halves("the same where nothing is staged", found["peer"]),
        floor=Figure("none, and one", 1, "environments"),
        goals=(
            Goal.below("half environments found", 1, sum(one.is_half for one in mine)),
            Goal.at_least(
                "reruns that completed, of all",
                1,
                sum(one.completed for one in mine) / len(mine),
            ),
            Goal.below("folders left behind in the end", 1, len(left)),
        ),
        conditions={
            **machine(),
            "base": f"{BASE}, {packages} packages",
            "moments": f"{MOMENTS} of each, evenly over its whole time",
        },
        details=details,
    )


def _halves(name: str, found: list[Trial]) -> Figure:
    """Return how many were half made, and one: nothing can be divided by none."""
    return Figure(name, 1 + sum(one.is_half for one in found), "environments")


def _figures(found: list[Trial]) -> dict[str, float]:
    return {
        "kills": sum(one.was_killed for one in found),
        "half": sum(one.is_half for one in found),
        "completed": sum(one.completed for one in found),
        "rerun_s": _rerun(found),
    }


def _rerun(found: list[Trial]) -> float:
    told = [one.rerun_s for one in found if one.rerun_s]
    return round(median(told), 2) if told else 0.01


def _all(subject: Subject, stems: Sequence[str], say: Say) -> list[Trial]:
    found = []
    for one in trials(subject, stems, MOMENTS):
        found.append(one)
        ending = "HALF" if one.is_half else "whole or not there"
        say(f"killed after {one.moment_s:.2f} s: {ending}, rerun {one.rerun_s:.1f} s")
    return found


@contextmanager
def _folder() -> Iterator[Path]:
    WORK.mkdir(parents=True, exist_ok=True)
    place = Path(mkdtemp(prefix="env-kill-", dir=WORK)) / "scratch"
    place.mkdir()
    try:
        yield place
    finally:
        shutil.rmtree(place.parent, ignore_errors=True)
