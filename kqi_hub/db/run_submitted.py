"""Note the job of many runs at once: a statement costs more than a row."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, func, insert, or_, select, update

from kqi_hub.db.data_rows import CHUNK, later
from kqi_hub.db.run_rows import EVENTS, RUNS, runs_of, with_spec
from kqi_hub.domain.runs import Run, RunState

_R: Final = RUNS.c
# Whatever is in another state has a job already, or needs none any more.
_WAITS_FOR_A_JOB: Final = (RunState.ASKED.value, RunState.PREPARED.value)


def note_submitted(
    connection: Connection, run_ids: Collection[int], job_id: int, now: float
) -> tuple[Run, ...]:
    """Note the job of those of these runs that wait for one; return all, by number."""
    found: list[Run] = []
    for part in _chunks(sorted(set(run_ids))):
        held = select(_R.number).where(
            _R.number.in_(part),
            _R.state.in_(_WAITS_FOR_A_JOB),
            or_(_R.job_id.is_(None), _R.job_id == job_id),
        )
        waiting = connection.scalars(held.order_by(_R.number).with_for_update()).all()
        if waiting:
            _note(connection, waiting, job_id, now)
        query = with_spec().where(_R.number.in_(part)).order_by(_R.number)
        found += runs_of(connection, query)
    return tuple(found)


def _note(
    connection: Connection, numbers: Sequence[int], job_id: int, now: float
) -> None:
    counted = select(EVENTS.c.run, func.count()).where(EVENTS.c.run.in_(numbers))
    rows = connection.execute(counted.group_by(EVENTS.c.run))
    positions = {row[0]: row[1] for row in rows}
    pending = RunState.PENDING.value
    connection.execute(
        insert(EVENTS),
        [
            {
                "run": number,
                "position": positions.get(number, 0),
                "at": now,
                "state": pending,
                "cause": "",
            }
            for number in numbers
        ],
    )
    statement = update(RUNS).where(_R.number.in_(numbers))
    changed_at = later(_R.changed_at, now)
    connection.execute(
        statement.values(state=pending, job_id=job_id, changed_at=changed_at)
    )


def _chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]
