"""The form's page: what is offered in a tenant, what was typed, what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handlers.ask import Ask, Page, Values
from handlers.pages.notebooks.form import offered_datasets, own_tenants
from handlers.pages.notebooks.offers import (
    Met,
    gpu_types,
    met,
    queue_card,
    said,
)
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.refusal import faults_of, refusal_at_field
from handlers.pages.runs.kinds import Words, words_of
from handlers.pages.runs.rows import Row, row_of
from handlers.pages.runs.typed import Filled, shape_or_none
from handlers.pages.typed_fields import (
    MB_PER_GB,
    Reader,
    hours_of,
    parents_of,
    sizes_of,
)
from kqi_hub.domain.dataset_ports import PathPair
from kqi_hub.domain.errors import KqiError, NotFound
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import Queue
from kqi_hub.domain.run_choices import MOST_PARENTS
from kqi_hub.domain.run_list import RunQuestion
from kqi_hub.domain.runs import Run, RunKind, RunRules, RunState
from kqi_hub.services.board import Picture

_TEMPLATE: Final = "pages/runs/form.html"
# Parents that are offered for a click; an older one is given by its number.
_OFFERED: Final = 30
# Paths of a dataset that are shown in the form; its own page has all of them.
_SHOWN_PATHS: Final = 20
_NUMBER_DIGITS: Final = 18
# In which step of the form each field is, for the way to the first fault.
STEPS: Final = (
    ("name", "tenant", "parents", "dataset", "staging", "memo", "tags"),
    (
        *("environment", "image", "repository", "ref", "commit"),
        *("command", "variables"),
    ),
    ("queue", "cpus", "memory_gb", "gpus", "gpu_type", "lifetime_h"),
    ("ports", "zip", "keeps_refused"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A form under way: what is typed, from which run, refused for what."""

    sent: Mapping[str, str]
    origin: Run | None = None
    is_child: bool = False
    error: KqiError | None = None
    is_prefilled: bool = False

    @property
    def tenant(self) -> str:
        """Return the tenant whose queues and limits count."""
        return self.sent["tenant"]


async def form_page(ask: Ask, draft: Draft) -> Page:
    """Return the form with everything that is offered, and all that was typed."""
    words, tenant = words_of(ask), own_tenant(ask, draft.tenant)
    picture, found = await ask.deps.queues.list(ask.me.person, tenant)
    problem = refusal_at_field(ask, draft.error, Filled.model_fields)
    faults = faults_of(Filled.model_fields, problem)
    usable = [queue for queue in found if queue.obstacle is None]
    estimate = await estimate_of(ask, draft.sent, picture)
    datasets = await offered_datasets(ask, tenant)
    parents = await _offered_parents(ask, words, tenant)
    tags = await ask.deps.runs.tags(ask.asker, tenant) if tenant else ()
    seen = await _seen_of_dataset(ask, draft.sent["dataset"])
    rules = ask.deps.runs.rules

    def values() -> Values:
        return {
            "words": words,
            "title": _title(ask, words, draft),
            "origin": draft.origin,
            "is_child": draft.is_child,
            "is_prefilled": draft.is_prefilled,
            "sent": draft.sent,
            "faults": faults,
            "problem": problem,
            "first_step": _first_step(faults),
            "picture": Aged.of(picture),
            "tenants": own_tenants(ask),
            "queues": [queue_card(ask, queue) for queue in usable],
            "closed": [queue_card(ask, queue) for queue in found if queue.obstacle],
            "no_queue": next((said(ask, q.obstacle) for q in found), ""),
            "gpu_types": gpu_types(usable),
            "longest_h": hours_of(rules.longest_lifetime_s),
            "estimate": estimate,
            "datasets": datasets,
            "seen": seen,
            "most_seen": _SHOWN_PATHS,
            "parents": parents,
            "tags": tags,
        }

    return Page(_TEMPLATE, values, draft.error.status if draft.error else 200)


async def estimate_of(ask: Ask, sent: Mapping[str, str], picture: Picture) -> Met:
    """Return what the typed choice would meet; nothing known where it is unreadable."""
    size, lifetime_s = shape_or_none(sent)
    if size is None:
        return Met()
    tenant = own_tenant(ask, sent["tenant"])
    return await met(ask, picture, sent["queue"], size, lifetime_s, tenant)


def first_choice(
    ask: Ask, queues: tuple[Queue, ...], rules: RunRules
) -> dict[str, str]:
    """Return the form as it is before anything is typed."""
    usable = [queue for queue in queues if queue.obstacle is None]
    usual = [queue for queue in usable if queue.partition.is_default]
    first = next(iter(usual or usable), None)
    size = Shape(2, 8 * MB_PER_GB)
    longest_s = first.max_time_s if first else None
    lifetime_s = min(rules.default_lifetime_s, longest_s or rules.default_lifetime_s)
    return {
        **Filled.model_validate({}).model_dump(),
        "keeps_refused": "yes",
        "tenant": ask.tenant or "",
        "staging": "link",
        "queue": first.name if first else "",
        **sizes_of(size),
        "lifetime_h": hours_of(lifetime_s),
        "zip": "yes",
    }


async def kinds_of_parents(ask: Ask, sent: Mapping[str, str]) -> dict[int, RunKind]:
    """Return what the parents that are there are; numbers are given once for all."""
    numbers = Reader(sent).read("parents", parents_of) or ()
    found = {}
    for number in numbers[:MOST_PARENTS]:
        for kind in (RunKind.TRAINING, RunKind.INFERENCE):
            try:
                await ask.deps.runs.one(ask.asker, kind, number)
            except NotFound:
                continue
            found[number] = kind
            break
    return found


def own_tenant(ask: Ask, typed: str) -> str | None:
    """Return a tenant that is the person's: another one's queues are not shown."""
    role = ask.me.role_in(typed) if typed else None
    return typed if role is not None else ask.tenant


async def _seen_of_dataset(ask: Ask, typed: str) -> tuple[PathPair, ...]:
    """Return the first paths that a job would find of a dataset; none without one."""
    text = typed.strip().removeprefix("#")
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS):
        return ()
    try:
        return await ask.deps.datasets.paths(ask.asker, int(text), limit=_SHOWN_PATHS)
    except NotFound:
        return ()


async def _offered_parents(ask: Ask, words: Words, tenant: str | None) -> list[Row]:
    """Return one's own newest runs that have left something."""
    if tenant is None:
        return []
    kinds = [RunKind.TRAINING]
    if words.kind is RunKind.INFERENCE:
        kinds.append(RunKind.INFERENCE)
    asked = RunQuestion(
        tenant=tenant,
        owner=ask.me.person,
        states=tuple(one.value for one in _WITH_OUTPUT),
        per_page=_OFFERED,
    )
    pages = [await ask.deps.runs.search(ask.asker, kind, asked) for kind in kinds]
    views = [view for page in pages for view in page.items if view.is_mine]
    views.sort(key=lambda view: -view.run.id)
    return [row_of(ask, view) for view in views[:_OFFERED]]


_WITH_OUTPUT: Final = (
    RunState.COMPLETED,
    RunState.USER_CANCELED,
    RunState.KILLED,
    RunState.FAILED,
    RunState.TIMED_OUT,
    RunState.OUT_OF_MEMORY,
    RunState.NODE_FAILED,
    RunState.UNKNOWN,
)


def _title(ask: Ask, words: Words, draft: Draft) -> str:
    if draft.origin is None or draft.is_child:
        return words.new
    return ask.texts.say(words.copy, {"name": draft.origin.name})


def _first_step(faults: Mapping[str, str]) -> int:
    """Return the step in which the first fault is; the first where all is right."""
    for number, fields in enumerate(STEPS, 1):
        if any(faults.get(name) for name in fields):
            return number
    return 1
