"""Lists of runs on both databases: what filters let through, in order, in pages."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.filters import Part, Span, TagRule
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.run_list import RunColumn, RunFilter
from kqi_hub.domain.run_ports import Collected, NewRun
from kqi_hub.domain.runs import LIVE, Parent, RunChange, RunKind, RunSpec, RunState

NOW = 1_795_000_000.0
TRAINING, INFERENCE = RunKind.TRAINING, RunKind.INFERENCE
PLAIN = RunSpec("first", "vision", "cpu", "python train.py", tags=("b", "a"))
OTHER = RunSpec("four", "nlp", "a100", "true", Shape(8), memo="for the paper")


@pytest.fixture
def runs(engine: Engine) -> SqlRunStore:
    """Store trainings 1, 3 and 4, and inference 2 on training 1."""
    schema.upgrade(engine)
    new = NewDataset("vision", "signs", "", False, ())
    dataset = SqlDatasetStore(engine).create(new, "mia", NOW).id
    store = SqlRunStore(engine)
    first = store.ask(NewRun(TRAINING, "mia", "k1", PLAIN), NOW)
    store.collected(first.id, Collected(RunState.COMPLETED, "0.5"), NOW + 1)
    store.change(first.id, RunChange(is_favourite=True), NOW + 1)
    child = replace(PLAIN, name="infer", parents=(Parent(TRAINING, first.id),))
    store.ask(NewRun(INFERENCE, "mia", "k2", child), NOW + 1)
    second = replace(
        PLAIN,
        name="second",
        command="python train.py --lr 3",
        dataset=dataset,
        tags=("a", "c"),
    )
    store.ask(NewRun(TRAINING, "mia", "k3", second), NOW + 2)
    store.ask(NewRun(TRAINING, "max", "k4", OTHER), NOW + 3)
    return store


CONDITIONS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [4, 3, 1]),
    ({"kind": INFERENCE}, [2]),
    ({"tenants": ("vision",)}, [3, 1]),
    ({"tenants": ()}, []),
    ({"id": Span(2, 4)}, [3]),
    ({"name": Part("SEC")}, [3]),
    ({"name": Part("sec", is_refused=True)}, [4, 1]),
    ({"name": Part("100%")}, []),
    ({"memo": Part("paper")}, [4]),
    ({"command": Part("lr 3")}, [3]),
    ({"owner": Part("max")}, [4]),
    ({"queue": Part("a100")}, [4]),
    ({"asked_at": Span(NOW + 2, None)}, [4, 3]),
    ({"states": frozenset({RunState.COMPLETED})}, [1]),
    ({"states": LIVE}, [4, 3]),
    ({"states": LIVE | {RunState.COMPLETED}}, [4, 3, 1]),
    ({"states": frozenset({RunState.RUNNING})}, []),
    ({"tags": TagRule(("a",))}, [3, 1]),
    ({"tags": TagRule(("a",), ("c",))}, [1]),
    ({"is_favourite": True}, [1]),
    ({"is_favourite": False}, [4, 3]),
    ({"dataset": Part("sig")}, [3]),
    ({"dataset": Part("sig", is_refused=True)}, [4, 1]),
    ({"kind": INFERENCE, "parent_id": Span(1, 2)}, [2]),
    ({"kind": INFERENCE, "parent_id": Span(2, 3)}, []),
    ({"kind": INFERENCE, "parent_name": Part("irs")}, [2]),
    ({"kind": INFERENCE, "parent_name": Part("irs", is_refused=True)}, []),
    ({"sort": RunColumn.NAME, "is_descending": False}, [1, 4, 3]),
    ({"sort": RunColumn.VALUE, "is_descending": True}, [1, 4, 3]),
    ({"sort": RunColumn.ENDED_AT, "is_descending": False}, [1, 3, 4]),
    ({"sort": RunColumn.OWNER, "is_descending": True}, [3, 1, 4]),
]


@pytest.mark.parametrize(("wanted", "expected"), CONDITIONS)
def test_lists_have_what_a_filter_lets_through_in_order(
    runs: SqlRunStore, wanted: dict[str, Any], expected: list[int]
) -> None:
    asked = RunFilter(**{"kind": TRAINING, "tenants": None, **wanted})
    found, total = runs.search(asked)
    assert [one.id for one in found] == expected
    assert total == len(expected)


@pytest.mark.parametrize(("limit", "offset"), [(2, 0), (2, 2), (3, 0), (2, 4), (2, 3)])
def test_a_page_says_how_many_there_are(
    runs: SqlRunStore, limit: int, offset: int
) -> None:
    wanted = RunFilter(TRAINING, None, limit=limit, offset=offset)
    found, total = runs.search(wanted)
    assert [one.id for one in found] == [4, 3, 1][offset : offset + limit]
    assert total == 3
