"""Asking for a fresh look ends with a picture, or with the reason why not."""

from collections.abc import Callable

import pytest

from kqi_hub.domain.cluster import Freshness, Reading
from kqi_hub.domain.errors import ClusterTimedOut, ClusterUnreachable
from kqi_hub.services.refresh import ask_for_look
from tests.fakes.snapshot_store import FakeSnapshotStore


class Bench:
    """A store, and a worker that does something at a given time."""

    def __init__(self, at: float, deed: Callable[[FakeSnapshotStore], object]) -> None:
        self.now = 1000.0
        self.at, self.deed = at, deed
        self.store = FakeSnapshotStore()
        self.store.fresh = Freshness(4, 990.0, 990.0)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self.at:
            self.at = float("inf")
            self.deed(self.store)

    def ask(self, limit_s: float = 30) -> Freshness:
        return ask_for_look(self.store, lambda: self.now, self.sleep, limit_s)


def nothing(_: FakeSnapshotStore) -> None:
    return None


def test_picture_taken_after_the_request_is_the_answer() -> None:
    bench = Bench(1003, lambda store: store.save(Reading(1002.5, (), (), ()), {}))
    assert bench.ask().taken_at == 1002.5
    assert bench.store.asked is None


def test_picture_begun_before_the_request_is_no_answer() -> None:
    bench = Bench(1003, lambda store: store.save(Reading(999.9, (), (), ()), {}))
    with pytest.raises(ClusterTimedOut, match="within 30 s"):
        bench.ask()


def test_controller_that_fails_already_is_not_asked_for() -> None:
    bench = Bench(1003, nothing)
    bench.store.fresh = Freshness(4, 990.0, 995.0, "No controller.")
    with pytest.raises(ClusterUnreachable, match="No controller"):
        bench.ask()
    assert bench.store.asked is None
    assert bench.now == 1000.0


def test_look_that_fails_meanwhile_is_told_at_once() -> None:
    bench = Bench(1003, lambda store: store.mark_failed("No controller.", 1002.0))
    with pytest.raises(ClusterUnreachable, match="No controller"):
        bench.ask()
    assert bench.now < 1004


def test_remark_about_accounting_does_not_stand_in_the_way() -> None:
    bench = Bench(1003, lambda store: store.save(Reading(1002.5, (), (), ()), {}))
    bench.store.fresh = Freshness(4, 990.0, 990.0, "job 7 is unsure")
    assert bench.ask().taken_at == 1002.5


def test_waiting_ends_and_the_request_stays() -> None:
    bench = Bench(1e9, nothing)
    with pytest.raises(ClusterTimedOut):
        bench.ask(limit_s=2)
    assert bench.now == pytest.approx(1002, abs=0.3)
    assert bench.store.asked == 1000.0
