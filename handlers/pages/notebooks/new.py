"""Make a notebook: from nothing, as a copy, or from what a link has filled in."""

from dataclasses import replace
from typing import Final

from pydantic import Field

from handlers.ask import Ask, GoTo, Page
from handlers.pages.notebooks.form import Draft, estimate_of, first_choice, form_page
from handlers.pages.notebooks.number import number_of
from handlers.pages.notebooks.saving import SHOWN_IN_FORM, saved
from handlers.pages.notebooks.typed import Filled, Typed, choices_of, texts_of
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Notebooks"))
# A form that only wants to see what it would cost: it changes nothing.
LOOK: Final = {"name": "first", "queue": "jupyter", "cpus": "2", "then": "show"}
# The list of queues fills these in too; everybody sees them before pressing Start.
_HARMLESS: Final = frozenset(
    {"queue", "preset", "cpus", "memory_gb", "gpus", "gpu_type", "lifetime_h"}
)


class Link(Filled):
    """What a link may fill in; it never starts anything."""

    copy_of: str = Field("", max_length=9)


@routes.get("/notebooks/new", Spec(query=Link, errors=(NotFound,)))
async def show_new_notebook(ask: Ask) -> Page:
    """Show the form that makes a notebook; a link may fill it in, never send it."""
    link, rules = ask.query(Link), ask.deps.notebooks.rules
    _, queues = await ask.deps.queues.list(ask.me.person, ask.tenant)
    sent, copied = first_choice(ask, queues, rules), None
    if link.copy_of:
        number = number_of(link.copy_of)
        _, view = await ask.deps.notebooks.one(ask.me.person, number)
        copied = view.notebook
        sent |= texts_of(copied.choices)
        sent["name"] = await ask.deps.notebooks.free_name(
            ask.me.person, copied.choices.name
        )
    given = link.model_dump(exclude={"copy_of", "tenant"}, exclude_defaults=True)
    if given.get("queue") and "preset" not in given:
        given["preset"] = ""
    if "repository" in given:
        given["may_push"] = ""  # what a copy may do with its own is nothing for another
    is_strange = not given.keys() <= _HARMLESS
    draft = Draft({**sent, **given}, copied=copied, is_prefilled=is_strange)
    return await form_page(ask, draft, rules)


@routes.post(
    "/notebooks/new",
    Spec(
        body=Typed,
        errors=(InvalidInput, Conflict, NotFound),
        shows=True,
        example=LOOK,
    ),
)
async def make_notebook(ask: Ask) -> Page | GoTo:
    """Make a notebook, and start it if that is asked for."""
    sent, notebooks = ask.body(Typed), ask.deps.notebooks
    draft = Draft(sent.model_dump())
    if sent.then == "show":
        return await form_page(ask, draft, notebooks.rules)
    try:
        made = await notebooks.create(ask.who, choices_of(draft.sent))
    except SHOWN_IN_FORM as error:
        return await form_page(ask, replace(draft, error=error), notebooks.rules)
    return await saved(ask, draft, made, sent.then)


@routes.post(
    "/notebooks/estimate",
    Spec(body=Typed, shows=True, example=LOOK),
)
async def show_estimate(ask: Ask) -> Page:
    """Show what a notebook would cost and when it would start, as it is typed."""
    sent = ask.body(Typed).model_dump()
    picture = await ask.deps.queues.board.current()
    found = await estimate_of(ask, sent, picture)
    return Page("pages/notebooks/estimate_alone.html", {"estimate": found})
