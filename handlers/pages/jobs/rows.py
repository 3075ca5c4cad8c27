"""A job in one line, and an array with a line for each of its tasks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from handlers.ask import Ask
from handlers.pages.jobs.words import (
    HELD,
    KINDS,
    log_of,
    page_of,
    state_of,
)
from handlers.pages.notebooks.money import in_money
from handlers.pages.notebooks.words import Status
from kqi_hub.domain.job import Job
from kqi_hub.domain.own_jobs import Action, JobKind
from kqi_hub.services.own_jobs import GroupView, JobView


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A job or task: `label` as Slurm writes it, `id` as it is acted on."""

    job: Job
    id: str
    label: str
    status: Status
    why: str
    hint: str
    ran_s: int | None
    left_s: int | None
    cost: str
    is_provisional: bool
    exit_code: int | None
    log: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row of the list; `counts` are states with how many tasks have them."""

    id: int
    name: str
    kind: str
    page: str
    folder: str
    thing: int | None
    is_array: bool
    is_live: bool
    counts: tuple[tuple[Status, int], ...]
    head: TaskRow
    tasks: Sequence[TaskRow]
    more: int
    cost: str
    is_provisional: bool
    actions: tuple[Action, ...]


def row_of(ask: Ask, view: GroupView) -> JobRow:
    """Return a job or array as the list shows it."""
    return JobRow(
        id=view.id,
        name=view.head.job.name,
        kind=ask.texts.say(KINDS[view.kind]),
        page=page_of(view.kind, view.thing),
        folder=f"kqi/{view.folder}" if view.folder else "",
        thing=view.thing,
        is_array=view.is_array,
        is_live=view.is_live,
        counts=tuple(
            (_said(ask, state_of(state)), count)
            for state, count in sorted(view.counts.items())
        ),
        head=_task(ask, view.kind, view.head),
        tasks=[_task(ask, view.kind, one) for one in view.tasks],
        more=view.more,
        cost="" if view.cost is None else in_money(ask, view.cost),
        is_provisional=bool(view.cost) and not (view.is_live or view.is_billed),
        actions=view.actions,
    )


def _task(ask: Ask, kind: JobKind, view: JobView) -> TaskRow:
    job, why = view.job, view.why
    status = HELD if view.is_held else state_of(job.state)
    return TaskRow(
        job=job,
        id=str(view.id),
        label=_label(view),
        status=_said(ask, status),
        why="" if why is None else ask.texts.phrase(why.text),
        hint="" if why is None or why.hint is None else ask.texts.phrase(why.hint),
        ran_s=view.ran_s,
        left_s=view.left_s,
        cost="" if view.cost is None else in_money(ask, view.cost),
        is_provisional=bool(view.cost) and job.is_over and not view.is_billed,
        exit_code=view.exit_code,
        log="" if job.is_waiting else log_of(kind, str(view.id)),
        # Tasks that are not told apart are acted on with their array alone.
        actions=() if _is_bundle(view) else view.actions,
    )


def _label(view: JobView) -> str:
    bundled = _is_bundle(view) and view.job.task
    return f"{view.id}_[{view.job.task}]" if bundled else str(view.id)


def _is_bundle(view: JobView) -> bool:
    return view.job.array_id is not None and view.id.task is None


def _said(ask: Ask, status: Status) -> Status:
    return replace(status, word=ask.texts.say(status.word))
