"""What nodes had at a moment."""

import pytest

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.node_shapes import NodeShape, NodeShapes

SHAPES = NodeShapes(
    [
        NodeShape("a100-01", 1000, 64, 1_024_000, "a100=8"),
        NodeShape("a100-01", 5000, 64, 1_024_000, "a100=6"),
        NodeShape("a100-02", 1000, 64, 1_024_000, "a100=8"),
        NodeShape("cpu01", 1000, 32, 64_000, ""),
    ]
)


@pytest.mark.parametrize(
    ("nodes", "at", "gpus"),
    [
        ("a100-01", 4999, 8),
        ("a100-01", 5000, 6),
        ("a100-01", 10**9, 6),
        # Nobody looked yet: what it had when it was first seen.
        ("a100-01", 0, 8),
        ("a100-[01-02]", 4000, 16),
        ("a100-[01-02]", 6000, 14),
        ("cpu01,a100-02", 6000, 8),
    ],
)
def test_a_node_has_what_it_had_at_the_moment(nodes: str, at: int, gpus: int) -> None:
    found = SHAPES.of(nodes, at)
    assert found is not None
    assert found.gpu_total == gpus


@pytest.mark.parametrize(
    "nodes", ["", "cpu02", "a100-[01-03]", "None assigned", "a[1-", "a100-[2-1]", "[]"]
)
def test_nodes_that_are_not_all_known_have_nothing(nodes: str) -> None:
    assert SHAPES.of(nodes, 2000) is None


def test_several_nodes_are_added_up() -> None:
    assert SHAPES.of("a100-02,cpu01", 2000) == Amounts(96, 1_088_000, {"a100": 8}, 2)
