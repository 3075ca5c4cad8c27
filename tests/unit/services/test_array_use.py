"""What follows from the use of an array, and what it costs while some tasks run."""

from dataclasses import replace

import pytest

from kqi_hub.domain.array_use import ArrayUse, Spread
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.runs import RunState
from kqi_hub.services.array_use import Arrays, advice
from tests.fakes.array_use import FakeArrayUses
from tests.fakes.notebooks import open_to_all
from tests.fakes.queues import FakeQueues
from tests.unit.services.test_preprocessings import MALLORY, MAX, MIA, Lab, batch

SHAPE = Shape(8, 64 * 1024, 1)
USE = ArrayUse(
    states={RunState.COMPLETED: 3},
    measured=3,
    cores=Spread(5, 6, 7),
    memory_mb=Spread(1024, 20_000, 60_000),
    gpu_percent=Spread(1, 50, 90),
)


def said(use: ArrayUse, shape: Shape = SHAPE) -> list[str]:
    return list(map(str, advice(use, shape)))


def test_of_what_was_used_well_nothing_follows() -> None:
    assert said(USE) == []
    assert said(ArrayUse()) == []


@pytest.mark.parametrize(
    ("most", "asked", "words"),
    [
        (4096, 64 * 1024, ["used: 4 of 64 GB memory. With 5 GB more"]),
        (100, 64 * 1024, ["used: 0.10 of 64 GB memory. With 1 GB more"]),
        (32_768, 65_536, []),
        # Less than what it has cannot be asked for.
        (100, 1024, []),
        (100, 0, []),
    ],
)
def test_much_more_memory_than_the_largest_task_used(
    most: float, asked: int, words: list[str]
) -> None:
    use = replace(USE, memory_mb=Spread(1, 2, most))
    found = said(use, replace(SHAPE, memory_mb=asked))
    assert len(found) == len(words)
    assert all(one in told for one, told in zip(words, found, strict=True))


def test_where_memory_was_short_less_is_not_advised() -> None:
    states = {RunState.OUT_OF_MEMORY: 2, RunState.TIMED_OUT: 1, RunState.COMPLETED: 9}
    found = said(replace(USE, states=states, memory_mb=Spread(1, 2, 3)))
    assert [one.split(".")[0] for one in found] == [
        "Tasks that ran out of memory: 2",
        "Tasks whose time was over: 1",
    ]


@pytest.mark.parametrize(
    ("cores", "cpus", "enough"), [(3.2, 8, 4), (0.0, 8, 1), (4.0, 8, 0), (0.1, 1, 0)]
)
def test_many_more_cpus_than_the_busiest_task_used(
    cores: float, cpus: int, enough: int
) -> None:
    found = said(replace(USE, cores=Spread(0, 0, cores)), replace(SHAPE, cpus=cpus))
    assert [f"With {enough} CPU" in one for one in found] == ([True] if enough else [])


def test_idle_gpus_are_told_where_some_were_asked_for() -> None:
    idle = replace(USE, gpu_percent=Spread(0, 1, 3.2))
    assert said(idle) == [
        "No task kept its GPUs busy: at most GPU 3.2 %. Try it without a GPU."
    ]
    assert said(idle, replace(SHAPE, gpus=0)) == []


def test_shares_are_of_what_was_asked_for() -> None:
    assert Spread(1, 2, 3).over(4) == Spread(0.25, 0.5, 0.75)
    assert Spread(1, 2, 3).over(0) is None


async def test_an_array_is_its_tenants_and_live() -> None:
    lab = Lab()
    queues = open_to_all(["mia", "max"], FakeQueues())
    arrays = Arrays(lab.fakes.runs(queues), FakeArrayUses(lab.fakes.store))
    number = await lab.defined()
    made = (await lab.service.run(MIA, number, batch(1, 2, 3))).runs
    _, none = await arrays.of_run(MAX, made[0].id)
    assert (none.use.tasks, none.use.ended, none.cpu, none.cost) == (3, 0, None, None)
    lab.fakes.end(made[1], 120)
    lab.fakes.run(made[2], 120)
    _, view = await arrays.of_run(MAX, made[0].id)
    assert (view.use.ended, view.use.median_s, view.unbooked) == (1, 60.0, 1)
    assert view.cpu == Spread(0.75, 0.75, 0.75)
    with pytest.raises(NotFound):
        await arrays.of_run(MALLORY, made[0].id)
    with pytest.raises(NotFound):
        await arrays.of_run(MIA, 2**62)
    lab.fakes.store.runs[made[0].id] = replace(made[0], batch=None, task=None)
    with pytest.raises(Conflict, match="done elsewhere"):
        await arrays.of_run(MIA, made[0].id)
