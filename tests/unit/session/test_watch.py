"""The watch over a session: what follows from what is seen."""

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kqi_hub.session.idle import Look, Verdict
from kqi_hub.session.watch import Watch

ORDER = {
    "ends_at": None,
    "idle_stop_s": 100,
    "idle_warn_s": 40,
    "end_warn_s": 600,
}
LOG = logging.getLogger("test")


class Clock:
    """A clock that stands still until it is moved."""

    now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock.time)
    yield clock


class Scene:
    """What there is to see, and what was stopped for it."""

    def __init__(self, **order: Any) -> None:
        self.counts: dict[str, int] = {}
        self.problem: Exception | None = None
        self.stopped: list[str] = []
        self.watch = Watch(ORDER | order, self.look, self.stopped.append, LOG)

    async def look(self) -> Look:
        if self.problem is not None:
            raise self.problem
        return Look(time.time(), self.counts)


async def test_idle_session_is_warned_then_ended_once(clock: Clock) -> None:
    scene = Scene()
    verdicts = []
    for _ in range(11):
        clock.now += 10
        verdicts.append(await scene.watch.once())
    assert verdicts.index(Verdict.WARN) == 5
    assert scene.stopped == ["idle", "idle"]


async def test_session_in_use_is_never_ended(clock: Clock) -> None:
    scene = Scene()
    scene.counts = {"terminals_background": 1}
    for _ in range(50):
        clock.now += 10
        assert await scene.watch.once() is Verdict.STAY
    assert not scene.stopped


async def test_somebody_who_is_here_in_time_keeps_it(clock: Clock) -> None:
    scene = Scene()
    for _ in range(9):
        clock.now += 10
        await scene.watch.once()
    scene.watch.here()
    clock.now += 20
    assert await scene.watch.once() is Verdict.STAY


async def test_look_that_fails_ends_nothing(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene()
    scene.problem = OSError("no /proc")
    pauses = 0

    async def sleep(_: float) -> None:
        nonlocal pauses
        pauses += 1
        clock.now += 1000
        if pauses > 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("asyncio.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        await scene.watch.run()
    assert not scene.stopped
    assert "could not look" in caplog.text


@pytest.mark.parametrize(
    ("known", "expected"),
    [(None, 600), (600, 600), (650, 650), (660, 660), (5000, 600), (100, 600)],
)
def test_slurms_signal_corrects_an_end_that_is_far_off(
    clock: Clock, known: float | None, expected: float
) -> None:
    scene = Scene(ends_at=None if known is None else clock.now + 1000 + known)
    clock.now += 1000
    scene.watch.time_is_nearly_up()
    assert scene.watch.ends_at == clock.now + expected


@pytest.mark.parametrize(("known", "expected"), [(300, 300), (5000, 600)])
def test_a_job_whose_queue_ends_it_sooner_than_it_is_warned_keeps_its_end(
    clock: Clock, known: float, expected: float
) -> None:
    scene = Scene(ends_at=clock.now + known)
    scene.watch.time_is_nearly_up()
    assert scene.watch.ends_at == clock.now + expected
