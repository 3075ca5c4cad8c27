"""People of the benchmarks: what they ask for, which of their pages count as failed."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from benchmarks.page_load import Person, Probe, load_pages, told

PAGES = ["/a", "/b"]


@dataclass
class Site:
    """A site that shows `/a` and `/b`, and leads elsewhere from `/private`."""

    base: str = ""
    asked: list[str] = field(default_factory=list)

    def browser(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.base, timeout=5, follow_redirects=True)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            statuses = {"/private": 302, "/broken": 500}
            self.send_response(statuses.get(self.path, 200))
            if self.path == "/private":
                self.send_header("Location", "/login")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        made.base = f"http://127.0.0.1:{server.server_address[1]}"
        yield made
        server.shutdown()
        thread.join()


def looking(site: Site, page: str) -> Person:
    """Return somebody who has looked at a page once."""
    stop = threading.Event()
    with closing(site.browser()) as browser:
        person = Person(browser, [page], 0.0)
        threading.Timer(0.5, stop.set).start()
        person.run(stop)
    return person


@pytest.mark.parametrize(
    ("page", "failed"), [("/a", 0), ("/private", 1), ("/broken", 1)]
)
def test_only_the_page_that_was_asked_for_counts_as_shown(
    site: Site, page: str, failed: int
) -> None:
    person = looking(site, page)
    assert (len(person.took_ms), person.failed) == (1, failed)


def test_a_site_that_is_down_is_a_failed_page_and_ends_nobody() -> None:
    person = looking(Site(base="http://127.0.0.1:9"), "/a")
    assert (len(person.took_ms), person.failed) == (1, 1)


def test_browsers_are_opened_before_and_closed_after_the_measurement(
    site: Site,
) -> None:
    opened: list[httpx2.Client] = []

    def logged_in() -> httpx2.Client:
        browser = site.browser()
        browser.get("/login")
        opened.append(browser)
        return browser

    probes = {"lag": f"{site.base}/health"}
    load = load_pages([logged_in] * 3, PAGES, probes, {}, 0.5)
    assert site.asked[:3] == ["/login"] * 3
    assert site.asked.count("/a") == load.pages > 0
    assert all(browser.is_closed for browser in opened)
    assert told(load).keys() >= {"page_median_ms", "lag_p99_ms", "failed"}


def test_without_anybody_only_the_probes_ask(site: Site) -> None:
    load = load_pages([], PAGES, {"lag": f"{site.base}/health"}, {}, 0.3)
    assert set(site.asked) == {"/health"}
    assert "page_median_ms" not in told(load)


def test_a_probe_tells_median_p99_and_longest() -> None:
    probe = Probe("http://unused.invalid", [1.0] * 99 + [50.0])
    found = probe.told()
    assert (found["median_ms"], found["longest_ms"]) == (1.0, 50.0)
    assert 1.0 < found["p99_ms"] < 50.0
