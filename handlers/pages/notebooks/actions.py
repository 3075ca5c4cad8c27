"""Start, stop and delete a notebook; what is lost is spelled out before."""

from handlers.ask import Ask, GoTo, Page
from handlers.pages.notebooks.detail import detail_page
from handlers.pages.notebooks.number import EXAMPLE, notebook_number
from handlers.pages.notebooks.refusal import refusal_of
from handlers.pages.notebooks.rows import row_of
from handlers.pages.notebooks.saving import SHOWN_IN_FORM
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import Conflict, KqiError, NotFound
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Notebooks"))
_TEMPLATE = "pages/notebooks/sure.html"


@routes.post(
    "/notebooks/{notebook_id}/start",
    Spec(errors=(Conflict, NotFound), example_path=EXAMPLE),
)
async def start_notebook(ask: Ask) -> Page | GoTo:
    """Start a notebook with the choices that it has."""
    number = notebook_number(ask)
    try:
        view = await ask.deps.notebooks.start(ask.who, number)
    except SHOWN_IN_FORM as error:
        return await detail_page(ask, number, error)
    said = N_("The notebook {name} is starting.")
    return GoTo(f"notebooks/{number}", said, {"name": view.choices.name})


@routes.get(
    "/notebooks/{notebook_id}/stop", Spec(errors=(NotFound,), example_path=EXAMPLE)
)
async def show_stop(ask: Ask) -> Page:
    """Show what is lost and what stays when a notebook is stopped."""
    return await _sure(ask, is_stopping=True)


@routes.post(
    "/notebooks/{notebook_id}/stop", Spec(errors=(NotFound,), example_path=EXAMPLE)
)
async def stop_notebook(ask: Ask) -> GoTo:
    """Stop a notebook, or cancel its start."""
    number = notebook_number(ask)
    view = await ask.deps.notebooks.stop(ask.who, number)
    said = N_("The notebook {name} is being stopped.")
    return GoTo(f"notebooks/{number}", said, {"name": view.choices.name})


@routes.get(
    "/notebooks/{notebook_id}/delete", Spec(errors=(NotFound,), example_path=EXAMPLE)
)
async def show_delete(ask: Ask) -> Page:
    """Show what is lost and what stays when a notebook is deleted."""
    return await _sure(ask, is_stopping=False)


@routes.post(
    "/notebooks/{notebook_id}/delete",
    Spec(errors=(Conflict, NotFound), example_path=EXAMPLE),
)
async def delete_notebook(ask: Ask) -> Page | GoTo:
    """Delete a notebook that has stopped; its files stay."""
    number = notebook_number(ask)
    _, view = await ask.deps.notebooks.one(ask.me.person, number)
    try:
        await ask.deps.notebooks.delete(ask.who, number)
    except Conflict as error:
        return await _sure(ask, is_stopping=False, error=error)
    said = N_("The notebook {name} is deleted. Its files are still there.")
    return GoTo("notebooks", said, {"name": view.notebook.choices.name})


async def _sure(ask: Ask, is_stopping: bool, error: KqiError | None = None) -> Page:
    number = notebook_number(ask)
    _, view = await ask.deps.notebooks.one(ask.me.person, number)
    past = await ask.deps.notebooks.sessions(ask.me.person, number)
    values = {
        "notebook": view.notebook,
        "row": row_of(ask, view),
        "is_stopping": is_stopping,
        "session_count": len(past),
        "problem": refusal_of(ask, error),
    }
    return Page(_TEMPLATE, values, error.status if error else 200)
