"""Change a notebook's choices, and start it with them if that is asked for."""

from dataclasses import replace

from handlers.ask import Ask, GoTo, Page
from handlers.pages.notebooks.form import Draft, form_page
from handlers.pages.notebooks.new import LOOK
from handlers.pages.notebooks.number import EXAMPLE, notebook_number
from handlers.pages.notebooks.saving import SHOWN_IN_FORM, saved
from handlers.pages.notebooks.typed import Typed, choices_of, texts_of
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Notebooks"))


@routes.get(
    "/notebooks/{notebook_id}/edit", Spec(errors=(NotFound,), example_path=EXAMPLE)
)
async def show_notebook_form(ask: Ask) -> Page:
    """Show the form that changes a notebook."""
    notebooks = ask.deps.notebooks
    _, view = await notebooks.one(ask.me.person, notebook_number(ask))
    known = view.notebook
    sent = {**texts_of(known.choices), "seen_at": repr(known.changed_at)}
    return await form_page(ask, Draft(sent, known), notebooks.rules)


@routes.post(
    "/notebooks/{notebook_id}/edit",
    Spec(
        body=Typed,
        errors=(InvalidInput, Conflict, NotFound),
        shows=True,
        example=LOOK,
        example_path=EXAMPLE,
    ),
)
async def change_notebook(ask: Ask) -> Page | GoTo:
    """Change a notebook, and start it with the changes if that is asked for."""
    sent, notebooks = ask.body(Typed), ask.deps.notebooks
    _, view = await notebooks.one(ask.me.person, notebook_number(ask))
    draft = Draft(sent.model_dump(), view.notebook)
    if sent.then == "show":
        return await form_page(ask, draft, notebooks.rules)
    try:
        choices, seen_at = choices_of(draft.sent), _moment(sent.seen_at)
        made = await notebooks.change(ask.who, view.notebook.id, choices, seen_at)
    except SHOWN_IN_FORM as error:
        return await form_page(ask, replace(draft, error=error), notebooks.rules)
    return await saved(ask, draft, made, sent.then)


def _moment(text: str) -> float:
    """Return when the form was opened; one that does not say is too old."""
    digits = text.replace(".", "", 1)
    return float(text) if digits.isascii() and digits.isdigit() else 0.0
