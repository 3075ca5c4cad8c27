"""What a run has used, from what its job says to words for people."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.run_use import SOURCES, RunUse
from kqi_hub.domain.runs import Run, RunKind, RunSpec, RunState
from kqi_hub.services.run_efficiency import SOURCE_WORDS, amount, efficiency_of

SAID: Mapping[str, Any] = {
    "source": "cgroup v2", "seconds": 100.0, "samples": 20, "cpu_s": 120.0,
    "cores_max": 4.0, "memory_mb_mean": 1024.0, "memory_mb_max": 3072.0,
    "gpu_percent_mean": 12.0, "gpu_percent_max": 99.0, "gpu_memory_mb_max": 512.0,
}  # fmt: skip
USE = RunUse.read(SAID)
SPEC = RunSpec("first", "vision", "gpu", "true", Shape(8, 64 * 1024, 1))
RUN = Run(1, RunKind.TRAINING, "mia", "k", SPEC, RunState.COMPLETED, 1, 2, use=USE)


def words(run: Run) -> str:
    found = efficiency_of(run)
    return "" if found is None else "; ".join(map(str, found.words))


def test_what_was_used_is_said_beside_what_was_asked_for() -> None:
    assert words(RUN) == "1.2 of 8 CPU; 3 of 64 GB memory; GPU 12 %"
    found = efficiency_of(RUN)
    assert found is not None
    assert found.cpu == pytest.approx(0.15)
    assert found.memory == 3 / 64
    assert found.source == "cgroup v2"


def test_without_gpus_or_asked_memory_less_is_said() -> None:
    spec = replace(SPEC, shape=Shape(1, 0))
    assert words(replace(RUN, spec=spec)) == "1.2 of 1 CPU; 3 GB memory"
    assert words(replace(RUN, use=None)) == ""


def test_every_source_has_words() -> None:
    assert set(SOURCE_WORDS) == set(SOURCES)


def test_what_was_read_is_told_as_it_was() -> None:
    assert USE is not None
    assert USE.told() == SAID
    assert RunUse.read(USE.told()) == USE


@pytest.mark.parametrize(
    "changes",
    [{"source": "rumour"}, {"source": None}, {"source": ["cgroup v2"]},
     {"seconds": 0}, {"seconds": -1}, {"seconds": "9"}, {"seconds": True},
     {"cpu_s": float("nan")}, {"cpu_s": float("inf")}, {"cpu_s": 10**400},
     {"memory_mb_max": None}, {"samples": None}, {"cores_max": {}}],
)  # fmt: skip
def test_what_cannot_be_true_is_not_believed(changes: Mapping[str, object]) -> None:
    assert RunUse.read({**SAID, **changes}) is None


@pytest.mark.parametrize("said", [None, [], "x", 5, {}])
def test_what_is_no_table_says_nothing(said: object) -> None:
    assert RunUse.read(said) is None


def test_a_gpu_that_tells_nothing_is_none() -> None:
    found = RunUse.read({**SAID, "gpu_percent_mean": "12", "gpu_percent_max": -1})
    assert found is not None
    assert (found.gpu_percent_mean, found.gpu_percent_max) == (None, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.04, "0.04"), (0.25, "0.2"), (1.24, "1.2"), (8.0, "8"),
     (63.7, "64")],
)  # fmt: skip
def test_numbers_have_the_digits_that_people_read(value: float, text: str) -> None:
    assert amount(value) == text
