"""What 50 people who watch a list of runs cost slurmctld; runs inside the cluster.

    python -m benchmarks.lists_watchers

Each has a stream of events open, as a page has, and reads the list when it is told of
news and every two seconds besides. Windows begin and end with a look of the worker.
"""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from benchmarks.our_portal import API, OurPortal, our_portal
from benchmarks.slurm_rpcs import counts

WATCHERS = 50
# A person's oldest stream gives way to a 17th: two of the fifty only read.
PEOPLE = ("alice", "bob", "carol")
PORTAL = "kqi"
LOOKS = 12
_READS_EVERY_S = 2.0
_PATIENCE_S = 60.0


@dataclass
class Watcher:
    """One open page."""

    browser: httpx2.Client
    events: int = 0
    reads: int = 0
    failed: int = 0

    def run(self, stop: threading.Event) -> None:
        """Read again and again, as long as the page is open."""
        listening = threading.Thread(target=self._listen, args=(stop,), daemon=True)
        listening.start()
        while not stop.wait(_READS_EVERY_S):
            self._read()

    def _listen(self, stop: threading.Event) -> None:
        wants = {"Accept": "text/event-stream"}
        try:
            with self.browser.stream(
                "GET", f"{API}/events?of=runs", headers=wants
            ) as answer:
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        self.events += 1
                        self._read()
                    if stop.is_set():
                        return
        except httpx2.HTTPError:
            self.failed += not stop.is_set()

    def _read(self) -> None:
        try:
            answer = self.browser.get(f"{API}/training?per_page=50")
        except httpx2.HTTPError:
            self.failed += 1
        else:
            self.reads += 1
            self.failed += answer.is_error


@contextmanager
def watching(people: list[OurPortal]) -> Iterator[list[Watcher]]:
    """Have everybody watch."""
    stop = threading.Event()
    chosen = itertools.islice(itertools.cycle(people), WATCHERS)
    watchers = [Watcher(one.another()) for one in chosen]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in watchers]
    for thread in threads:
        thread.start()
    try:
        yield watchers
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for one in watchers:
            one.browser.close()


def calls_a_look(browser: httpx2.Client) -> float:
    """Return what slurmctld is asked for each of some looks of the worker."""
    began = after_next_look(browser)
    before = counts()
    sequence = began
    while sequence < began + LOOKS:
        sequence = after_next_look(browser)
    asked = counts().of([PORTAL, *PEOPLE]) - before.of([PORTAL, *PEOPLE])
    return round(asked / (sequence - began), 2)


def after_next_look(browser: httpx2.Client) -> int:
    """Wait until the worker has just looked; return the number of its picture."""
    known = picture_of(browser)
    until = time.monotonic() + _PATIENCE_S
    while (now := picture_of(browser)) == known:
        if time.monotonic() > until:
            raise TimeoutError("the worker does not look")
        time.sleep(0.2)
    return now


def picture_of(browser: httpx2.Client) -> int:
    told = browser.get(f"{API}/events?of=queues").raise_for_status().text
    data = next(line for line in told.splitlines() if line.startswith("data: "))
    return int(json.loads(data.removeprefix("data: "))["sequence"])


def main() -> None:
    people = [our_portal(name) for name in PEOPLE]
    with people[0].another() as browser:
        alone = calls_a_look(browser)
        with watching(people) as watchers:
            watched = calls_a_look(browser)
    figures = {
        "calls_a_look_alone": alone,
        "calls_a_look_watched": watched,
        "looks": LOOKS,
        "streams": sum(one.events > 0 for one in watchers),
        "reads": sum(one.reads for one in watchers),
        "failed": sum(one.failed for one in watchers),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
