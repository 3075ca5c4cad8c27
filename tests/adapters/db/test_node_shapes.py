"""What nodes had is noted when it changes, and never lost."""

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.node_shapes import SqlNodeShapes
from kqi_hub.domain.node_shapes import NodeShape

A100 = (64, 1_024_000, "a100=8")


@pytest.fixture
def shapes(engine: Engine) -> SqlNodeShapes:
    schema.upgrade(engine)
    return SqlNodeShapes(engine, "gpu1")


def test_a_node_is_noted_once_as_long_as_it_is_the_same(shapes: SqlNodeShapes) -> None:
    assert shapes.add({"a100-01": A100, "cpu01": (32, 64_000, "")}, 100) == 2
    assert shapes.add({"a100-01": A100}, 200) == 0
    # It broke, and was mended.
    assert shapes.add({"a100-01": (64, 1_024_000, "a100=7")}, 300) == 1
    assert shapes.add({"a100-01": A100}, 400) == 1
    assert [one for one in shapes.all() if one.node == "a100-01"] == [
        NodeShape("a100-01", 100, *A100),
        NodeShape("a100-01", 300, 64, 1_024_000, "a100=7"),
        NodeShape("a100-01", 400, *A100),
    ]


def test_a_clock_that_stands_still_loses_nothing(shapes: SqlNodeShapes) -> None:
    shapes.add({"n1": A100}, 100)
    shapes.add({"n1": (1, 1, "")}, 100)
    assert shapes.all() == [NodeShape("n1", 100, *A100)]
    assert shapes.add({"n1": (1, 1, "")}, 101) == 1


def test_another_cluster_has_nodes_of_its_own(
    shapes: SqlNodeShapes, engine: Engine
) -> None:
    shapes.add({"n1": A100}, 100)
    assert SqlNodeShapes(engine, "gpu2").all() == []
