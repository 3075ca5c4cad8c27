"""Ask for a run: from nothing, as a copy, on a parent, or as a link has filled in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic import Field

from handlers.ask import Ask, GoTo, Page
from handlers.pages.notebooks.saving import SHOWN_IN_FORM
from handlers.pages.runs.form import (
    Draft,
    estimate_of,
    first_choice,
    form_page,
    kinds_of_parents,
)
from handlers.pages.runs.kinds import RunRoutes, words_of
from handlers.pages.runs.typed import Filled, Typed, spec_of, texts_of
from handlers.route import Spec
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.runs import Parent, Run, RunKind
from kqi_hub.i18n import N_

routes = RunRoutes(tag=N_("Runs"))
# A form that only wants to see what it would cost: it changes nothing.
LOOK: Final = {"name": "first", "queue": "cpu", "cpus": "2", "then": "show"}
# Lists of queues and of data fill these in too; everybody sees them before starting.
_HARMLESS: Final = frozenset(
    {"queue", "cpus", "memory_gb", "gpus", "gpu_type", "lifetime_h", "dataset"}
)
_ORIGINS: Final = {"copy_of", "parent", "parent_kind", "tenant"}
_LONGEST_NUMBER: Final = 18


class Link(Filled):
    """What a link may fill in; it never starts anything."""

    copy_of: str = Field("", max_length=_LONGEST_NUMBER)
    parent: str = Field("", max_length=_LONGEST_NUMBER)
    parent_kind: RunKind = RunKind.TRAINING


@routes.get("/new", Spec(query=Link, errors=(NotFound, NotPermitted)))
async def show_new_run(ask: Ask) -> Page:
    """Show the form that asks for a run; a link may fill it in, never send it."""
    link, rules = ask.query(Link), ask.deps.runs.rules
    _, queues = await ask.deps.queues.list(ask.me.person, ask.tenant)
    sent = first_choice(ask, queues, rules)
    origin, filled = await _origin(ask, link)
    given = link.model_dump(exclude=_ORIGINS, exclude_defaults=True)
    draft = Draft(
        {**sent, **filled, **given},
        origin=origin,
        is_child=bool(link.parent),
        is_prefilled=not given.keys() <= _HARMLESS,
    )
    return await form_page(ask, draft)


@routes.post(
    "/new",
    Spec(
        body=Typed,
        errors=(InvalidInput, Conflict, NotFound, NotPermitted),
        shows=True,
        example=LOOK,
    ),
)
async def ask_for_run(ask: Ask) -> Page | GoTo:
    """Ask for a run and submit it, or only make its script."""
    sent, words = ask.body(Typed), words_of(ask)
    draft = Draft(sent.model_dump())
    if sent.then not in {"start", "prepare"}:
        return await form_page(ask, draft)
    try:
        spec = spec_of(draft.sent, await kinds_of_parents(ask, draft.sent))
        run = await ask.deps.runs.ask(
            ask.asker,
            words.kind,
            spec,
            is_prepared=sent.then == "prepare",
            keeps_refused=bool(sent.keeps_refused),
        )
    except SHOWN_IN_FORM as error:
        return await form_page(ask, replace(draft, error=error))
    way = f"{words.folder}/{run.id}?tenant={run.spec.tenant}"
    if sent.then == "prepare":
        said = N_("The script of {name} is ready below; nothing is submitted.")
        return GoTo(f"{way}#script", said, {"name": run.name})
    return GoTo(way, N_("{name} is being submitted."), {"name": run.name})


@routes.post("/estimate", Spec(body=Typed, shows=True, example=LOOK))
async def show_run_estimate(ask: Ask) -> Page:
    """Show what a run would cost and when it would start, as it is typed."""
    sent = ask.body(Typed).model_dump()
    picture = await ask.deps.queues.board.current()
    found = await estimate_of(ask, sent, picture)
    return Page("pages/notebooks/estimate_alone.html", {"estimate": found})


async def _origin(ask: Ask, link: Link) -> tuple[Run | None, Mapping[str, str]]:
    """Return the run that the form begins with, and what it fills in."""
    kind = words_of(ask).kind
    if link.copy_of:
        number = _number(link.copy_of)
        _, view = await ask.deps.runs.one(ask.asker, kind, number)
        spec = await ask.deps.runs.copy_of(ask.asker, kind, number)
        return view.run, texts_of(spec)
    if link.parent:
        parent = Parent(link.parent_kind, _number(link.parent))
        _, view = await ask.deps.runs.one(ask.asker, parent.kind, parent.id)
        return view.run, texts_of(await ask.deps.runs.child_of(ask.asker, parent))
    return None, {}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise NotFound("There is no such run.", "Look at the list again.")
    return int(text)
