"""People who load pages, and how long a hub's loop keeps a small question waiting."""

import itertools
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
class Person:
    """Look at one page after the other, in a browser; `failed` did not show them."""

    browser: httpx2.Client
    pages: Sequence[str]
    offset_s: float
    took_ms: list[float] = field(default_factory=list)
    failed: int = 0

    def run(self, stop: threading.Event) -> None:
        stop.wait(self.offset_s)
        for page in itertools.cycle(self.pages):
            if stop.is_set():
                return
            began = time.perf_counter()
            self.failed += not self._is_shown(page)
            self.took_ms.append((time.perf_counter() - began) * 1000)
            stop.wait(LOOKS_S)

    def _is_shown(self, page: str) -> bool:
        try:
            answer = self.browser.get(page)
        except httpx2.HTTPError:
            return False
        # Who is led to a form of login is shown a page too, but not this one.
        is_ok = answer.status_code == httpx2.codes.OK
        return is_ok and answer.url.path == page


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
    """Let everybody load pages for a while; probe and measure meanwhile.

    The browsers are opened, and logged in where they are, before anything is measured.
    """
    stop = threading.Event()
    asked = {name: Probe(url) for name, url in probes.items()}
    with ExitStack() as opened:
        people = [
            Person(
                opened.enter_context(closing(make())),
                pages,
                LOOKS_S * n / len(browsers),
            )
            for n, make in enumerate(browsers)
        ]
        before = {name: process_cpu_ms(pid) for name, pid in pids.items()}
        began = time.monotonic()
        _all_at_once([*people, *asked.values()], stop, for_s)
        wall_ms = (time.monotonic() - began) * 1000
    used = {
        name: round((process_cpu_ms(pid) - before[name]) / wall_ms * 100, 1)
        for name, pid in pids.items()
    }
    lags = {name: probe.told() for name, probe in asked.items()}
    took = [ms for person in people for ms in person.took_ms]
    return Load(len(took), sum(p.failed for p in people), took, used, lags)


def _all_at_once(
    asking: Sequence[Probe | Person], stop: threading.Event, for_s: float
) -> None:
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in asking]
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        time.sleep(for_s)
        stop.set()


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
