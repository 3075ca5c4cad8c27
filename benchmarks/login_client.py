"""The same client for every hub: people who send the login form, many at once."""

import http.client
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from statistics import median, quantiles
from threading import Lock
from urllib.parse import urlencode

from benchmarks.login_people import Person
from kqi_hub.devstack.people import CODE_PERIOD_S, one_time_code

LOGIN_COOKIE = "jupyterhub-hub-login"
# How close to its end a step's neighbour is no longer used: it may be late on arrival.
_TOO_LATE_S = 4

Login = Callable[[Person], None]


class NotLoggedIn(Exception):
    """A login that had to succeed did not."""


@dataclass
class Codes:
    """Everybody's codes; each is used once, as the hub demands."""

    used: dict[str, int] = field(default_factory=dict)

    def has_one(self, person: Person) -> bool:
        """Tell whether the person has an unused code that is accepted now."""
        return self._step(person) <= time.time() // CODE_PERIOD_S + 1

    def fresh(self, person: Person) -> str:
        """Return one, and count it as used."""
        self.used[person.name] = self._step(person)
        when = self.used[person.name] * CODE_PERIOD_S
        return one_time_code(person.code_secret, when)[0]

    def _step(self, person: Person) -> int:
        now = time.time()
        step, left_s = int(now // CODE_PERIOD_S), CODE_PERIOD_S - now % CODE_PERIOD_S
        first = step - 1 if left_s > _TOO_LATE_S else step
        return max(first, self.used.get(person.name, 0) + 1)


class Form:
    """A browser that has the login form before it; it stays a stranger's."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        answer = self._ask("GET", "/hub/login", "", "")
        cookies = SimpleCookie(answer.headers["Set-Cookie"])
        self._xsrf = cookies["_xsrf"].value

    def send(self, person: Person, **more: str) -> None:
        """Log in, or raise NotLoggedIn."""
        said = {"username": person.name, "password": person.password, **more}
        body = urlencode({**said, "_xsrf": self._xsrf})
        answer = self._ask("POST", "/hub/login", body, f"_xsrf={self._xsrf}")
        cookies = ",".join(answer.headers.get_all("Set-Cookie", []))
        if answer.status != 302 or LOGIN_COOKIE not in cookies:
            raise NotLoggedIn(f"{person.name}: {answer.status}")

    def close(self) -> None:
        self._connection.close()

    def _ask(
        self, method: str, path: str, body: str, cookie: str
    ) -> http.client.HTTPResponse:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if cookie:
            headers["Cookie"] = cookie
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer


@dataclass
class Queue:
    """People who wait to log in, served one by one, until the time is up."""

    people: Sequence[Person]
    until: float
    _next: int = 0
    _lock: Lock = field(default_factory=Lock)

    def take(self) -> Person | None:
        with self._lock:
            if self._next >= len(self.people) or time.monotonic() > self.until:
                return None
            self._next += 1
            return self.people[self._next - 1]


@dataclass(frozen=True)
class Round:
    """One round of one way: how long it took, and each login's time."""

    took_s: float
    logins_ms: tuple[float, ...]

    @property
    def per_s(self) -> float:
        return len(self.logins_ms) / self.took_s


def run_round(logins: Sequence[Login], people: Sequence[Person], for_s: float) -> Round:
    """Log people in, as many at once as there are ways given, for a while."""
    began = time.monotonic()
    queue = Queue(people, began + for_s)

    def serve(login: Login) -> list[float]:
        took = []
        while (person := queue.take()) is not None:
            at = time.perf_counter()
            login(person)
            took.append((time.perf_counter() - at) * 1000)
        return took

    with ThreadPoolExecutor(len(logins)) as threads:
        times = [one for found in threads.map(serve, logins) for one in found]
    return Round(time.monotonic() - began, tuple(times))


def told(rounds: Sequence[Round]) -> dict[str, float]:
    """Return the figures of some rounds of one way."""
    times = [one for found in rounds for one in found.logins_ms]
    return {
        "per_s": round(median(one.per_s for one in rounds), 2),
        "p50_ms": round(median(times), 1),
        "p99_ms": round(quantiles(times, n=100)[98], 1),
        "logins": len(times),
    }
