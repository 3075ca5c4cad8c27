"""People who load pages, and how long a hub's loop keeps a small question waiting."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

import httpx2

from benchmarks.usage import process_cpu_ms

PEOPLE = 50
# How long somebody looks at a page before the next one.
LOOKS_S = 2.0
PROBE_EVERY_S = 0.02


@dataclass
class Probe:
    """Ask for something that costs nothing, again and again: what it waits is lag."""

    url: str
    waits_ms: list[float] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        with httpx2.Client(timeout=30) as http:
            while not stop.wait(PROBE_EVERY_S):
                began = time.perf_counter()
                http.get(self.url)
                self.waits_ms.append((time.perf_counter() - began) * 1000)

    def told(self) -> dict[str, float]:
        spread = quantiles(self.waits_ms, n=100, method="inclusive")
        return {
            "median_ms": round(median(self.waits_ms), 1),
            "p99_ms": round(spread[98], 1),
            "longest_ms": round(max(self.waits_ms), 1),
        }


@dataclass
class Load:
    """What a while of page loads came to."""

    pages: int
    failed: int
    page_ms: list[float]
    cpu_percent: dict[str, float]
    lags: dict[str, dict[str, float]]


def load_pages(
    browsers: Sequence[Callable[[], httpx2.Client]],
    pages: Sequence[str],
    probes: dict[str, str],
    pids: dict[str, int],
    for_s: float,
) -> Load:
    """Let everybody load pages for a while; probe and measure meanwhile."""
    stop, lock = threading.Event(), threading.Lock()
    took: list[float] = []
    failed = [0]

    def person(make: Callable[[], httpx2.Client], offset: float) -> None:
        # Closed as it was made: one that has logged in is open already.
        with closing(make()) as browser:
            stop.wait(offset)
            turn = 0
            while not stop.is_set():
                began = time.perf_counter()
                answer = browser.get(pages[turn % len(pages)])
                with lock:
                    took.append((time.perf_counter() - began) * 1000)
                    failed[0] += answer.status_code != httpx2.codes.OK
                turn += 1
                stop.wait(LOOKS_S)

    asked = {name: Probe(url) for name, url in probes.items()}
    threads = [
        threading.Thread(target=person, args=(make, LOOKS_S * n / len(browsers)))
        for n, make in enumerate(browsers)
    ]
    threads += [threading.Thread(target=p.run, args=(stop,)) for p in asked.values()]
    before = {name: process_cpu_ms(pid) for name, pid in pids.items()}
    began = time.monotonic()
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        time.sleep(for_s)
        stop.set()
    wall_ms = (time.monotonic() - began) * 1000
    used = {
        name: round((process_cpu_ms(pid) - before[name]) / wall_ms * 100, 1)
        for name, pid in pids.items()
    }
    lags = {name: probe.told() for name, probe in asked.items()}
    return Load(len(took), failed[0], took, used, lags)


def told(load: Load) -> dict[str, Any]:
    """Return a load's figures, flat."""
    figures: dict[str, Any] = {
        "pages": load.pages,
        "failed": load.failed,
    }
    if load.page_ms:
        figures["page_median_ms"] = round(median(load.page_ms), 1)
    for name, percent in load.cpu_percent.items():
        figures[f"{name}_cpu_percent"] = percent
    for name, lag in load.lags.items():
        figures |= {f"{name}_{what}": value for what, value in lag.items()}
    return figures
