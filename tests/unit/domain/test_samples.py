"""What ran where, hour by hour."""

from kqi_hub.domain.node_shapes import NodeShape
from kqi_hub.domain.samples import full_hours, samples
from kqi_hub.domain.usage import UsedRun
from tests.fakes.usage import HOUR, record

NODES = (NodeShape("n1", 0, 8, 100, "a100=2"), NodeShape("n2", 0, 8, 100, ""))
LIMITS = (10 * HOUR, 1000)


def run(number: int, began: int, hours: float, **about: object) -> UsedRun:
    one = record(number, "mia", "vision", "cpu", began, hours, **about)
    return UsedRun(number, one, "other", None)


def test_a_run_is_there_at_each_full_hour_of_its_time() -> None:
    one = run(1, HOUR // 2, 2, node_list="n1")
    found = samples([one], NODES, range(0, 4 * HOUR, HOUR), LIMITS)
    assert found is not None
    busy = [(each.at // HOUR, each.node) for each in found if each.run]
    assert busy == [(1, "n1"), (2, "n1")]
    idle = [(each.at // HOUR, each.node) for each in found if not each.run]
    assert idle == [(0, "n1"), (0, "n2"), (1, "n2"), (2, "n2"), (3, "n1"), (3, "n2")]


def test_what_several_nodes_have_together_is_spread_without_loss() -> None:
    one = run(1, 0, 1, node_list="n[1-2]", nodes=2, cpus=5, gpus="a100=3")
    found = samples([one], NODES, range(0, HOUR, HOUR), LIMITS)
    assert found is not None
    assert [(each.cpus, each.gpus) for each in found] == [(3, "a100=2"), (2, "a100=1")]


def test_a_run_goes_on_until_now_and_one_that_never_began_is_nowhere() -> None:
    on = run(1, 0, 0, ended_at=None, node_list="n1")
    never = run(2, 0, 1, started_at=None, node_list="None assigned")
    found = samples([on, never], (), range(0, 24 * HOUR, HOUR), LIMITS)
    assert found is not None
    assert [each.at // HOUR for each in found] == list(range(10))
    assert found[0].has is None


def test_too_many_are_none_at_all() -> None:
    one = run(1, 0, 5, node_list="n1")
    assert samples([one], (), range(0, 5 * HOUR, HOUR), (0, 4)) is None
    assert samples([], NODES, range(0, 5 * HOUR, HOUR), (0, 9)) is None
    assert samples([one], (), range(0, 5 * HOUR, HOUR), (0, 5)) is not None


def test_full_hours_begin_at_the_next_one() -> None:
    assert list(full_hours(1, 2 * HOUR)) == [HOUR]
    assert list(full_hours(0, HOUR)) == [0]
    assert list(full_hours(5, 5)) == []
