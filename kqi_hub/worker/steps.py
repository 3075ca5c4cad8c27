"""The steps of a look, each of which may fail without ending the process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kqi_hub.domain.errors import ClusterError, KqiError

SLURM: Final = "slurm"
ACCOUNTING: Final = "accounting"
DATABASE: Final = "database"
ASSOCIATIONS: Final = "associations"
QOS: Final = "qos"
NOTEBOOKS: Final = "notebooks"
DATA: Final = "data"
TREES: Final = "trees"
HISTORY: Final = "history"
RUNS: Final = "runs"
INTAKE: Final = "intake"
RATES: Final = "rates"
BUDGETS: Final = "budgets"
LIMITS: Final = "limits"
RECONCILE: Final = "reconcile"
CLOSING: Final = "closing"
_WHAT_FAILED: Final = {
    BUDGETS: "Budgets cannot be looked at",
    LIMITS: "Limits cannot be written into Slurm",
    CLOSING: "A month cannot be closed",
    RECONCILE: "The book cannot be compared with Slurm",
    SLURM: "Slurm's answer cannot be used",
    ACCOUNTING: "Accounting's answer cannot be used",
    DATABASE: "The new picture cannot be stored",
    ASSOCIATIONS: "Who may submit where cannot be taken over",
    QOS: "What each QOS allows cannot be taken over",
    NOTEBOOKS: "Notebooks cannot be compared with their jobs",
    DATA: "What was begun with data cannot be ended",
    HISTORY: "Jobs that have ended cannot be taken over from accounting",
    TREES: "Trees of datasets that nobody reads cannot be removed",
    RUNS: "Runs cannot be compared with their jobs",
    INTAKE: "Accounting's records cannot be taken into the book",
    RATES: "Use cannot be posted again under new rates",
}
_LONGEST: Final = 300


class StepFailed(Exception):
    """One step of a look failed; the sentence is for readers of the picture."""

    def __init__(self, name: str, cause: Exception) -> None:
        super().__init__(_sentence(name, cause))
        self.name = name
        self.cause = cause


@contextmanager
def step(name: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into StepFailed, for a step ends no process."""
    try:
        yield
    except Exception as error:
        raise StepFailed(name, error) from error


def _sentence(name: str, cause: Exception) -> str:
    if name == SLURM and isinstance(cause, ClusterError):
        return str(cause)
    said = str(cause) if isinstance(cause, KqiError) else _first_line(cause)
    return f"{_WHAT_FAILED[name]}: {said}"


def _first_line(cause: Exception) -> str:
    text = next(iter(str(cause).splitlines()), "")
    return f"{type(cause).__name__} {text}".strip()[:_LONGEST]
