"""Between rows and runs: what a row says, with the spec, tags and names beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from kqi_hub.db.data_rows import CHUNK, later
from kqi_hub.db.dataset_rows import DATASETS
from kqi_hub.db.known_people import names_of_people
from kqi_hub.db.run_tables import (
    RunEventRow,
    RunParentRow,
    RunRemovalRow,
    RunRow,
    RunScriptRow,
    RunSpecRow,
    RunTagRow,
    RunWordsRow,
)
from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.filters import in_one_case
from kqi_hub.domain.run_ports import RunNames
from kqi_hub.domain.runs import Run, RunKind, RunSpec, RunState

RUNS: Final = cast(Table, RunRow.__table__)
WORDS: Final = cast(Table, RunWordsRow.__table__)
SPECS: Final = cast(Table, RunSpecRow.__table__)
SCRIPTS: Final = cast(Table, RunScriptRow.__table__)
TAGS: Final = cast(Table, RunTagRow.__table__)
PARENTS: Final = cast(Table, RunParentRow.__table__)
EVENTS: Final = cast(Table, RunEventRow.__table__)
REMOVALS: Final = cast(Table, RunRemovalRow.__table__)
_R: Final = RUNS.c


def with_spec() -> Select[Any]:
    """Return the query of runs, each with what was asked for."""
    return select(RUNS, SPECS.c.spec).join_from(RUNS, SPECS, SPECS.c.run == _R.number)


def runs_of(connection: Connection, query: Select[Any]) -> tuple[Run, ...]:
    """Read the rows of a query made of `with_spec`."""
    rows = connection.execute(query).all()
    tags = tags_of(connection, [row.number for row in rows])
    return tuple(_run(row, tags.get(row.number, ())) for row in rows)


def one_run(connection: Connection, run_id: int) -> Run | None:
    """Return a run, None if there is none of this number."""
    found = runs_of(connection, with_spec().where(_R.number == run_id))
    return found[0] if found else None


def held_run(connection: Connection, run_id: int) -> Run:
    """Return a run that nobody else changes until the transaction ends."""
    row = select(_R.number).where(_R.number == run_id).with_for_update()
    found = None if connection.scalar(row) is None else one_run(connection, run_id)
    if found is None:
        raise no_run(run_id)
    return found


def changed(
    connection: Connection, run_id: int, now: float, values: Mapping[str, Any]
) -> Run:
    """Change columns of a run that is held, and return it."""
    statement = update(RUNS).where(_R.number == run_id)
    # Two changes within one tick of the clock, or after it was set back, are two.
    connection.execute(statement.values(changed_at=later(_R.changed_at, now), **values))
    found = one_run(connection, run_id)
    if found is None:
        raise no_run(run_id)
    return found


def note_event(
    connection: Connection, run_id: int, at: float, state: RunState, cause: str
) -> None:
    """Add to a run's history, in the transaction that changes its state."""
    mine = EVENTS.c.run == run_id
    count = connection.scalar(select(func.count()).select_from(EVENTS).where(mine))
    row = {
        "run": run_id,
        "position": count or 0,
        "at": at,
        "state": state.value,
        "cause": cause,
    }
    connection.execute(insert(EVENTS), row)


def put_tags(
    connection: Connection, run_id: int, tenant: str, tags: Sequence[str]
) -> None:
    """Replace the tags of a run."""
    connection.execute(delete(TAGS).where(TAGS.c.run == run_id))
    if rows := tag_rows(run_id, tenant, tags):
        connection.execute(insert(TAGS), rows)


def put_memo(connection: Connection, run_id: int, memo: str) -> None:
    """Have lists find a run by a new memo."""
    mine = update(WORDS).where(WORDS.c.number == run_id)
    connection.execute(mine.values(memo=in_one_case(memo)))


def put_parents(connection: Connection, run_ids: Sequence[int]) -> None:
    """Have lists find runs by what their parents are called now, a name a line."""
    names: dict[int, list[str]] = {}
    for start in range(0, len(run_ids), CHUNK):
        query = (
            select(PARENTS.c.run, _R.name)
            .join_from(PARENTS, RUNS, _R.number == PARENTS.c.parent)
            .where(PARENTS.c.run.in_(run_ids[start : start + CHUNK]))
        )
        for row in connection.execute(query.order_by(PARENTS.c.parent)):
            names.setdefault(row.run, []).append(row.name)
    if names:
        of_run = update(WORDS).where(WORDS.c.number == bindparam("run"))
        connection.execute(
            of_run.values(parents=bindparam("called")),
            [
                {"run": run, "called": in_one_case("\n".join(called))}
                for run, called in names.items()
            ],
        )


def tag_rows(run_id: int, tenant: str, tags: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of a run's tags, each once."""
    unique = dict.fromkeys(tags)
    return [{"tenant": tenant, "tag": tag, "run": run_id} for tag in unique]


def tags_of(
    connection: Connection, run_ids: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """Return the tags of each run that has any."""
    found: dict[int, list[str]] = {}
    for start in range(0, len(run_ids), CHUNK):
        part = run_ids[start : start + CHUNK]
        query = select(TAGS.c.run, TAGS.c.tag).where(TAGS.c.run.in_(part))
        for row in connection.execute(query):
            found.setdefault(row.run, []).append(row.tag)
    # The order of Python: that of a database depends on its language.
    return {number: tuple(sorted(tags)) for number, tags in found.items()}


def names_of(connection: Connection, runs: Sequence[Run]) -> RunNames:
    """Return the names of the datasets, parents and owners of runs."""
    datasets = {one.spec.dataset for one in runs if one.spec.dataset is not None}
    parents = {parent.id for one in runs for parent in one.spec.parents}
    return RunNames(
        _names(connection, DATASETS.c.number, DATASETS.c.name, sorted(datasets)),
        _names(connection, _R.number, _R.name, sorted(parents)),
        names_of_people(connection, {one.owner for one in runs}),
    )


def thing_of(kind: RunKind, run_id: int) -> Thing:
    """Return a run as lineage has it."""
    return Thing(Kind(kind.value), str(run_id))


def no_run(run_id: int) -> NotFound:
    """Return the error for a number that no run has."""
    return NotFound("There is no run {id}.", "Look at the list again.", id=run_id)


def _names(
    connection: Connection,
    number: ColumnElement[int],
    name: ColumnElement[str],
    ids: Sequence[int],
) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(ids), CHUNK):
        query = select(number, name).where(number.in_(ids[start : start + CHUNK]))
        for row in connection.execute(query):
            found[row[0]] = row[1]
    return found


def _run(row: Row[Any], tags: tuple[str, ...]) -> Run:
    spec: RunSpec = row.spec
    return Run(
        id=row.number,
        kind=RunKind(row.kind),
        owner=row.owner,
        key=row.key,
        spec=replace(spec, command=row.command),
        state=RunState(row.state),
        asked_at=row.asked_at,
        changed_at=row.changed_at,
        job_id=row.job_id,
        batch=row.batch,
        task=row.task,
        preprocessing=row.preprocessing,
        data=row.data,
        node=row.node,
        began_at=row.began_at,
        ended_at=row.ended_at,
        stopping=_state(row.stopping),
        outcome=_state(row.outcome),
        going_at=row.going_at,
        detail=row.detail,
        exit_code=row.exit_code,
        value=row.value,
        is_favourite=row.is_favourite,
        name=row.name,
        memo=row.memo,
        tags=tags,
        folder=row.folder or f"{row.kind}/{row.number}",
        copied_from=row.copied_from,
        files=row.files,
        bytes=row.bytes,
        use=row.use,
    )


def _state(text: str | None) -> RunState | None:
    return None if text is None else RunState(text)
