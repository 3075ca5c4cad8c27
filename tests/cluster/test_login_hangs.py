"""A directory that hangs: who is logged in notices nothing, others are told soon."""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from statistics import median, quantiles

import pytest

from tests.cluster.login_lab import Door, LoginLab, Reply, login_lab
from tests.cluster.stack import Stack, wait_until

HANGING = 50
LOOKED_S = 3.0
# The settings connect_timeout_s and read_timeout_s, and some time to be told.
FIRST_ANSWER_S = 20.0


@pytest.fixture
def lab(stack: Stack) -> Iterator[LoginLab]:
    with login_lab(stack) as lab:
        wait_until(lambda: lets_in(lab, "bob"), 30)  # after what other tests did to it
        yield lab


def lets_in(lab: LoginLab, name: str) -> bool:
    code = lab.fresh_device(name).code()
    return lab.door().log_in(name, lab.password[name], code).status == 201


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(HANGING) as threads:
        yield threads


def milliseconds(door: Door, goes_on: Callable[[], bool] = lambda: True) -> list[float]:
    """Return how long the hub takes for the smallest thing that it does."""
    took: list[float] = []
    until = time.monotonic() + LOOKED_S
    with door.client() as client:
        while time.monotonic() < until and goes_on():
            began = time.perf_counter()
            assert client.get("hub/api/").status_code == 200
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(0.005)
    return took


def test_fifty_logins_that_hang_hold_up_nobody(
    lab: LoginLab,
    stack: Stack,
    threads: ThreadPoolExecutor,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quiet = milliseconds(lab.door())
    stack.pause("slapd")
    hanging: list[Future[Reply]] = [
        threads.submit(lab.door().log_in, f"person-{number}", "x", "123456")
        for number in range(HANGING)
    ]
    time.sleep(0.5)
    # On a machine with much other work, some have their answer within these seconds.
    took = milliseconds(lab.door(), lambda: not any(one.done() for one in hanging))
    assert len(took) > 20, "they did not hang for so long"
    p99 = quantiles(took, n=100)[98]
    figures = {
        "requests": len(took),
        "quiet_median_ms": round(median(quiet), 1),
        "median_ms": round(median(took), 1),
        "p99_ms": round(p99, 1),
        "longest_ms": round(max(took), 1),
    }
    with capsys.disabled():
        sys.stdout.write(f"\n{HANGING} logins hang: {figures}\n")
    assert median(took) < 50, figures
    assert p99 < 250, figures
    statuses = {one.result().status for one in hanging}
    assert statuses == {503}


def test_once_it_is_known_to_hang_people_are_told_at_once(
    lab: LoginLab, stack: Stack
) -> None:
    alice, door = lab.fresh_device("alice"), lab.door()
    stack.pause("slapd")
    began = time.monotonic()
    first = door.log_in("alice", lab.password["alice"], alice.code())
    assert first.status == 503
    assert time.monotonic() - began < FIRST_ANSWER_S
    for _ in range(5):
        reply = lab.door().log_in("alice", lab.password["alice"], alice.code())
        assert (reply.status, reply.body["code"]) == (503, "directory-unavailable")
        assert reply.took_s < 1.0
        assert "Nothing is wrong with your password" in reply.body["hint"]
    stack.resume("slapd")
    wait_until(lambda: lets_in(lab, "alice"), 30)


def test_a_directory_that_is_killed_and_back_costs_nobody_the_login(
    lab: LoginLab, stack: Stack
) -> None:
    alice, door = lab.fresh_device("alice"), lab.door()
    assert lets_in(lab, "bob")  # a connection is open, and kept
    stack.kill("slapd")
    stack.wait_ready("slapd")
    reply = door.log_in("alice", lab.password["alice"], alice.code())
    assert reply.status == 201
