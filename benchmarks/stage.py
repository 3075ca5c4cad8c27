"""A dataset of 100,000 files made ready for a job: ours beside cp and rsync."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.cluster import BenchFailed, Say
from benchmarks.result import Figure, Goal, Result, machine
from benchmarks.store_process import StoreProcess, store_process
from benchmarks.usage import memory_mb

ABOUT: Final = "seconds until a dataset of 100,000 files is ready for a job"
ITEMS: Final = 100
FOLDERS: Final = 10
TOGETHER: Final = 100
FILES: Final = ITEMS * FOLDERS * TOGETHER
FILE_BYTES: Final = 1024
ROUNDS: Final = 3
AGAIN: Final = 30
AGAIN_MS: Final = 50.0
# Copies of content are slow: once is enough.
COPY_ROUNDS: Final = 1
_SMALL_DATASET: Final = "0" * 40

Figures = Mapping[str, float]


def run(say: Say) -> Result:
    """Fill a store, then build the same tree in each way, in turn."""
    if os.geteuid() != 0:
        raise BenchFailed("A store has a user of its own: run it as root.")
    with store_process() as store:
        filling = _fill(store, say)
        figures = _measure(store, say)
        figures["memory_mb"] = memory_mb(store.pid, "VmHWM")
    return judge(figures, filling)


def judge(figures: Figures, filling: Figures) -> Result:
    """Compare with `cp -al`; less is better."""
    ours, peer = figures["first_s"], figures["cp -al_s"]
    again = max(figures["again_ms"], figures["again, 10 files_ms"])
    return Result(
        bench="stage",
        ours=Figure(f"the first time, {FILES:,} files", ours, "s"),
        peer=Figure("cp -al of the same", peer, "s"),
        floor=Figure(
            "os.link alone, one thread, folders there", figures["link_s"], "s"
        ),
        goals=(
            Goal.at_least("the first time, cp -al over ours", 1, peer / ours),
            Goal.below("bytes of content written", 1, figures["written_bytes"]),
            Goal.below("every later time, ms", AGAIN_MS, again),
        ),
        conditions={
            **machine(),
            "dataset": f"{ITEMS} items of {FOLDERS} folders of {TOGETHER} files",
            "file_bytes": FILE_BYTES,
            "rounds": f"{ROUNDS} in turn, medians; copies of content {COPY_ROUNDS}",
            "ours": "a real store asked over its socket, answer included",
            "later": f"median of {AGAIN}, also for a dataset of 10 files",
        },
        details={"seconds": figures, "filling": filling},
    )


def _fill(store: StoreProcess, say: Say) -> Figures:
    say(f"Sending and publishing {FILES:,} files")
    sent = published = 0.0
    for item in range(1, ITEMS + 1):
        files = [
            (f"{folder}/{number}.jpg", os.urandom(FILE_BYTES))
            for folder in range(FOLDERS)
            for number in range(TOGETHER)
        ]
        began = time.perf_counter()
        store.send(f"upload-{item:04}", files)
        sent += time.perf_counter() - began
        began = time.perf_counter()
        size = len(files) * FILE_BYTES
        store.publish(f"upload-{item:04}", item, len(files), size)
        published += time.perf_counter() - began
        store.ask("drop", upload=f"upload-{item:04}")
    store.wait_until_removed()
    small = [(f"{number}", os.urandom(FILE_BYTES)) for number in range(10)]
    store.send("upload-small", small)
    store.publish("upload-small", ITEMS + 1, 10, 10 * FILE_BYTES)
    return {"send_s": round(sent, 2), "publish_s": round(published, 2)}


def _measure(store: StoreProcess, say: Say) -> dict[str, float]:
    entries: list[list[object]] = [["training", item] for item in range(1, ITEMS + 1)]
    firsts, peers, floors, again = [], [], [], []
    written = 0
    for number in range(ROUNDS):
        say(f"Round {number + 1} of {ROUNDS}: ours, cp -al, link alone")
        key = f"{number + 1:040x}"
        firsts.append(_timed(partial(_build, store, key, entries)))
        written = max(written, _content_written(store, key))
        again += [_timed(partial(_build, store, key, entries))
                  for _ in range(AGAIN // ROUNDS)]  # fmt: skip
        store.ask("drop_tree", key=key)
        store.wait_until_removed()
        peers.append(_aside(store, lambda to: _run("cp", "-al", _items(store), to)))
        floors.append(_floor(store))
        say(f"  {firsts[-1]:.2f} s, {peers[-1]:.2f} s, {floors[-1]:.2f} s")
    say("cp -a and rsync")
    found = {
        "first_s": median(firsts),
        "cp -al_s": median(peers),
        "link_s": median(floors),
        "again_ms": 1000 * median(again),
        "again, 10 files_ms": 1000 * _small_again(store),
        "written_bytes": float(written),
        "cp -a_s": _copied(store, "cp", "-a"),
    }
    if shutil.which("rsync"):
        found["rsync -a_s"] = _copied(store, "rsync", "-a")
    return {name: round(value, 3) for name, value in found.items()}


def _build(store: StoreProcess, key: str, entries: list[list[object]]) -> None:
    store.ask("tree", key=key, entries=entries, meta={"id": 1})


def _small_again(store: StoreProcess) -> float:
    entries: list[list[object]] = [["training", ITEMS + 1]]
    _build(store, _SMALL_DATASET, entries)
    return median(
        _timed(lambda: _build(store, _SMALL_DATASET, entries)) for _ in range(AGAIN)
    )


def _content_written(store: StoreProcess, key: str) -> int:
    """Return the bytes of a tree's files that are no links to what was there."""
    written = files = 0
    for folder, _, names in os.walk(store.place / "trees" / key / "training"):
        for name in names:
            seen = os.lstat(f"{folder}/{name}")
            files += 1
            written += seen.st_size if seen.st_nlink == 1 else 0
    if files != FILES:
        raise BenchFailed(f"the tree has {files} files")
    return written


def _copied(store: StoreProcess, *command: str) -> float:
    return median(
        _aside(store, lambda to: _run(*command, _items(store), to))
        for _ in range(COPY_ROUNDS)
    )


def _items(store: StoreProcess) -> str:
    return f"{store.place}/data"


def _aside(store: StoreProcess, work: Callable[[str], None]) -> float:
    """Time some work into a folder that is gone afterwards."""
    target = store.base / "target"
    took = _timed(lambda: work(str(target)))
    shutil.rmtree(target)
    return took


def _floor(store: StoreProcess) -> float:
    """Time the links alone: the folders are there, the names are known."""
    source, target = Path(_items(store)), store.base / "target"
    pairs = []
    for folder, _, names in os.walk(source):
        there = target / Path(folder).relative_to(source)
        there.mkdir()
        pairs += [(f"{folder}/{name}", f"{there}/{name}") for name in names]

    def link() -> None:
        for old, new in pairs:
            os.link(old, new, follow_symlinks=False)

    took = _timed(link)
    shutil.rmtree(target)
    return took


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
