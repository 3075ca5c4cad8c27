"""Store the wish for runs: with what they use, locked, in the same transaction."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from kqi_hub.db.data_rows import CHUNK
from kqi_hub.db.run_rows import (
    EVENTS,
    PARENTS,
    RUNS,
    SPECS,
    TAGS,
    WORDS,
    put_parents,
    tag_rows,
    thing_of,
)
from kqi_hub.db.tenant_lock import hold_tenant
from kqi_hub.db.uses import lock_dataset, note_use
from kqi_hub.domain.data import Kind, Thing, Use
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.filters import in_one_case
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import RunState

_R: Final = RUNS.c


def add_runs(
    connection: Connection,
    new: Sequence[NewRun],
    now: float,
    *,
    is_array: bool = False,
    **about: Any,
) -> list[int]:
    """Store runs and return their numbers; `about` are columns that all of them have.

    Their datasets are locked; parents that are gone are NotFound. Those of an array
    are its tasks, in this order, and the first one's number is the array's.
    """
    if "copied_from" not in about:
        _refuse_repeated(connection, new)
    rows = [_row(one, now) | about for one in new]
    if is_array:
        rows = [row | {"task": task} for task, row in enumerate(rows)]
    statement = insert(RUNS).returning(_R.number, sort_by_parameter_order=True)
    numbers = list(connection.scalars(statement, rows))
    if is_array:
        batch = update(RUNS).where(_R.number.in_(numbers))
        connection.execute(batch.values(batch=numbers[0]))
    added = list(zip(numbers, new, strict=True))
    specs = [{"run": number, "spec": one.spec} for number, one in added]
    connection.execute(insert(SPECS), specs)
    connection.execute(insert(WORDS), [_words(*one) for one in added])
    connection.execute(insert(EVENTS), [_event(*one, now) for one in added])
    if tags := [row for one in added for row in tag_rows(*_tagged(*one))]:
        connection.execute(insert(TAGS), tags)
    for number, one in added:
        _lock_parents(connection, number, one)
        _note_uses(connection, number, one, now)
    put_parents(connection, [number for number, one in added if one.spec.parents])
    return numbers


def _refuse_repeated(connection: Connection, new: Sequence[NewRun]) -> None:
    """Refuse what was preprocessed in the same way before (K-55)."""
    wanted: dict[int, list[int]] = {}
    for one in new:
        if one.preprocessing is not None and one.data is not None:
            wanted.setdefault(one.preprocessing, []).append(one.data)
    if wanted:
        # Who asks for the same at the same time waits until this is stored.
        hold_tenant(connection, new[0].spec.tenant)
    for preprocessing, items in wanted.items():
        for start in range(0, len(items), CHUNK):
            query = select(_R.number, _R.data).where(
                _R.preprocessing == preprocessing,
                _R.data.in_(items[start : start + CHUNK]),
            )
            row = connection.execute(query.order_by(_R.number).limit(1)).first()
            if row is not None:
                raise Conflict(
                    "Preprocessing {id} has run on data {data} already: run {run}.",
                    "Delete that run first to repeat it.",
                    id=preprocessing,
                    data=row.data,
                    run=row.number,
                )


def _words(number: int, new: NewRun) -> dict[str, Any]:
    spec = new.spec
    return {
        "number": number,
        "kind": new.kind.value,
        "tenant": spec.tenant,
        "memo": in_one_case(spec.memo),
        "command": in_one_case(spec.command),
        "parents": "",
    }


def _event(number: int, new: NewRun, now: float) -> dict[str, Any]:
    state = _state(new).value
    return {"run": number, "position": 0, "at": now, "state": state, "cause": ""}


def _tagged(number: int, new: NewRun) -> tuple[int, str, Sequence[str]]:
    return number, new.spec.tenant, new.spec.tags


def _row(new: NewRun, now: float) -> dict[str, Any]:
    spec = new.spec
    return {
        "kind": new.kind.value,
        "tenant": spec.tenant,
        "owner": new.owner,
        "state": _state(new).value,
        "name": spec.name,
        "queue": spec.queue,
        "key": new.key,
        "is_favourite": False,
        "asked_at": now,
        "changed_at": now,
        "dataset": spec.dataset,
        "preprocessing": new.preprocessing,
        "data": new.data,
        "node": "",
        "keeps_refused": new.keeps_refused,
        "leased_by": "",
        "folder": "",
        "value": "",
        "detail": "",
        "memo": spec.memo,
        "command": spec.command,
    }


def _state(new: NewRun) -> RunState:
    if new.spec.is_outside:
        return RunState.OPENED
    return RunState.PREPARED if new.is_prepared else RunState.ASKED


def _lock_parents(connection: Connection, number: int, new: NewRun) -> None:
    for parent in new.spec.parents:
        # Whoever deletes or renames it now waits for this, then finds a child.
        row = select(_R.number).where(
            _R.number == parent.id,
            _R.kind == parent.kind.value,
            _R.tenant == new.spec.tenant,
            _R.going_at.is_(None),
        )
        if connection.scalar(row.with_for_update(read=True)) is None:
            raise NotFound(
                "There is no {kind} {id} in tenant {tenant}, to be a parent of this.",
                "It may have been deleted meanwhile: choose another one.",
                kind=parent.kind.value,
                id=parent.id,
                tenant=new.spec.tenant,
            )
        connection.execute(insert(PARENTS), {"run": number, "parent": parent.id})


def _note_uses(connection: Connection, number: int, new: NewRun, now: float) -> None:
    by = thing_of(new.kind, number)
    if new.spec.dataset is not None:
        lock_dataset(connection, new.spec.dataset, by, now)
    for used in _used(new):
        note_use(connection, Use(used, by, now, locks=False))


def _used(new: NewRun) -> Iterator[Thing]:
    for parent in new.spec.parents:
        yield thing_of(parent.kind, parent.id)
    if new.data is not None:
        yield Thing(Kind.DATA, str(new.data))
    source = new.spec.source
    if source is not None and source.commit:
        yield Thing(Kind.COMMIT, f"{source.url}@{source.commit}")
