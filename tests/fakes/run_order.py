"""The order of lists of runs in memory."""

from kqi_hub.domain.run_list import RunColumn
from kqi_hub.domain.runs import Run


def sorted_by(one: Run, column: RunColumn) -> tuple[int, float, str]:
    """Return what a run is sorted by: numbers or text."""
    values: dict[RunColumn, float | str] = {
        RunColumn.ID: one.id,
        RunColumn.NAME: one.name,
        RunColumn.STATE: one.state.value,
        RunColumn.OWNER: one.owner,
        RunColumn.QUEUE: one.spec.queue,
        RunColumn.ASKED_AT: one.asked_at,
        RunColumn.ENDED_AT: one.ended_at or 0.0,
        RunColumn.VALUE: _number(one.value),
    }
    value = values[column]
    return (0, 0.0, value) if isinstance(value, str) else (0, float(value), "")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("-inf")
