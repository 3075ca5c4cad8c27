"""Runs in the database: each change is one transaction, and may be told again.

A run that has ended changes no more: whoever is quicker, the first end is the end.
One that was deleted before is gone with it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from kqi_hub.db.dataset_rows import USES
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.outside_outputs import OUTSIDE
from kqi_hub.db.run_asking import add_runs
from kqi_hub.db.run_rows import (
    EVENTS,
    PARENTS,
    REMOVALS,
    RUNS,
    SCRIPTS,
    SPECS,
    TAGS,
    WORDS,
    changed,
    held_run,
    names_of,
    note_event,
    one_run,
    put_memo,
    put_parents,
    put_tags,
    runs_of,
    thing_of,
    with_spec,
)
from kqi_hub.db.run_search import page_of
from kqi_hub.db.run_submitted import note_submitted
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.own_jobs import JobRun
from kqi_hub.domain.run_list import RunFilter
from kqi_hub.domain.run_ports import Collected, NewRun, Removal, RunNames, Told
from kqi_hub.domain.run_states import (
    BY_HAND,
    ENDED,
    FORGOTTEN,
    final_state,
    is_news,
    may_be_forgotten,
    may_go_later,
)
from kqi_hub.domain.runs import Run, RunChange, RunEvent, RunState

_R: Final = RUNS.c
_U: Final = USES.c
_IS_LIVE: Final = _R.settled_at.is_(None)
_LONGEST_NUMBER: Final = 40
_TOLD: Final = (
    "job_id", "node", "began_at", "ended_at", "exit_code", "detail",
)  # fmt: skip


class SqlRunStore:
    """A RunStore (domain/run_ports.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, new: NewRun, now: float) -> Run:
        """Store the wish, note what it uses, lock its dataset; Conflict, NotFound."""
        with _asking(self._engine) as connection:
            [number] = add_runs(connection, [new], now)
            return held_run(connection, number)

    def ask_batch(self, new: Sequence[NewRun], now: float) -> tuple[Run, ...]:
        """Store many that are one array: one key, tasks 0 and up."""
        if not new:
            return ()
        with _asking(self._engine) as connection:
            [first, *_] = add_runs(connection, new, now, is_array=True)
            query = with_spec().where(_R.batch == first, _R.number >= first)
            return runs_of(connection, query.order_by(_R.task))

    def one(self, run_id: int) -> Run | None:
        """Return one, whoever it belongs to."""
        with reading(self._engine) as connection:
            return one_run(connection, run_id)

    def named(self, key: str) -> tuple[Run, ...]:
        """Return the runs of a job's key: one with its copies, or an array's tasks."""
        with reading(self._engine) as connection:
            return runs_of(connection, _of_key(key))

    def of_jobs(
        self, job_ids: Collection[int], keys: Collection[str]
    ) -> Mapping[int, JobRun]:
        """Return the runs of jobs by the jobs' ids: ids come again, keys do not."""
        query = with_spec().where(_R.key.in_(keys), _R.job_id.in_(job_ids))
        with reading(self._engine) as connection:
            found = runs_of(connection, query.order_by(_R.number))
        return {one.job_id: JobRun(one.id, one.folder) for one in found if one.job_id}

    def search(self, wanted: RunFilter) -> tuple[tuple[Run, ...], int]:
        """Return a page of those that a filter lets through, and how many it does."""
        with reading(self._engine) as connection:
            return page_of(connection, wanted)

    def live(self, owner: str | None = None) -> tuple[Run, ...]:
        """Return every run that has not ended and is Slurm's, of one person or all."""
        query = with_spec().where(_IS_LIVE, _R.state != RunState.OPENED.value)
        if owner is not None:
            query = query.where(_R.owner == owner)
        with reading(self._engine) as connection:
            return runs_of(connection, query.order_by(_R.number))

    def events(self, run_id: int) -> tuple[RunEvent, ...]:
        """Return each change of its state, the oldest first."""
        query = select(EVENTS).where(EVENTS.c.run == run_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(EVENTS.c.position))
            return tuple(
                RunEvent(row.at, RunState(row.state), row.cause) for row in rows
            )

    def lease(self, key: str, by: str, until: float, now: float) -> bool:
        """Take a job's submission for oneself; False while somebody else has it."""
        with writing(self._engine) as connection:
            return _lease(connection, key, by, until, now)

    def keep_script(self, key: str, text: str) -> None:
        """Keep the script as it is submitted; an empty one is none."""
        with writing(self._engine) as connection:
            connection.execute(upsert(connection, SCRIPTS), {"key": key, "text": text})

    def hand_over(
        self, key: str, text: str, by: str, until: float, now: float
    ) -> tuple[Run, ...] | None:
        """Prolong the lease and keep the script of what is wanted; None: it is lost."""
        with writing(self._engine) as connection:
            if not _lease(connection, key, by, until, now):
                return None
            query = _of_key(key).where(_R.state == RunState.ASKED.value)
            runs = runs_of(connection, query)
            if not all(run.stopping for run in runs):
                row = {"key": key, "text": text}
                connection.execute(upsert(connection, SCRIPTS), row)
            return runs

    def script(self, run_id: int) -> str | None:
        """Return the script that was submitted, None before there is one."""
        query = select(SCRIPTS.c.text).join_from(RUNS, SCRIPTS, SCRIPTS.c.key == _R.key)
        with reading(self._engine) as connection:
            return connection.scalar(query.where(_R.number == run_id)) or None

    def told(self, run_id: int, told: Told) -> Run:
        """Note a change; what cannot follow changes nothing and returns the run."""
        with writing(self._engine) as connection:
            known = held_run(connection, run_id)
            if not is_news(known, told.state, told.job_id):
                return known
            return _move(
                connection, known, told.state, told.at, told.cause, _said(told)
            )

    def submitted(
        self, run_ids: Collection[int], job_id: int, now: float
    ) -> tuple[Run, ...]:
        """Note the job that was submitted for these runs, and return them by number."""
        with writing(self._engine) as connection:
            return note_submitted(connection, run_ids, job_id, now)

    def forgotten(
        self, run_ids: Collection[int], job_id: int, now: float
    ) -> tuple[Run, ...]:
        """Note that Slurm has lost this job before it began: they are ASKED again."""
        with writing(self._engine) as connection:
            return tuple(
                _forgotten(connection, held_run(connection, number), job_id, now)
                for number in sorted(run_ids)
            )

    def stopping(self, run_id: int, called: RunState, now: float) -> Run:
        """Note how it will be called once its job has ended: the first word wins."""
        with writing(self._engine) as connection:
            known = held_run(connection, run_id)
            if not known.is_live or known.stopping is not None:
                return known
            return changed(connection, run_id, now, {"stopping": called.value})

    def collected(self, run_id: int, found: Collected, now: float) -> Run:
        """Note its results and its final state, once; again changes nothing."""
        with writing(self._engine) as connection:
            known = held_run(connection, run_id)
            if not known.is_live:
                return known
            state = final_state(found.state, known.outcome)
            values = {
                "value": found.value,
                "value_number": _number(found.value),
                "files": found.files,
                "bytes": found.bytes,
                "use": found.use,
                "exit_code": _either(found.exit_code, known.exit_code),
                "detail": found.detail or known.detail,
                "ended_at": _either(known.ended_at, now),
            }
            return _move(connection, known, state, now, "", values)

    def refused(self, run_id: int, reason: str, now: float) -> Run | None:
        """Note that Slurm did not take it and free its locks; None: nothing is kept."""
        with writing(self._engine) as connection:
            known = held_run(connection, run_id)
            if not is_news(known, RunState.REFUSED, None):
                return known
            _release(connection, known)
            kept = select(_R.keeps_refused).where(_R.number == run_id)
            if not connection.scalar(kept):
                _forget(connection, known)
                return None
            values = {"detail": reason, "ended_at": now}
            return _move(connection, known, RunState.REFUSED, now, reason, values)

    def adopted(self, run_id: int, job_id: int, now: float) -> Run:
        """Return the run of a job submitted by hand: this one, or a copy of it."""
        with writing(self._engine) as connection:
            known = held_run(connection, run_id)
            same = with_spec().where(_R.key == known.key, _R.job_id == job_id)
            for run in runs_of(connection, same):
                return run
            if known.is_live and known.job_id is None:
                values = {"job_id": job_id}
                return _move(connection, known, RunState.PENDING, now, BY_HAND, values)
            return _copied(connection, known, job_id, now)

    def change(self, run_id: int, change: RunChange, now: float) -> Run:
        """Change what may still be changed of a run."""
        said = {
            name: value
            for name in ("name", "memo", "is_favourite")
            if (value := getattr(change, name)) is not None
        }
        with writing(self._engine) as connection:
            known = held_run(connection, run_id)
            tags = change.tags_of(known.tags)
            if tags != known.tags:
                put_tags(connection, run_id, known.spec.tenant, tags)
            if change.memo is not None:
                put_memo(connection, run_id, change.memo)
            run = changed(connection, run_id, now, said)
            if run.name != known.name:
                children = select(PARENTS.c.run).where(PARENTS.c.parent == run_id)
                put_parents(connection, connection.scalars(children).all())
            return run

    def delete(self, run_id: int, now: float) -> Run | None:
        """Forget it and what it used; return one that goes when its job has ended."""
        with writing(self._engine) as connection:
            known = held_run(connection, run_id)
            children = select(PARENTS.c.run).where(PARENTS.c.parent == run_id)
            child = connection.scalar(children.order_by(PARENTS.c.run).limit(1))
            if child is not None:
                raise Conflict(
                    "Run {child} was built on this one.",
                    "Delete that one first.",
                    child=child,
                )
            if known.is_live:
                return _let_go(connection, known, now)
            _delete(connection, known)
            return None

    def removals(self, limit: int = 100) -> tuple[Removal, ...]:
        """Return folders of deleted runs that are still to be removed."""
        query = select(REMOVALS).order_by(REMOVALS.c.run).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(query)
            return tuple(Removal(row.run, row.owner, row.folder) for row in rows)

    def removed(self, run_ids: Collection[int]) -> None:
        """Forget that these folders are to be removed: they are gone."""
        with writing(self._engine) as connection:
            connection.execute(delete(REMOVALS).where(REMOVALS.c.run.in_(run_ids)))

    def names(self, runs: Sequence[Run]) -> RunNames:
        """Return the names of the datasets, parents and owners of runs."""
        with reading(self._engine) as connection:
            return names_of(connection, runs)

    def built_on(self, run_id: int) -> tuple[Run, ...]:
        """Return the runs that have it as a parent."""
        children = select(PARENTS.c.run).where(PARENTS.c.parent == run_id)
        query = with_spec().where(_R.number.in_(children)).order_by(_R.number)
        with reading(self._engine) as connection:
            return runs_of(connection, query)

    def tags(self, tenant: str) -> tuple[str, ...]:
        """Return the tags of a tenant's runs."""
        query = select(TAGS.c.tag).where(TAGS.c.tenant == tenant).distinct()
        with reading(self._engine) as connection:
            return tuple(sorted(connection.scalars(query)))

    def changed_since(
        self, moment: float, tenants: Collection[str] | None = None, limit: int = 1000
    ) -> tuple[Run, ...]:
        """Return runs changed at or after the moment, the latest change first."""
        query = with_spec().where(_R.changed_at >= moment)
        if tenants is not None:
            query = query.where(_R.tenant.in_(tenants))
        with reading(self._engine) as connection:
            return runs_of(
                connection, query.order_by(_R.changed_at.desc()).limit(limit)
            )

    def stamps(self) -> Mapping[str, float]:
        """Return for each tenant a number that every change of a live run changes."""
        query = select(_R.tenant, func.sum(_R.changed_at)).where(_IS_LIVE)
        with reading(self._engine) as connection:
            rows = connection.execute(query.group_by(_R.tenant))
            return {row[0]: row[1] for row in rows}


@contextmanager
def _asking(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction whose new rows others may have stored at the same moment."""
    try:
        with writing(engine) as connection:
            yield connection
    except IntegrityError as error:
        raise Conflict(
            "The same was asked for a moment ago.",
            "Look at the list before you repeat it.",
        ) from error


def _of_key(key: str) -> Select[Any]:
    return with_spec().where(_R.key == key).order_by(_R.task, _R.number)


def _lease(connection: Connection, key: str, by: str, until: float, now: float) -> bool:
    is_free = or_(_R.leased_until.is_(None), _R.leased_until <= now, _R.leased_by == by)
    statement = update(RUNS).where(_R.key == key, is_free)
    done = connection.execute(statement.values(leased_by=by, leased_until=until))
    return done.rowcount > 0


def _move(
    connection: Connection,
    known: Run,
    state: RunState,
    at: float,
    cause: str,
    values: dict[str, Any],
) -> Run:
    """Bring a run that is held into a state, with what is known by now."""
    said = {name: value for name, value in values.items() if value is not None}
    if state is known.state and all(
        getattr(known, name, None) == value for name, value in said.items()
    ):
        return known
    if state is not known.state:
        note_event(connection, known.id, at, state, cause)
    if state in ENDED:
        said = {"ended_at": _either(known.ended_at, at)} | said | {"settled_at": at}
    moved = changed(connection, known.id, at, said | {"state": state.value})
    if state in ENDED and moved.going_at is not None:
        _delete(connection, moved)
    return moved


def _let_go(connection: Connection, known: Run, now: float) -> Run:
    """Note that a run is deleted with its end; its job is wanted no longer."""
    if known.going_at is not None:
        return known
    if not may_go_later(known):
        raise Conflict("This run has not ended.", "Delete it when it has.")
    called = known.stopping or RunState.USER_CANCELED
    values = {"going_at": now, "stopping": called.value}
    return changed(connection, known.id, now, values)


def _delete(connection: Connection, run: Run) -> None:
    """Forget a run that has ended; its folder is still to be removed."""
    _release(connection, run)
    _forget(connection, run)
    row = {"run": run.id, "owner": run.owner, "folder": run.folder}
    connection.execute(insert(REMOVALS), row)


def _forgotten(connection: Connection, known: Run, job_id: int, now: float) -> Run:
    was = select(EVENTS.c.state).where(EVENTS.c.run == known.id)
    states = map(RunState, connection.scalars(was))
    if not may_be_forgotten(known, job_id, states):
        return known
    note_event(connection, known.id, now, RunState.ASKED, FORGOTTEN)
    values = {"state": RunState.ASKED.value, "job_id": None, "node": ""}
    return changed(connection, known.id, now, values)


def _said(told: Told) -> dict[str, Any]:
    names = (
        "job_id",
        "node",
        "began_at",
        "ended_at",
        "exit_code",
        "detail",
    )
    said = {name: getattr(told, name) for name in names}
    return said | {"outcome": told.outcome and told.outcome.value}


def _copied(connection: Connection, known: Run, job_id: int, now: float) -> Run:
    """Store a copy for a script that was submitted once more."""
    spec = replace(known.spec, name=known.name, memo=known.memo, tags=known.tags)
    new = NewRun(known.kind, known.owner, known.key, spec)
    origin = known.copied_from or known.id
    # What the runner calls the folder of a script's second job.
    folder = f"{known.kind.value}/{origin}.{job_id}"
    [number] = add_runs(connection, [new], now, copied_from=origin, folder=folder)
    copy = held_run(connection, number)
    values = {"job_id": job_id}
    return _move(connection, copy, RunState.PENDING, now, BY_HAND, values)


def _release(connection: Connection, run: Run) -> None:
    """Let go of what a run uses: of its dataset's lock above all."""
    me = thing_of(run.kind, run.id)
    by_me = and_(_U.by_kind == me.kind.value, _U.by_id == me.id)
    connection.execute(delete(USES).where(by_me))


def _forget(connection: Connection, run: Run) -> None:
    for column in (
        OUTSIDE.c.run,
        TAGS.c.run,
        PARENTS.c.run,
        EVENTS.c.run,
        SPECS.c.run,
        WORDS.c.number,
        RUNS.c.number,
    ):
        connection.execute(delete(column.table).where(column == run.id))
    others = select(func.count()).select_from(RUNS).where(_R.key == run.key)
    if not connection.scalar(others):
        connection.execute(delete(SCRIPTS).where(SCRIPTS.c.key == run.key))


def _either(one: Any, other: Any) -> Any:
    return other if one is None else one


def _number(value: str) -> float | None:
    """Return a value as lists sort it, None where it is no number."""
    try:
        number = float(value[:_LONGEST_NUMBER])
    except ValueError:
        return None
    # A NaN is in no order.
    return number if number == number else None
