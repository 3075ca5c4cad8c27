"""What the cluster could have given."""

from kqi_hub.domain.capacity import CapacityLine
from kqi_hub.domain.node_shapes import NodeShape

A = NodeShape("a", 1000, 10, 5, "a100=2")


def test_a_node_counts_from_ever_with_its_first_shape() -> None:
    found = CapacityLine([A]).between(0, 100)
    assert (found.cpu_s, found.gpu_s, found.node_s) == (1000, 200, 100)
    assert found.by_type == (("a100", 200),)


def test_a_change_counts_from_its_moment_on() -> None:
    line = CapacityLine([A._replace(from_at=2000, cpus=20, gpus=""), A])
    assert line.between(1900, 2100).cpu_s == 100 * 10 + 100 * 20
    assert line.between(1900, 2100).gpu_s == 100 * 2


def test_a_node_that_is_gone_gives_nothing() -> None:
    line = CapacityLine([A, NodeShape("a", 2000, 0, 0, ""), A._replace(node="b")])
    assert line.between(2000, 2010).node_s == 10
    assert line.between(1990, 2010).node_s == 30


def test_no_nodes_and_no_time_are_nothing() -> None:
    assert CapacityLine([]).between(0, 100).cpu_s == 0
    assert CapacityLine([A]).between(50, 50).cpu_s == 0
