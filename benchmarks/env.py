"""Making conda environments: ours beside a real conda, from one channel, in one run."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Final

from benchmarks.cluster import WORK, BenchFailed, Say
from benchmarks.conda_peer import PEER, conda_command
from benchmarks.result import Figure, Goal, Result, machine
from kqi_hub.devstack.environments import prepared

ABOUT: Final = "seconds, MB and inodes of making, resetting and doubling environments"
BASE: Final = "notebook"
ROUNDS: Final = 2
COLD_S: Final = 3.0
WARM_S: Final = 1.0
LEAST_RATIO: Final = 5.0
FURTHER_MB: Final = 20.0
FURTHER_INODES: Final = 3000.0

Figures = Mapping[str, float]


def run(say: Say) -> Result:
    """Measure both in turn, each in folders of its own on one file system."""
    say("Preparing the channel (a minute the first time)")
    site = prepared().site
    lock = site / "bases" / BASE / "current"
    conda = conda_command(say)
    rounds: list[dict[str, Figures]] = []
    with ExitStack() as kept:
        for number in range(ROUNDS):
            say(f"Round {number + 1} of {ROUNDS}: ours")
            ours = _ours(Ours(kept.enter_context(_folder()), site))
            say(f"Round {number + 1} of {ROUNDS}: {PEER}")
            place = kept.enter_context(_folder())
            peer = _peer(Peer(place, conda, lock / "explicit.txt"))
            rounds.append(ours | peer)
    packages = json.loads((lock / "base.json").read_text())["packages"]
    conditions = {
        **machine(),
        "base": f"{BASE}, {packages} packages",
        "rounds": f"{ROUNDS}, medians, each from an empty folder of its own",
        "cold": "empty package cache; the channel's files may be in memory",
        # ext4 without a journal passes over each inode that was removed within the
        # last minutes, whenever it looks for a free one.
        "removed": "nothing before the end",
        "process": "whole commands, start of Python included",
        "peer": f"{PEER}, create --file explicit.txt, same channel",
        "compiled": "until bytecode is there too; conda does not end before that",
    }
    return judge({name: _middle(name, rounds) for name in rounds[0]}, conditions)


def judge(figures: dict[str, Figures], conditions: dict[str, object]) -> Result:
    """Compare a further environment of the same person: that is where caches count."""
    first, further = figures["ours, first"], figures["ours, further"]
    peer = figures["peer, further"]
    return Result(
        bench="env",
        ours=Figure("a further environment, compiled", further["compiled_s"], "s"),
        peer=Figure(f"{PEER}, the same from explicit.txt", peer["compiled_s"], "s"),
        floor=Figure("cp -al of the same files", figures["floor"]["seconds"], "s"),
        goals=(
            Goal.below("seconds, first environment", COLD_S, first["usable_s"]),
            Goal.below("seconds, further environment", WARM_S, further["usable_s"]),
            Goal.at_least(
                "times faster than the peer, both compiled",
                LEAST_RATIO,
                peer["compiled_s"] / further["compiled_s"],
            ),
            Goal.below("MB of a further environment", FURTHER_MB, further["mb"]),
            Goal.below(
                "inodes of a further environment", FURTHER_INODES, further["inodes"]
            ),
        ),
        conditions=conditions,
        details=figures,
    )


@dataclass(frozen=True, slots=True)
class Ours:
    """A person's folder on scratch, and the bases that a site offers."""

    place: Path
    site: Path

    def make(self, operation: str, name: str, **told: str) -> Callable[[], Figures]:
        """Return what carries out an order as the agent and Slurm would."""
        folder = self.place / "kqi/environments" / f"{operation}-{name}"
        folder.mkdir(parents=True)
        order = {"version": 1, "operation": operation, "name": name, **told}
        (folder / "order.json").write_text(json.dumps(order))
        options = ("--scratch", str(self.place), "--site", str(self.site))
        argv = (sys.executable, "-I", "-m", "conda_bootstrap", *options)
        marker = self.place / ".conda/envs" / name / "conda-meta/kqi"
        return lambda: _until(marker, (*argv, "task", str(folder)))


@dataclass(frozen=True, slots=True)
class Peer:
    """A folder for the environments and packages of a real conda."""

    place: Path
    program: Path
    packages: Path

    def make(self, name: str) -> Callable[[], Figures]:
        """Return what makes an environment from the explicit list."""
        prefix = self.place / "envs" / name
        files = ("--file", str(self.packages))
        argv = (str(self.program), "create", "-y", "-q", "-p", str(prefix), *files)
        variables = {
            "HOME": str(self.place),
            "PATH": os.environ["PATH"],
            "CONDA_SOLVER": "classic",
            "CONDA_REPORT_ERRORS": "false",
            "CONDA_OFFLINE": "true",
            "CONDA_PKGS_DIRS": str(self.place / "pkgs"),
        }
        return lambda: _until(prefix / "conda-meta/history", argv, variables)


def _ours(ours: Ours) -> dict[str, Figures]:
    found = {"ours, first": _grown(ours.place, ours.make("create", "one", base=BASE))}
    found["floor, first"] = _copied(ours.place)
    found["ours, further"] = _grown(ours.place, ours.make("create", "two", base=BASE))
    lock = (ours.place / ".conda/envs/one/conda-meta/kqi-lock").read_text()
    found["ours, clone"] = _grown(ours.place, ours.make("create", "three", lock=lock))
    found["ours, reset"] = _grown(ours.place, ours.make("reset", "one"))
    found["floor"] = _linked(ours.place)
    return found


def _peer(peer: Peer) -> dict[str, Figures]:
    return {
        "peer, first": _grown(peer.place, peer.make("one")),
        "peer, further": _grown(peer.place, peer.make("two")),
    }


def _copied(place: Path) -> Figures:
    """Write the same files again: what the file system takes for a first one."""
    packages = place / ".conda/pkgs"
    began = time.perf_counter()
    subprocess.run(("cp", "-a", str(packages), str(place / "copied")), check=True)
    copied = time.perf_counter() - began
    os.sync()
    whole = time.perf_counter() - began
    return {"seconds": round(copied, 2), "on_disk_s": round(whole, 2)}


def _linked(place: Path) -> Figures:
    began = time.perf_counter()
    envs = place / ".conda/envs"
    subprocess.run(("cp", "-al", str(envs / "two"), str(envs / "linked")), check=True)
    return {"seconds": round(time.perf_counter() - began, 2)}


def _until(
    usable: Path, argv: tuple[str, ...], variables: Mapping[str, str] | None = None
) -> Figures:
    """Run a command; tell when the environment was there, and when all was done."""
    before = _identity(usable)
    began = time.perf_counter()
    seen = 0.0
    with subprocess.Popen(
        argv, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        while process.poll() is None:
            if not seen and _identity(usable) != before:
                seen = time.perf_counter() - began
            time.sleep(0.005)
        ended = time.perf_counter() - began
        assert process.stdout is not None
        said = process.stdout.read()
    if process.returncode != 0 or _identity(usable) == before:
        raise BenchFailed(f"{' '.join(argv[:5])} … failed:\n{said[-2000:]}")
    return {"usable_s": round(seen or ended, 2), "compiled_s": round(ended, 2)}


def _identity(file: Path) -> int:
    try:
        return file.stat().st_ino
    except OSError:
        return 0


def _grown(place: Path, work: Callable[[], Figures]) -> Figures:
    """Do it, and count what it added to the file system."""
    before, inodes = _used(place)
    # What an earlier step has left to be written is not this one's to wait for.
    os.sync()
    found = work()
    after, more = _used(place)
    mb = round((after - before) / 1e6, 1)
    return {**found, "mb": mb, "inodes": float(more - inodes)}


def _used(place: Path) -> tuple[int, int]:
    """Return bytes and inodes of a tree, each file once."""
    seen: dict[int, int] = {}
    for folder, folders, files in os.walk(place):
        for name in (*folders, *files):
            facts = (Path(folder) / name).lstat()
            seen[facts.st_ino] = facts.st_blocks * 512
    return sum(seen.values()), len(seen)


def _middle(name: str, rounds: list[dict[str, Figures]]) -> Figures:
    keys = rounds[0][name]
    return {key: round(median(one[name][key] for one in rounds), 2) for key in keys}


@contextmanager
def _folder() -> Iterator[Path]:
    WORK.mkdir(parents=True, exist_ok=True)
    place = Path(mkdtemp(prefix="env-", dir=WORK))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
