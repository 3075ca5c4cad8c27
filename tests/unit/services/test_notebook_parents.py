"""Runs whose results notebooks read: one's own, that have some."""

from dataclasses import replace

import pytest

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.notebook_choices import MOST_PARENTS, checked_choices
from kqi_hub.domain.notebooks import Choices, NotebookRules, Session
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import RunKind, RunState
from kqi_hub.services.notebook_parents import NotebookParents, SessionParents
from tests.fakes.runs import SPEC, FakeRunStore

CHOICES = Choices("try", "vision", "cpu")


@pytest.fixture
def runs() -> FakeRunStore:
    """Mia's run 1 is done, her run 2 was refused, max's run 3 is done."""
    store = FakeRunStore()
    for owner, state in (
        ("mia", RunState.COMPLETED),
        ("mia", RunState.REFUSED),
        ("max", RunState.COMPLETED),
    ):
        made = store.ask(NewRun(RunKind.TRAINING, owner, "k" * 26, SPEC), 1.0)
        folder = f"training/{made.id}"
        store.runs[made.id] = replace(made, state=state, folder=folder)
    return store


def test_own_runs_with_results_are_taken(runs: FakeRunStore) -> None:
    NotebookParents(runs).check("mia", (1,))
    NotebookParents(runs).check("mia", ())
    NotebookParents(runs).check("max", (3,))


@pytest.mark.parametrize("number", [2, 3, 4])
def test_what_is_no_run_of_ones_own_with_results_is_refused(
    runs: FakeRunStore, number: int
) -> None:
    with pytest.raises(InvalidInput, match=f"no run {number} "):
        NotebookParents(runs).check("mia", (1, number))


def test_a_session_is_told_where_its_owners_results_lie(runs: FakeRunStore) -> None:
    chosen = replace(CHOICES, parents=(1, 3, 9))
    session = Session(5, 12, "mia", "k" * 26, chosen, 1.0, 1.0)
    found = SessionParents(runs, "/scratch")(session)
    assert found == ((1, "/scratch/mia/kqi/training/1/output"), (3, ""), (9, ""))


@pytest.mark.parametrize(
    "parents",
    [(0,), (-1,), (2**63,), (1, 1), tuple(range(1, MOST_PARENTS + 2))],
)
def test_what_are_no_numbers_each_once_is_refused(parents: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"^parents: "):
        checked_choices(replace(CHOICES, parents=parents), NotebookRules())
